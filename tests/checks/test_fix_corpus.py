"""``check --fix`` over every config of two released packages, with mistakes planted in them.

The oracle is the config as it was released: what a fix makes of a planted mistake must be its text again, byte by byte.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import warnings
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from optplan.app.check import CheckResult, Mending, check_configs
from optplan.checks import ALL_CHECKS
from optplan.checks.session import Request
from tests.checks.test_released_configs import PACKAGES, folder_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mmengine.config import Config

# What stands in an optimizer section alone, and in many of them.
_WORDS = (
    "norm_decay_mult", "bias_decay_mult", "flat_decay_mult", "bypass_duplicate", "custom_keys",
    "decay_mult", "lr_mult", "layer_decay_rate", "weight_decay", "betas",
)  # fmt: skip
_NAMES = re.compile(rf"(?<=[({{, '\"])(?:{'|'.join(_WORDS)})(?=['\"]? ?[=:])")
_DELETE = re.compile(r"paramwise_cfg=dict\(\s*(_delete_)=True")
_SECTION = re.compile(r"paramwise_cfg=(?:dict\(|\{)(?=\s*\S)(?!\s*[)}])")

# The mistakes that were released, and how they are mended; test_released_configs.py says why they are mistakes.
RELEASED = {
    "mmpretrain/twins/twins-pcpvt-base_8xb128_in1k.py": ("_delete=True", "_delete_=True", 1),
    "mmpretrain/twins/twins-svt-base_8xb128_in1k.py": ("_delete=True", "_delete_=True", 1),
    "mmseg/dnlnet/dnl_r50-d8_4xb2-80k_cityscapes-769x769.py": ("wd_mult=0.", "decay_mult=0.", 2),
}


def misspelt(word: str, chance: random.Random) -> str:
    """The word with one slip of the hand: a letter less, twice, another, or two that changed places."""
    at = chance.randrange(1, len(word) - 1)
    return chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + ("x" if word[at] != "x" else "z") + word[at + 1 :],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        )
    )


def planted(text: str, chance: random.Random) -> list[str]:
    """A config with one or two mistakes in its optimizer section, and with one of two mended; none without a place."""
    kind = chance.choice(("slip", "slip", "unread", "delete"))
    if kind == "delete" and (found := _DELETE.search(text)):
        wrong = chance.choice(("_delete", "delete_", "_dleete_"))
        return [text[: found.start(1)] + wrong + text[found.end(1) :]]
    if kind == "unread" and (found := _SECTION.search(text)):
        entry = "frobnicate=(1, dict(a=2)), "
        if text[found.end() - 1] == "{":
            entry = "'frobnicate': [1, (2, 3)], "
        blank = re.compile(r"\n *").match(text, found.end())
        if blank is not None:
            return [text[: blank.end()] + entry.rstrip() + "  # none" + text[found.end() :]]
        return [text[: found.end()] + entry + text[found.end() :]]
    places = list(_NAMES.finditer(text))
    chosen = chance.sample(places, min(len(places), chance.choice((1, 1, 2))))
    slips = [(place, misspelt(place[0], chance)) for place in chosen]
    return [_with(text, some) for some in (slips, slips[:1], slips[1:]) if some]


def _with(text: str, slips: Sequence[tuple[re.Match[str], str]]) -> str:
    for place, wrong in sorted(slips, key=lambda slip: -slip[0].start()):
        text = text[: place.start()] + wrong + text[place.end() :]
    return text


def copied_corpus(folder: Path, part: int, parts: int) -> dict[Path, str]:
    """A part of the families of both packages in a folder, with their bases; the texts of all."""
    for package in PACKAGES:
        families = sorted(one.name for one in folder_of(package).iterdir() if one.is_dir())
        for number, family in enumerate(families):
            if family == "_base_" or number % parts == part:
                shutil.copytree(folder_of(package) / family, folder / package / family)
    return {path: path.read_bytes().decode() for path in sorted(folder.rglob("*.py"))}


def check(*, mending: Mending = Mending.DONE) -> CheckResult:
    """Check the current folder without models, and write what is mended."""
    request = Request(words=(".",), models=False, is_isolated=True)
    result = check_configs(request, ALL_CHECKS, workers={}, mending=mending)
    for file in result.fixes.files if result.fixes else ():
        assert Path(file.path).read_bytes().decode() == file.before
        Path(file.path).write_bytes(file.after.encode())
    return result


def read_by_mmengine(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Config.fromfile(path, import_custom_modules=False).to_dict()


@pytest.mark.sweep
@pytest.mark.parametrize("part", range(4))
def test_planted_mistakes(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = copied_corpus(tmp_path, part, 4)
    released = {tmp_path / name: how for name, how in RELEASED.items() if tmp_path / name in texts}
    for path, (wrong, _, count) in released.items():
        assert texts[path].count(wrong) == count
    mended = {
        path: text.replace(released[path][0], released[path][1]) if path in released else text
        for path, text in texts.items()
    }
    wrong_texts = dict(_planted(texts, random.Random(part), spared=released))
    for path, (text, *_) in wrong_texts.items():
        path.write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    result = check()
    assert result.fixes is not None
    restored = {path for path in wrong_texts if path.read_bytes().decode() == mended[path]}
    print(f"{len(restored)} of {len(wrong_texts)} configs with mistakes are as they were released")
    assert len(restored) > 0.6 * len(wrong_texts)
    for path in texts:  # all else stays byte by byte
        assert path.read_bytes().decode() in {mended[path], *wrong_texts.get(path, ())}, path
    for path in released:
        assert read_by_mmengine(path)["optim_wrapper"]["paramwise_cfg"]
    told = {Path(one.location.file).absolute() for one in result.report.findings}
    assert {Path(fix.file).absolute() for fix, _ in result.fixes.left} <= told - restored
    again = check()
    assert again.fixes is not None
    assert again.fixes.files == ()
    assert again.report.findings == result.report.findings


def _planted(
    texts: dict[Path, str], chance: random.Random, spared: Container[Path]
) -> Iterator[tuple[Path, list[str]]]:
    for path, text in texts.items():
        if path not in spared and chance.random() < 0.7 and (wrong := planted(text, chance)):
            yield path, wrong


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(2))
def test_data_files(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimizer sections of the same, as JSON and YAML."""
    chance = random.Random(seed)
    texts: dict[Path, str] = {}
    for package in PACKAGES:
        for path in sorted(folder_of(package).rglob("*.py")):
            if "paramwise_cfg=" not in path.read_text("utf-8") or chance.random() < 0.5:
                continue
            section = {"optim_wrapper": read_by_mmengine(path).get("optim_wrapper")}
            name = tmp_path / f"{package}-{path.stem}-{len(texts)}"
            if chance.random() < 0.5:
                text = json.dumps(section, indent=chance.choice((None, 1, 4)))
                texts[name.with_suffix(".json")] = text
            else:
                flow = chance.choice((None, False))
                plain = json.loads(json.dumps(section))
                texts[name.with_suffix(".yaml")] = yaml.safe_dump(plain, default_flow_style=flow)
    for path, text in texts.items():
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    released = check()
    assert released.fixes is not None
    for file in released.fixes.files:  # the mistakes that were released
        texts[tmp_path / file.path] = file.after
    wrong_texts = {}
    for path, text in texts.items():
        if wrong := planted(text, chance):
            wrong_texts[path] = wrong
            path.write_text(wrong[0])
    result = check()
    assert result.fixes is not None
    for path, text in texts.items():
        assert path.read_text() in {text, *wrong_texts.get(path, ())}
    print(f"{len(result.fixes.files)} of {len(wrong_texts)} data files are as they were")
    assert len(result.fixes.files) > 0.6 * len(wrong_texts) > 30
    again = check()
    assert again.fixes is not None
    assert again.fixes.files == ()
