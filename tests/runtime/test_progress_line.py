"""The line on a terminal that says what takes long."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace

import pytest

from optplan.runtime import progress_line
from optplan.runtime.progress_line import clear_progress, say_progress, show_progress, working


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(progress_line, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setattr(progress_line._State, "said_at", 0.0)
    monkeypatch.setattr(progress_line._State, "shows", True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    return made


def test_each_text_covers_the_last_and_the_line_is_emptied(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_progress("a long text")
    say_progress("too soon")
    monkeypatch.setattr(progress_line._State, "said_at", 0.0)
    say_progress("short")
    clear_progress()
    clear_progress()
    first, second = "optplan: a long text …", "optplan: short …"
    emptied = f"\r{' ' * len(second)}\r"
    assert terminal.getvalue() == f"\r{first}\r{second.ljust(len(first))}{emptied}"


def test_work_is_shown_once_it_takes_long(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working("quick"):
        pass
    assert terminal.getvalue() == ""
    monkeypatch.setattr(progress_line, "_SECONDS", 0.0)
    with working("slow"):
        end = time.monotonic() + 10
        while not terminal.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    assert terminal.getvalue() == f"\roptplan: slow …\r{' ' * 15}\r"


@pytest.mark.parametrize("said", [{"TERM": "dumb"}, {"CI": "true"}])
def test_nothing_is_shown_where_nobody_reads_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, said: dict[str, str]
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    say_progress("text")
    assert terminal.getvalue() == ""
    show_progress(shows=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    say_progress("text")
    assert terminal.getvalue() == ""
