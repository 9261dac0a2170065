"""Files of other trainers: named for what they are; those of other programs: never guessed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from optplan.config import load_config
from optplan.dialects import passed_over, recognition_of
from optplan.dialects.foreign.kinds import KINDS, SCRIPTS
from optplan.errors import ConfigError
from tests.conftest import SAMPLES, Invoke
from tests.dialects.foreign_files import OTHERS, TRAINERS


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("title", TRAINERS)
def test_says_what_a_file_is(title: str, tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, *TRAINERS[title])
    done = invoke("show", path.name, "--model", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path.name}: it is " in done.stderr
    assert f"{title} (" in done.stderr
    assert done.stderr.count("error:") == 1
    kinds = [one for one in (*KINDS, *SCRIPTS) if one.title == title]
    hint = done.stderr.partition("  hint: ")[2]
    assert hint
    if any(one.function for one in kinds):
        lines = [line[4:] for line in hint.splitlines()[1:] if line.startswith("    ")]
        assert "def make_optimizer(model):" in lines
        ast.parse("\n".join(lines))


def test_every_kind_has_a_file() -> None:
    assert {one.title for one in (*KINDS, *SCRIPTS)} == set(TRAINERS)


def test_every_command_says_it(tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, *TRAINERS["ms-swift"])
    for words in (
        ("show", path),
        ("config", path),
        ("schedule", path, "--model", "resnet18"),
        ("explain", path, "fc.weight", "--model", "resnet18"),
        ("verify", path, "--model", "resnet18"),
        ("diff", path, SAMPLES / "bag_of_tricks.py", "--model", "resnet18"),
    ):
        done = invoke(*words)
        assert done.returncode == 2, words
        assert "it is a file of ms-swift (model, " in done.stderr, words


def test_check_of_a_file(tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, *TRAINERS["NeMo"])
    done = invoke("check", path)
    assert done.returncode == 1
    assert "OPT004 it is a file of NeMo (model.optim, exp_manager" in done.stdout


def test_check_of_a_folder_has_a_line_for_each_kind(tmp_path: Path, invoke: Invoke) -> None:
    for name, text in [*TRAINERS.values(), *OTHERS.items()]:
        write(tmp_path, name, text)
    write(tmp_path, "second.yaml", TRAINERS["ms-swift"][1])
    write(tmp_path, "own.py", "optimizer = dict(type='SGD', lr=0.1)\n")
    done = invoke("check", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no findings in 1 config\n" in done.stdout
    for title in TRAINERS:
        count = "2 files" if title == "ms-swift" else "1 file"
        assert f"{count} passed over: {title}\n" in done.stdout
    assert "passed over: no" in done.stdout


@pytest.mark.parametrize("name", OTHERS)
def test_other_programs_are_not_guessed(name: str, tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, name, OTHERS[name])
    try:
        found = recognition_of(load_config(path))
    except ConfigError:
        found = None
    assert passed_over(str(path)) is None
    assert found is None or found.dialect == "mmengine"  # the one that says what is missing
    done = invoke("check", tmp_path)
    assert done.returncode == 2
    assert "there is no config to check, only 1 file" in done.stderr
    assert len(OTHERS) >= 30


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda one: one.name)
def test_no_file_of_ours_is_foreign(path: Path) -> None:
    if path.suffix in {".py", ".yaml", ".toml", ".json"}:
        assert passed_over(str(path)) is None
        config = load_config(path) if path.name not in {"train.py", "models.py"} else None
        assert config is None or passed_over(config) is None
