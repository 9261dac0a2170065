"""Where reports go: a file, stdout, a pager on a terminal, or the process that asked for them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

# What asks rich for colours where there is no terminal.
_FORCING = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a report is shown: its width and lines, None where it is no terminal, and whether it takes colours."""

    width: int | None
    has_color: bool
    lines: int | None = None

    @classmethod
    def current(cls) -> Terminal:
        """Return what stdout leads to."""
        return cls.of(sys.stdout)

    @classmethod
    def of(cls, stream: Any) -> Terminal:
        """Return what a stream leads to: rich knows terminals, NO_COLOR, FORCE_COLOR, and the consoles of Windows."""
        is_terminal = stream is not None and stream.isatty()
        if not is_terminal and not _FORCING & os.environ.keys():
            return cls(width=None, has_color=False)
        from shutil import get_terminal_size

        from rich.console import Console

        console = Console(file=stream)
        # rich takes a dumb terminal for 80 columns wide, whatever COLUMNS says
        size = get_terminal_size()
        columns = size.columns if console.is_dumb_terminal else console.width
        has_color = console.color_system is not None and not console.no_color
        return cls(
            width=columns if is_terminal else None,
            has_color=has_color and not console.legacy_windows,
            lines=size.lines if is_terminal else None,
        )


class Color(StrEnum):
    """When to write colours: ``auto`` means on a terminal, unless NO_COLOR is set."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Delivered(NamedTuple):
    """A report: its text, the file that it is for, None for stdout, and whether a pager may show it."""

    text: str
    path: str | None
    pages: bool


@dataclass(slots=True, kw_only=True)
class Relay:
    """Keeps reports for the process that asked for them, which writes them.

    Attributes:
        terminal: Where they are shown.
        reports: The reports.
    """

    terminal: Terminal
    reports: list[Delivered] = field(default_factory=list)


_RELAY: ContextVar[Relay | None] = ContextVar("relay", default=None)


@contextlib.contextmanager
def relayed(relay: Relay) -> Iterator[None]:
    """Keep reports meanwhile, in the place of writing them."""
    token = _RELAY.set(relay)
    try:
        yield
    finally:
        _RELAY.reset(token)


def close_quietly() -> None:
    """Keep Python from writing to the closed pipe again when it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shown_on() -> Terminal:
    """Return the terminal that reports are shown on, if it is one."""
    relay = _RELAY.get()
    return relay.terminal if relay is not None else Terminal.current()


def deliver(
    report: str | Callable[..., str],
    output: Path | None,
    color: Color,
    *,
    pages: bool = False,
) -> None:
    """Make a report for where it goes, and put it there.

    Args:
        report: Its text, or what makes it of ``width`` (None: cut nothing) and ``color``, whether to colour it.
        output: A file, written only when the report is complete; None for stdout.
        color: When to colour.
        pages: Whether a pager may show what is longer than the screen.

    Raises:
        OutputError: The file cannot be written.
    """
    from optplan.runtime.gc_control import gc_paused

    relay, terminal = _RELAY.get(), shown_on()
    width = terminal.width if output is None else None
    has_color = color is Color.ALWAYS
    if output is None and color is Color.AUTO:
        has_color = terminal.has_color
    with gc_paused():
        text = report if isinstance(report, str) else report(width=width, color=has_color)
    made = Delivered(text, None if output is None else str(output), pages)
    if relay is not None:
        relay.reports.append(made)
    else:
        write_report(made)


def write_report(made: Delivered) -> None:
    """Write a report to a file, as a whole or not at all, or to stdout.

    Raises:
        OutputError: It cannot be written.
    """
    from optplan.errors import OutputError

    if made.path is not None:
        from optplan.runtime.whole_files import write_whole

        write_whole(Path(made.path), made.text)
        return
    if made.pages and is_paged(made.text, shown_on().lines):
        return
    if sys.stdout is None:
        raise OutputError("cannot write the report: stdout is closed")
    _print(made.text)


def _print(text: str) -> None:
    from optplan.cli.pipes import PLAIN
    from optplan.errors import OutputError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=PLAIN)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        close_quietly()
        raise OutputError(f"cannot write the report: {error.strerror or error}") from error


# As git sets them for less and lv, where they are not set: quit if it fits, colours as they are, leave the screen.
_SETTINGS = {"LESS": "FRX", "LV": "-c"}


def is_paged(text: str, lines: int | None) -> bool:
    """Show a text in a pager, where it is longer than the screen.

    The pager is that of OPTPLAN_PAGER or PAGER, else less; ``cat`` or nothing is none. A pipe, a file, CI and
    a dumb terminal have none.

    Args:
        text: The text.
        lines: The lines of the screen; None where there is none.

    Returns:
        Whether a pager has shown it.
    """
    if lines is None or text.count("\n") < lines or not _may_page():
        return False
    command = os.environ.get("OPTPLAN_PAGER", os.environ.get("PAGER", "less")).strip()
    if command in ("", "cat"):
        return False
    return _shown_by(command, text)


def _may_page() -> bool:
    return os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("CI")


def _shown_by(command: str, text: str) -> bool:
    """Run a pager; the user may leave it before it has read all."""
    import shlex
    import shutil
    import signal
    import subprocess

    try:
        words = shlex.split(command)
    except ValueError:
        return False
    if not words or shutil.which(words[0]) is None:
        return False
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env=_SETTINGS | dict(os.environ))
    except OSError:
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's
    try:
        with pager:
            pager.communicate(text.encode("utf-8", "backslashreplace"))
    finally:
        signal.signal(signal.SIGINT, before)
    return True
