"""``check --fix`` and ``--diff``: what is certain is mended in the user's own files, and nothing else changes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optplan.checks.facts.certain_fixes import certain_name
from optplan.cli.check import write_fixes
from optplan.config.edits import FixedFile, Fixes
from optplan.errors import OutputError
from tests.conftest import Invoke, Result, Run
from tests.sarif import validate_sarif

Write = Callable[..., Path]
Fix = Callable[..., Result]
SECTION = (
    "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1), paramwise_cfg={})\n"
)
BAD = SECTION.format("dict(norm_decay_mul=0., bias_lr_mult=2.)")
GOOD = SECTION.format("dict(norm_decay_mult=0., bias_lr_mult=2.)")


@pytest.fixture
def fix(invoke: Invoke, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Fix:
    """The command, with what it logs, which in this process does not go to stderr."""

    def call(*words: str | Path, how: str = "--fix", folder: Path = tmp_path) -> Result:
        caplog.clear()
        done = invoke("check", how, *words, cwd=folder)
        logged = "".join(f"optplan: {message}\n" for message in caplog.messages)
        return Result(done.returncode, done.stdout, done.stderr + logged)

    return call


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("norm_decay_mul", ["norm_decay_mult", "flat_decay_mult"], "norm_decay_mult"),
        ("mormdecay_mult", ["norm_decay_mult", "flat_decay_mult"], "norm_decay_mult"),
        ("lr_mutl", ["lr_mult", "decay_mult", "lr"], "lr_mult"),
        ("lr_mul", ["bias_lr_mult", "norm_decay_mult"], None),  # close to none
        ("laier2", ["layer1", "layer2", "layer3"], "layer2"),
        ("layer5", ["layer1", "layer2", "layer3"], None),  # another number is no slip
        ("beta", ["betas", "eta"], None),  # either
        ("bn", ["bn1", "ln"], None),  # too short
        ("heed", ["head", "feed"], None),
    ],
)
def test_certain_names(word: str, known: list[str], meant: str | None) -> None:
    assert certain_name(word, known) == meant


def test_a_misspelt_option(fix: Fix, write: Write, tmp_path: Path) -> None:
    path = write("a.py", BAD)
    path.chmod(0o640)
    done = fix("a.py")
    assert (done.returncode, done.stderr) == (0, "optplan: changed 1 entry in 1 file\n")
    assert done.stdout.startswith("no findings in 1 config\n")
    assert path.read_text() == GOOD
    assert path.stat().st_mode & 0o777 == 0o640
    again = fix("a.py")
    assert (again.returncode, again.stderr) == (0, "")
    assert path.read_text() == GOOD
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_diff_writes_nothing_and_applies(fix: Fix, write: Write, tmp_path: Path) -> None:
    texts = {
        "a.py": BAD.replace("\n", "\r\n"),
        "b/c.py": BAD.rstrip("\n"),
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    done = fix(".", how="--diff")
    assert (done.returncode, done.stderr) == (1, "optplan: would change 2 entries in 2 files\n")
    assert {name: (tmp_path / name).read_bytes().decode() for name in texts} == texts
    patch = tmp_path / "a.patch"
    patch.write_bytes(done.stdout.encode())
    subprocess.run(["git", "apply", "-p1", patch.name], cwd=tmp_path, check=True)
    assert (tmp_path / "a.py").read_bytes() == GOOD.replace("\n", "\r\n").encode()
    assert (tmp_path / "b/c.py").read_bytes() == GOOD.rstrip("\n").encode()
    done = fix(".", how="--diff")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MENDED = [
    (
        "synonym.py",
        SECTION.format("dict(custom_keys={'theta': dict(wd_mult=0.)})"),
        SECTION.format("dict(custom_keys={'theta': dict(decay_mult=0.)})"),
    ),
    (
        "unread.py",
        SECTION.format("dict(layer_decay_rate=0.75, bias_lr_mult=2.)"),
        SECTION.format("dict(bias_lr_mult=2.)"),
    ),
    (
        "argument.json",
        '{"optimizer": {"type": "SGD", "lr": 0.1,\t"momentun": 0.9}}',
        '{"optimizer": {"type": "SGD", "lr": 0.1,\t"momentum": 0.9}}',
    ),
    (
        "nothing_to_delete.yaml",
        "optimizer: # o\n  type: SGD\n  lr: 0.1\n  paramwise_cfg: {_delete: true, bias_lr_mult: 2}\n",
        "optimizer: # o\n  type: SGD\n  lr: 0.1\n  paramwise_cfg: {_delete_: true, bias_lr_mult: 2}\n",
    ),
    (
        "argument.toml",
        "[optimizer]\ntype = 'SGD' # s\nlr=0.1\nmomemtum = 0.9\n",
        "[optimizer]\ntype = 'SGD' # s\nlr=0.1\nmomentum = 0.9\n",
    ),
    (
        "args.yaml",
        "opt: sgd\nlr: 0.1\nwieght_decay: 0.1 # w\nepochs: 10\nsched: cosine\n",
        "opt: sgd\nlr: 0.1\nweight_decay: 0.1 # w\nepochs: 10\nsched: cosine\n",
    ),
    (
        "argument_of_scheduler.py",
        "optimizer = dict(type='SGD', lr=0.1)\nparam_scheduler = [\n"
        "    dict(type='MultiStepLR', millestones=[8]),  # m\n]\n",
        "optimizer = dict(type='SGD', lr=0.1)\nparam_scheduler = [\n"
        "    dict(type='MultiStepLR', milestones=[8]),  # m\n]\n",
    ),
    (
        "policy.py",
        "optimizer = dict(type='SGD', lr=0.1)\nlr_config = dict(policy='step', step=[8], gama=0.2)\n"
        "total_epochs = 12\n",
        "optimizer = dict(type='SGD', lr=0.1)\nlr_config = dict(policy='step', step=[8], gamma=0.2)\n"
        "total_epochs = 12\n",
    ),
    (
        "section.yaml",
        "optimizer: {type: SGD, lr: 0.1}\nparam_schedulers:\n- {type: ExponentialLR, gamma: 0.9}\n",
        "optimizer: {type: SGD, lr: 0.1}\nparam_scheduler:\n- {type: ExponentialLR, gamma: 0.9}\n",
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), MENDED)
def test_what_is_mended(name: str, text: str, expected: str, fix: Fix, write: Write) -> None:
    path = write(name, text)
    assert fix(name).returncode == 0
    assert path.read_text() == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # the plan would be refused: there is no weight decay to multiply
        (BAD.replace(", weight_decay=0.1", ""), "a.py could not be planned with it (OPT001)"),
        (
            BAD.replace("bias_lr_mult", "norm_decay_mult"),
            "'norm_decay_mult' stands beside it",
        ),
        (SECTION.format("dict(foo=1)"), "it is the only entry there"),
        (
            "name = 'norm_decay_mul'\n"
            + BAD.replace("dict(norm_decay_mul=0., ", "dict({name: 0.}, "),
            "'norm_decay_mul' is not written there",
        ),
        # the value is used elsewhere under the old name
        (
            "p = dict(norm_decay_mul=0., bias_lr_mult=2.)\nq = p['norm_decay_mul']\n"
            + SECTION.format("p"),
            "a.py could not be read with it",
        ),
        (
            "p = dict(norm_decay_mul=0., bias_lr_mult=2.)\nq = len([k for k in p if k[-1] == 'l'])\n"
            + SECTION.format("p"),
            "a.py would change in more than that",
        ),
    ],
)
def test_what_does_not_hold_is_left_and_said(
    text: str, reason: str, fix: Fix, write: Write
) -> None:
    path = write("a.py", text)
    done = fix("a.py")
    assert done.returncode == 1
    assert "left as it is: a.py:" in done.stderr
    assert reason in done.stderr
    assert path.read_text() == text
    assert "may be mended" not in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        "dict(lr_mul=0.1, bias_lr_mult=2.)",  # like no option in particular
        "dict(bias_decay_mlut=0., bias_decay_mutt=1.)",
        "dict(custom_keys={'theta': dict(foo=1, lr_mult=1.)})",  # something else may read it
        "dict(bias_lr_mult=2., keys=dict(theta=dict(lr_mult=1.)))",  # much was written there
    ],
)
def test_what_is_no_certain_mistake_is_not_touched(options: str, fix: Fix, write: Write) -> None:
    path = write("a.py", SECTION.format(options))
    fix("a.py")
    if "mlut" in options:
        assert path.read_text().count("bias_decay_mult") == 1
    else:
        assert path.read_text() == SECTION.format(options)


def test_one_that_does_not_hold_keeps_no_other_back(fix: Fix, write: Write) -> None:
    text = "optimizer = dict(type='SGD', lr=0.1, momentun=.9, paramwise_cfg=dict(norm_decay_mul=0, {}))\n"
    path = write("a.py", text.format("bias_lr_mul=2"))
    done = fix("a.py")
    expected = text.replace("momentun", "momentum").format("bias_lr_mult=2")
    assert path.read_text() == expected
    assert "changed 2 entries in 1 file" in done.stderr
    assert "left as it is: a.py:1:" in done.stderr


def test_delete_where_another_optimizer_inherits_arguments(fix: Fix, write: Write) -> None:
    base = write("base.py", "optimizer = dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True)\n")
    before = base.read_text()
    path = write("a.py", "_base_ = 'base.py'\noptimizer = dict(\n    type='AdamW',\n    lr=1e-3)\n")
    assert fix("a.py").returncode == 0
    assert path.read_text() == (
        "_base_ = 'base.py'\noptimizer = dict(\n    _delete_=True,\n    type='AdamW',\n    lr=1e-3)\n"
    )
    assert base.read_text() == before


def test_a_base_is_changed_where_all_that_read_it_are_looked_at(fix: Fix, write: Write) -> None:
    base = write("_base_/b.py", BAD)
    write("a.py", "_base_ = '_base_/b.py'\n")
    done = fix("a.py")
    assert (
        "_base_/b.py:1:95: 'norm_decay_mul' to 'norm_decay_mult': other configs may" in done.stderr
    )
    assert base.read_text() == BAD
    assert fix(".").returncode == 0
    assert base.read_text() == GOOD


def test_a_base_is_left_where_one_that_reads_it_has_use_for_it(fix: Fix, write: Write) -> None:
    text = SECTION.format("dict(layer_decay_rate=0.75, num_layers=12, bias_lr_mult=2)")
    base = write("_base_/b.py", text)
    write("a.py", "_base_ = '_base_/b.py'\n")
    write(
        "c.py",
        "_base_ = '_base_/b.py'\noptim_wrapper = dict(constructor='LearningRateDecayOptimWrapperConstructor')\n",
    )
    done = fix("a.py", "c.py", "_base_")
    assert "c.py read it too, without this finding" in done.stderr
    assert base.read_text() == text


def test_a_removal_must_leave_the_plan_as_it_is(
    fix: Fix, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SECTION.format("dict(foo=1, norm_decay_mult=0.)")
    path = write("a.py", text)
    with monkeypatch.context() as patch:
        patch.setattr("optplan.app.fix._plan", lambda outcome: str(id(outcome)))
        done = fix("a.py", "--model", "resnet18")
    assert "the plan of a.py would be another" in done.stderr
    assert path.read_text() == text
    assert fix(path, "--model", "resnet18").returncode == 0
    assert path.read_text() == SECTION.format("dict(norm_decay_mult=0.)")


def test_a_misspelt_key_with_a_model(fix: Fix, write: Write) -> None:
    text = SECTION.format("dict(custom_keys={{'{}': dict(lr_mult=0.1)}})")
    path = write("a.py", text.format("laier2."))
    assert fix("a.py").returncode == 0
    assert path.read_text() == text.format("laier2.")  # nothing is known of it without a model
    assert fix("a.py", "--model", "resnet18").returncode == 0
    assert path.read_text() == text.format("layer2.")


def test_nothing_outside_the_project(fix: Fix, write: Write, tmp_path: Path) -> None:
    outside = write("elsewhere/a.py", BAD)
    package = write("here/env/lib/site-packages/a.py", BAD)
    (tmp_path / "here/link.py").symlink_to(outside)
    done = fix("link.py", outside, package, folder=tmp_path / "here")
    assert done.returncode == 1
    assert outside.read_text() == package.read_text() == BAD
    assert done.stderr.count("it is outside of the project") == 2
    assert done.stderr.count("it belongs to an installed package") == 1


def test_a_link_inside_the_project_is_followed(fix: Fix, write: Write, tmp_path: Path) -> None:
    target = write("b/a.py", BAD)
    (tmp_path / "link.py").symlink_to("b/a.py")
    assert fix(".").returncode == 0
    assert target.read_text() == GOOD
    assert (tmp_path / "link.py").is_symlink()


def test_revisions_are_not_written(fix: Fix, write: Write, tmp_path: Path) -> None:
    path = write("a.py", BAD)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "a.py"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    done = fix("HEAD:a.py")
    assert "it is a git revision" in done.stderr
    assert path.read_text() == BAD


def test_stdin_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("check", "-", "--fix", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: '-' is read from stdin: there is no file to mend\n")


def test_what_is_suppressed_or_known_stays(
    fix: Fix, write: Write, invoke: Invoke, tmp_path: Path
) -> None:
    text = BAD.replace("\n", "  # optplan: ignore[OPT101]\n")
    path, known = write("a.py", text), write("b.py", BAD)
    invoke("check", "b.py", "--baseline", "known.json", "--write-baseline", cwd=tmp_path)
    assert fix("a.py", "b.py", "--baseline", "known.json").returncode == 0
    assert (path.read_text(), known.read_text()) == (text, BAD)


def test_worker_processes_are_asked_again(run: Run, write: Write, tmp_path: Path) -> None:
    paths = [write(f"c{number}.py", BAD) for number in range(40)]
    done = run("check", ".", "--fix", "--jobs", "2", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "optplan: changed 40 entries in 40 files\n")
    assert {path.read_text() for path in paths} == {GOOD}


def test_reports_tell_what_may_be_mended(invoke: Invoke, write: Write, tmp_path: Path) -> None:
    write("a.py", BAD)
    assert (
        "1 finding may be mended by --fix: --diff shows how\n"
        in invoke("check", "a.py", cwd=tmp_path).stdout
    )
    data = json.loads(invoke("check", "a.py", "--format", "json", cwd=tmp_path).stdout)
    assert data["findings"][0]["fix"] == {
        "kind": "rename",
        "file": "a.py",
        "line": 1,
        "column": 95,
        "entry": "norm_decay_mul",
        "new_name": "norm_decay_mult",
    }


NON_ASCII = "# é\r\n" + BAD.replace("dict(norm", "{'𝄞': 1} and dict(norm").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("name", "text"), [*(case[:2] for case in MENDED), ("signs.py", NON_ASCII)]
)
def test_reports_carry_what_the_fix_would_write(
    name: str, text: str, fix: Fix, invoke: Invoke, write: Write, tmp_path: Path
) -> None:
    """Each change of a report, made alone from the last to the first, comes to what ``--fix`` writes."""
    path = tmp_path / name
    path.write_bytes(text.encode())
    log = json.loads(invoke("check", name, "--format", "sarif", cwd=tmp_path).stdout)
    validate_sarif(log)
    found = [one for result in log["runs"][0]["results"] for one in result.get("fixes", ())]
    regions = [one["artifactChanges"][0]["replacements"][0] for one in found]
    data = json.loads(invoke("check", name, "--format", "rdjson", cwd=tmp_path).stdout)
    given = [one for found in data["diagnostics"] for one in found.get("suggestions", ())]
    assert found
    assert len(given) == len(found)
    assert path.read_bytes() == text.encode()
    fix(name)
    assert _replaced(text, regions) == path.read_bytes().decode()
    assert _replaced_bytes(text.encode(), given) == path.read_bytes()


def _replaced(text: str, replacements: list[dict[str, Any]]) -> str:
    lines = [0, *(found.end() for found in re.finditer(r"\r\n|\n", text))]
    spans = sorted(
        (
            lines[r["startLine"] - 1] + r["startColumn"] - 1,
            lines[r["endLine"] - 1] + r["endColumn"] - 1,
            one.get("insertedContent", {}).get("text", ""),
        )
        for one in replacements
        for r in [one["deletedRegion"]]
    )
    for start, end, new in reversed(spans):
        text = text[:start] + new + text[end:]
    return text


def _replaced_bytes(text: bytes, suggestions: list[dict[str, Any]]) -> bytes:
    lines = [0, *(found.end() for found in re.finditer(rb"\r\n|\n", text))]
    spans = sorted(
        (
            *(lines[at["line"] - 1] + at["column"] - 1 for at in (r["start"], r["end"])),
            one["text"].encode(),
        )
        for one in suggestions
        for r in [one["range"]]
    )
    for start, end, new in reversed(spans):
        text = text[:start] + new + text[end:]
    return text


def test_reports_carry_no_change_that_does_not_hold(
    invoke: Invoke, write: Write, tmp_path: Path
) -> None:
    write("a.py", BAD.replace(", weight_decay=0.1", ""))
    log = json.loads(invoke("check", "a.py", "--format", "sarif", cwd=tmp_path).stdout)
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["OPT101"]
    assert "fixes" not in log["runs"][0]["results"][0]


@pytest.mark.parametrize("words", [("--format", "json"), ("--statistics",), ("--write-baseline",)])
def test_a_diff_is_no_other_report(
    words: tuple[str, ...], fix: Fix, write: Write, tmp_path: Path
) -> None:
    write("a.py", BAD)
    done = fix("a.py", *words, how="--diff")
    assert done.returncode == 2
    assert "--diff" in done.stderr


def test_a_file_that_has_changed_meanwhile_is_left(write: Write) -> None:
    path = write("a.py", "of somebody else\n")
    file = FixedFile(path=str(path), before=BAD, after=GOOD, fixes=())
    with pytest.raises(OutputError, match="has changed since it was read"):
        write_fixes(Fixes(files=(file,)))
    assert path.read_text() == "of somebody else\n"
