"""A process for code that a file names: what comes back, and what becomes of one that fails."""

from __future__ import annotations

import builtins
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from optplan.checks.results import CheckedConfig, FileKind
from optplan.errors import Problem
from optplan.places import Place, Source
from optplan.runtime.audit import lifted
from optplan.runtime.isolation import Bounds, IsolatedError, isolated
from optplan.runtime.plain_data import plain_loads

PLAIN = [
    None,
    "text",
    [1, 2.5, float("inf"), True],
    {"a": (1, frozenset({2}))},
    CheckedConfig(config="a.py", tool_config=0, kind=FileKind.CONFIG),
    (Problem(message="m", place=Place(Source(name="a"), 1, 2)),),
]


@pytest.mark.parametrize("value", PLAIN, ids=map(repr, range(len(PLAIN))))
def test_plain_data_comes_back(value: object) -> None:
    found = plain_loads(pickle.dumps(value))
    # sources are told apart by their identity
    assert found == value or str(found) == str(value)


class Hostile:
    """What a pickle can have called."""

    def __init__(self, call: object, *arguments: object) -> None:
        self._reduced = (call, arguments)

    def __reduce__(self) -> object:  # type: ignore[override]
        return self._reduced


FOREIGN = {
    "a call": Hostile(os.getcwd),
    "a built-in": Hostile(builtins.eval, "1"),
    "an attribute": Hostile(getattr, "", "join"),
    "a class": Path("x"),
    "an ordered dict": OrderedDict(a=1),
    "a function of ours": Hostile(plain_loads, b""),
    "what ours imports": Hostile(pickle.loads, b""),
    "a partial": partial(print),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_all_else_is_refused(name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no plain data"):
        plain_loads(pickle.dumps(FOREIGN[name]))


def test_bytes_that_are_no_pickle() -> None:
    for data in (b"", b"x", pickle.dumps([1] * 100)[:-3]):
        with pytest.raises(pickle.UnpicklingError, match="no plain data"):
            plain_loads(data)


def echo(connection: Connection) -> None:
    """Answer with what a question comes to."""
    while True:
        with lifted():
            question = connection.recv()
        answer = question()
        with lifted():
            connection.send_bytes(pickle.dumps(answer))


def print_for_ever(number: int) -> None:
    """Fill a descriptor."""
    while True:
        os.write(number, b"x" * 1000)


def print_and_close(text: bytes) -> str:
    """Print, and close what is printed to."""
    os.write(2, text)
    os.close(1)
    os.close(2)
    time.sleep(0.5)
    return "done"


def test_what_is_printed_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with isolated(echo, Bounds()) as process:
        for text in (b"first\n", b"second\n"):
            process.send(partial(os.write, 2, text))
            process.answer()
        process.send(partial(print_and_close, b"x" * 999_999))
        assert process.answer() == "done"
        process.send(os.getpid)
        assert process.answer()
    captured = capfd.readouterr()
    assert captured == ("", "first\nsecond\n" + "x" * 999_999)


SHORT = Bounds(seconds=3, memory=300 << 20)


def test_questions_and_answers() -> None:
    with isolated(echo, Bounds()) as process:
        for question in (os.getpid, partial(pow, 2, 5)):
            process.send(question)
        assert process.answer() != os.getpid()
        assert process.answer() == 32


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (partial(time.sleep, 60), "took more than 3 seconds"),
        (partial(pow, 3, 10**9), "took more than 3 seconds"),
        (partial(bytearray, 2 << 30), "took more than 0.293 GiB of memory"),
        (partial(os._exit, 0), r"ended its process \(status 0\)"),
        (partial(os.abort), r"ended its process \(status -6\)"),
        (partial(Path, "x"), "answered with what is no plain data"),
        (partial(print_for_ever, 2), "printed more than 1,000,000 bytes"),
        (partial(print_for_ever, 1), "printed more than 1,000,000 bytes"),
    ],
    ids=[
        *("sleep", "one long operation", "memory", "exit", "abort", "an object"),
        *("messages", "messages on stdout"),
    ],
)
def test_one_that_fails(question: object, message: str) -> None:
    began = time.monotonic()
    with isolated(echo, SHORT) as process:
        process.send(question)
        with pytest.raises(IsolatedError, match=message):
            process.answer()
    assert time.monotonic() - began < 30


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with isolated(echo, Bounds()) as process:
        process.send(os.getpid)
        pid = process.answer()
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def loop_stubbornly() -> None:
    """Ignore what asks a process to end, and never return."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


_PARENT = """\
import os
from optplan.runtime.interrupts import EndingAtInterrupt
from optplan.runtime.isolation import Bounds, isolated
from tests.runtime.test_isolation import echo, loop_stubbornly
if __name__ == "__main__":
    with EndingAtInterrupt(), isolated(echo, Bounds()) as process:
        process.send(os.getpid)
        pid = process.answer()
        process.send(loop_stubbornly)
        print(pid, flush=True)
        process.answer()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a child")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_process_that_started_it(number: signal.Signals, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.send_signal(number)
    assert parent.wait(10) == {signal.SIGINT: 130}.get(number, -number)
    if number != signal.SIGKILL:  # which no process can answer
        assert list(tmp_path.iterdir()) == []
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    ended = not is_running(pid)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    assert ended


def is_running(pid: int) -> bool:
    """Return whether a process runs, and does not merely wait for somebody to take note of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_bounds_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Bounds.from_environment() == Bounds(seconds=120, memory=8 * 1024**3)
    monkeypatch.setenv("OPTPLAN_ISOLATED_SECONDS", "7.5")
    monkeypatch.setenv("OPTPLAN_ISOLATED_MEMORY", "1000")
    assert Bounds.from_environment() == Bounds(seconds=7.5, memory=1000)
