"""Run any command: statuses, messages, and where the report goes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import typer

from optplan.cli.delivery import Terminal, close_quietly

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
    from optplan.runtime.progress_line import show_progress
    from optplan.runtime.where import IsolationNeededError, RefusedError

    resume_gc()
    show_progress(shows=not quiet)

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
        from optplan.runtime.broken_imports import broken_import

        if debug:
            _print_traceback()
        if (problem := broken_import(error)) is not None:
            print_problems([problem])
            raise typer.Exit(ExitStatus.COULD_NOT) from None
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
            close_quietly()
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
