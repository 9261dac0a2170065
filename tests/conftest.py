"""Fixtures for all tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from optplan.cli import main

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_configs"

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Invoke:
    """Run the command in this process, which has torch imported already; code that a config names, too."""
    monkeypatch.setattr("optplan.runtime.where.run_named_code", lambda where: None)

    def call(*arguments: str | Path, cwd: Path = ROOT) -> Result:
        monkeypatch.setattr(sys, "argv", ["optplan", *map(str, arguments)])
        monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as exit_of:
            main()
        said = capsys.readouterr()
        return Result(int(exit_of.value.code or 0), said.out, said.err)

    return call


@pytest.fixture(scope="session")
def run() -> Run:
    """Run the installed command, as ``run("show", "a.py", cwd=tmp_path)``; never through a terminal."""
    command = Path(sys.executable).with_name("optplan")
    if not command.exists():
        pytest.fail("optplan is not installed here: pip install -e '.[test]'")

    def call(
        *arguments: str | Path, cwd: Path = ROOT, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "COLUMNS": "100", **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return call


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the tests' own, which all commands that they run share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPTPLAN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell has its background jobs ignore interrupts, and so would the commands that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-goldens`` writes expected reports anew."""
    parser.addoption(
        "--update-goldens", action="store_true", help="write the expected reports anew"
    )


Tell = Callable[[str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Have a figure printed below the results, whichever process it was found in."""
    return lambda text: record_property("told", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests told."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, text in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(text))
