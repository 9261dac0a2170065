"""``check --watch`` reports again after each change, in the same process, until Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.conftest import Run

GOOD = "optimizer = dict(type='SGD', lr=0.1)\n"
BAD = "optimizer = dict(type='SGD', lr=0.1, momentun=0.9)\n"
MODEL = (
    "from torch import nn\nclass Net(nn.Module):\n"
    "    def __init__(self):\n        super().__init__()\n        self.{} = nn.Linear(2, 2)\n"
)


class Watched:
    """A command that runs: its reports, and the lines that end them on stderr."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def report(self) -> str:
        """The next report, and what is said of it."""
        error = self.process.stderr
        assert error is not None
        said: list[str] = []
        while not (line := error.readline()).startswith("optplan: checked in"):
            assert line, "".join(said)
            said.append(line)
        assert "waiting for a change of" in line
        return "".join(said)


@contextmanager
def watching(*words: str, cwd: Path, stdout: int | IO[str]) -> Iterator[Watched]:
    command = Path(sys.executable).with_name("optplan")
    with subprocess.Popen(
        [command, "check", "--watch", "--color", "never", *words],
        cwd=cwd,
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    ) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


@pytest.fixture
def reports(tmp_path: Path) -> Callable[[], list[str]]:
    """The lines with the summaries of all reports so far."""
    path = tmp_path / "reports.txt"
    return lambda: [
        line for line in path.read_text().splitlines() if " in 1 " in line or " of " in line
    ]


def test_changes_new_files_and_an_interrupt(
    tmp_path: Path, reports: Callable[[], list[str]]
) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "base.py").write_text(GOOD)
    (folder / "a.py").write_text("_base_ = 'base.py'\n")
    with (
        (tmp_path / "reports.txt").open("w") as file,
        watching("a.py", cwd=folder, stdout=file) as watched,
    ):
        watched.report()
        assert reports() == ["no findings in 1 config"]
        (folder / "base.py").write_text(BAD)  # a file that only the config names
        watched.report()
        assert reports()[1:] == ["1 error in 1 of 1 config"]
        (folder / "pyproject.toml").write_text("[tool.optplan\n")
        (folder / "base.py").write_text(GOOD)
        assert "pyproject.toml" in watched.report()  # what is wrong is told, and it goes on
        assert len(reports()) == 2
        (folder / "pyproject.toml").unlink()
        (folder / "a.py").write_text("_base_ = 'base.py'\n\n")
        watched.report()
        assert reports()[2:] == ["no findings in 1 config"]
        watched.process.send_signal(signal.SIGINT)
        assert watched.process.wait(20) == 130


def test_new_files_of_a_folder(tmp_path: Path, reports: Callable[[], list[str]]) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "a.py").write_text(GOOD)
    with (
        (tmp_path / "reports.txt").open("w") as file,
        watching(".", cwd=folder, stdout=file) as watched,
    ):
        watched.report()
        (folder / "b.py").write_text(BAD)
        watched.report()
        (folder / "b.py").unlink()
        watched.report()
        assert reports() == [
            "no findings in 1 config",
            "1 error in 1 of 2 configs",
            "no findings in 1 config",
        ]


def test_a_model_that_was_imported_is_imported_anew(
    tmp_path: Path, reports: Callable[[], list[str]]
) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1, paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=2)}))\n"
    )
    (folder / "m.py").write_text(MODEL.format("head"))
    with (
        (tmp_path / "reports.txt").open("w") as file,
        watching("a.py", "--model", "m.py:Net", "--no-cache", cwd=folder, stdout=file) as watched,
    ):
        watched.report()
        (folder / "m.py").write_text(MODEL.format("other"))
        watched.report()
        assert reports() == ["no findings in 1 config", "1 error in 1 of 1 config"]


def test_a_terminal_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    ours, theirs = pty.openpty()
    with watching("a.py", cwd=tmp_path, stdout=theirs) as watched:
        watched.report()
        shown = os.read(ours, 4096).decode()
    os.close(ours)
    os.close(theirs)
    assert shown.startswith("\x1b[2J\x1b[3J\x1b[H")
    assert "no findings in 1 config" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.py", "--fix"], "--watch only looks"),
        (["-"], "'-' is read from stdin once"),
        (["none.py"], "none.py: there is no such file"),
    ],
)
def test_what_cannot_be_watched(words: list[str], message: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    done = run("check", "--watch", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
