"""``--set``, ``--trust`` and ``REV:path``, and what CI systems read of this repository."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.checks.conftest import Check, config
from tests.checks.test_settings import codes
from tests.conftest import ROOT

Write = Callable[..., Path]


def test_set(write: Write, check: Check) -> None:
    write("a.py", config("good"))
    write("b.py", config("good"))
    done = check("a.py", "b.py", "--set", "optimizer.lr=-1")
    head, *lines = done.stdout.splitlines()
    assert head == "--set optimizer.lr=-1: OPT004 lr must not be negative, got -1"
    assert "  affects 2 configs: a.py, b.py" in lines
    done = check("a.py", "b.py", "--set", "optimizer.nothing.bad=1")
    assert codes(done.stdout) == ["--set optimizer.nothing.bad=1 OPT004"]


def test_trust_executes_no_script_of_a_folder(write: Write, check: Check, tmp_path: Path) -> None:
    write("repo/script.py", "import pathlib\npathlib.Path('executed').touch()\nx = open('a')\n")
    write("repo/a.py", f"import random\nrandom.seed(1)\n{config('bad')}")
    assert codes(check("repo").stdout) == ["repo/a.py OPT004"]
    assert codes(check("repo", "--trust").stdout) == ["repo/a.py OPT107"]
    assert not (tmp_path / "executed").exists()


def test_a_revision(write: Write, check: Check, tmp_path: Path) -> None:
    write("configs/base.py", config("bad"))
    write("configs/a.py", "_base_ = 'base.py'\n")
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    write("configs/base.py", config("good"))
    done = check("configs/a.py", "HEAD:configs/a.py")
    assert done.stdout.splitlines()[0] == "HEAD:/configs/base.py:3:5: OPT107 key 'bad' is bad"
    assert "  affects 1 config: HEAD:/configs/a.py\n" in done.stdout
    assert codes(check("HEAD:configs/none.py", "configs/a.py").stdout) == [
        "HEAD OPT004",
    ]


def test_pre_commit_hook() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert (hook["id"], hook["entry"], hook["language"]) == (
        "optplan-check",
        "optplan check",
        "python",
    )
    assert hook["pass_filenames"] is False


def test_action(write: Write, tmp_path: Path) -> None:
    """Its last step, run as GitHub runs it, with a command that says what it was given."""
    action = yaml.safe_load((ROOT / ".github/actions/optplan/action.yml").read_text("utf-8"))
    *_, last = action["runs"]["steps"]
    command = write("bin/optplan", '#!/bin/sh\nprintf "<%s>" "$@"\necho\n')
    command.chmod(0o755)
    inputs = {
        "CONFIGS": "a.py\nb/*.py",
        "MODEL": "m.py:Net $(id)",
        "ARGS": "-k x=1",
        "SARIF": "s.json",
    }
    assert last["env"].keys() == inputs.keys()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", last["run"]],
        env={
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            **inputs,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    given = "<check><a.py><b/*.py><-k><x=1><--model><m.py:Net $(id)>"
    assert done.stdout == (
        f"{given}<--format><sarif><--output><s.json><--exit-zero>\n{given}<--format><github>\n"
    )
    assert (tmp_path / "summary.md").read_text() == f"{given}<--format><md><--exit-zero>\n"
