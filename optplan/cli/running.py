"""Run any command: statuses, messages, and where the report goes."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from optplan.app.request import DialectName
    from optplan.errors import OptplanError, Problem
    from optplan.runtime.where import RefusedError


class ExitStatus(IntEnum):
    """The meaning of optplan's exit status, the same for every command."""

    FINE = 0
    FINDINGS = 1
    COULD_NOT = 2
    BUG = 3
    INTERRUPTED = 130


class Color(StrEnum):
    """When to write colours: ``auto`` means on a terminal, unless NO_COLOR is set."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


# What asks rich for colours where there is no terminal.
_FORCING = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a report is shown: its width, None where nothing is cut, and whether it takes colours."""

    width: int | None
    has_color: bool

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
        columns = get_terminal_size().columns if console.is_dumb_terminal else console.width
        has_color = console.color_system is not None and not console.no_color
        return cls(
            width=columns if is_terminal else None,
            has_color=has_color and not console.legacy_windows,
        )


@dataclass(slots=True, kw_only=True)
class Relay:
    """Keeps reports for the process that asked for them, which writes them.

    Attributes:
        terminal: Where they are shown.
        reports: The texts, each with the file it is for, None for stdout.
    """

    terminal: Terminal
    reports: list[tuple[str, str | None]] = field(default_factory=list)


_RELAY: ContextVar[Relay | None] = ContextVar("relay", default=None)


@contextlib.contextmanager
def relayed(relay: Relay) -> Iterator[None]:
    """Keep reports meanwhile, in the place of writing them."""
    token = _RELAY.set(relay)
    try:
        yield
    finally:
        _RELAY.reset(token)


@contextlib.contextmanager
def running(*, quiet: bool, debug: bool, dialect: DialectName | None = None) -> Iterator[None]:
    """Turn whatever a command raises into its message on stderr and its exit status.

    Args:
        quiet: Write no remarks.
        debug: Write the traceback of an error.
        dialect: The trainer by whose rules configs are read; None where their entries tell.

    Raises:
        IsolationNeededError: The config names code, and this process runs none.
    """
    import logging

    from optplan.errors import OptplanError
    from optplan.runtime.gc_control import resume_gc
    from optplan.runtime.where import IsolationNeededError, RefusedError

    resume_gc()

    logging.basicConfig(stream=sys.stderr, format="optplan: %(message)s", level=logging.WARNING)
    logging.getLogger("optplan").setLevel(logging.ERROR if quiet else logging.WARNING)
    try:
        with _reading_for(dialect):
            yield
    except (typer.Exit, IsolationNeededError):
        raise
    except (OptplanError, RefusedError) as error:
        if debug:
            _print_traceback()
        print_problems(_problems(error))
        raise typer.Exit(ExitStatus.COULD_NOT) from None
    except KeyboardInterrupt:
        # CPython remembers an interrupt that hit a text being executed, as dataclasses do on import,
        # and would end by the signal instead of our status; the next text resets that.
        exec("")
        _complain("interrupted")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - whatever gets here is ours
        if debug:
            _print_traceback()
        _complain(f"a bug in optplan: {type(error).__name__}: {error}")
        _complain("please report it with what --debug prints")
        raise typer.Exit(ExitStatus.BUG) from None


def _reading_for(dialect: DialectName | None) -> contextlib.AbstractContextManager[None]:
    """Read configs by the rules of one trainer meanwhile."""
    if dialect is None:
        return contextlib.nullcontext()
    from optplan.config.recognition import choosing

    return choosing(dialect.value)


def _problems(error: OptplanError | RefusedError) -> Sequence[Problem]:
    from optplan.errors import OptplanError
    from optplan.runtime.audit import refusal

    if isinstance(error, OptplanError):
        return error.problems
    return (refusal("code that the config names", error),)


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Let the readers of stdout and stderr leave, and say where what typer prints cannot be written."""
    from optplan.cli.pipes import unbroken_pipes

    with unbroken_pipes():
        try:
            yield
        except OSError as error:
            _close_quietly()
            _complain(f"error: cannot write the report: {error.strerror or error}")
            raise SystemExit(ExitStatus.COULD_NOT) from None


def print_problems(problems: Sequence[Problem]) -> None:
    """Write each problem to stderr."""
    from optplan.reporters.problem import problem_text

    terminal = Terminal.of(sys.stderr)
    for problem in problems:
        text = problem_text(problem, width=terminal.width, color=terminal.has_color)
        _complain(text.removesuffix("\n"))


def _print_traceback() -> None:
    import traceback

    with contextlib.suppress(OSError):
        traceback.print_exc()


def _complain(text: str) -> None:
    if sys.stderr is None:  # closed before optplan was started
        return
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)  # noqa: T201


def _close_quietly() -> None:
    """Keep Python from writing to the closed pipe again when it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def deliver(make: Callable[[int | None, bool], str], output: Path | None, color: Color) -> None:
    """Make the report for where it goes, and put it there.

    Args:
        make: Makes the text, from the width (None: cut nothing) and whether to colour it.
        output: A file, written only when the report is complete; None for stdout.
        color: When to colour.

    Raises:
        OutputError: The file cannot be written.
    """
    from optplan.runtime.gc_control import gc_paused

    relay = _RELAY.get()
    terminal = relay.terminal if relay is not None else Terminal.current()
    width = terminal.width if output is None else None
    has_color = color is Color.ALWAYS
    if output is None and color is Color.AUTO:
        has_color = terminal.has_color
    with gc_paused():
        text = make(width, has_color)
    path = None if output is None else str(output)
    if relay is not None:
        relay.reports.append((text, path))
    else:
        write_report(text, path)


def write_report(text: str, path: str | None) -> None:
    """Write a report to a file, as a whole or not at all, or to stdout.

    Raises:
        OutputError: It cannot be written.
    """
    from optplan.errors import OutputError

    if path is not None:
        _write(Path(path), text)
        return
    if sys.stdout is None:
        raise OutputError("cannot write the report: stdout is closed")
    _print(text)


def _print(text: str) -> None:
    from optplan.cli.stand_ins import STAND_INS
    from optplan.errors import OutputError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=STAND_INS)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _close_quietly()
        raise OutputError(f"cannot write the report: {error.strerror or error}") from error


def _write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; what is no regular file is written to as it is."""
    import shutil

    from optplan.errors import OutputError
    from optplan.runtime.interrupts import InterruptsWait

    try:
        with contextlib.suppress(FileNotFoundError):
            path.stat()  # a circle of links raises; resolve raises for it before Python 3.13 only
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        target = path.resolve()
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with InterruptsWait():
            try:
                with draft.open(
                    "x", encoding="utf-8", errors="backslashreplace", newline="\n"
                ) as file:
                    file.write(text)
                if target.exists():
                    shutil.copymode(target, draft)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {str(path)!r}: {reason}") from error
