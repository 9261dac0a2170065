"""Run a whole command in a process of its own, for configs that name code: text and a status come back."""

from __future__ import annotations

import logging
import pickle
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import typer

from optplan.cli.delivery import Delivered, Relay, Terminal, relayed, write_report
from optplan.cli.running import ExitStatus, reported, running
from optplan.runtime.isolation import Bounds, isolated

# `verify` makes a model with memory and steps it.
_VERIFY = Bounds(seconds=1800, memory=sys.maxsize)
_OPEN = re.compile(r"--import|--model|--parallel|-[a-zA-Z]*m|.*(?<!:):(?!:)", re.DOTALL)
_STATUSES = frozenset(map(int, ExitStatus))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A command line, and the terminal that its report is for."""

    arguments: tuple[str, ...]
    terminal: Terminal


def run_isolated(arguments: Sequence[str]) -> int:
    """Run a command line in a process of its own, deliver its report, and return its exit status."""
    try:
        with reported(), running(quiet=False, debug="--debug" in arguments):
            return _delivered(arguments)
    except typer.Exit as leaving:
        return leaving.exit_code


def _delivered(arguments: Sequence[str]) -> int:
    """Run a command line in a process of its own, and deliver its report.

    Raises:
        IsolatedError: It exceeds its bounds, or ends.
        OutputError: The report cannot be written.
    """
    bounds = _VERIFY if arguments[:1] == ["verify"] else Bounds.from_environment()
    files = None if _stays_open(arguments) else ()  # it has read its files by then
    with isolated(serve, bounds, files) as process:
        process.send(_Command(arguments=tuple(arguments), terminal=Terminal.current()))
        status, reports = process.answer()
    for text, path, pages in reports:
        write_report(Delivered(str(text), None if path is None else str(path), bool(pages)))
    return status if status in _STATUSES else ExitStatus.BUG


def _stays_open(arguments: Sequence[str]) -> bool:
    """Return whether a command line may name code of the user's own, a git revision, or other processes to join."""
    return any(_OPEN.match(word) for word in arguments)


def serve(connection: Connection) -> None:
    """Run the one command that this process is sent."""
    from optplan.runtime.audit import lifted, take_refused
    from optplan.runtime.gc_control import gc_deferred

    with lifted():
        command: _Command = connection.recv()
    relay = Relay(terminal=command.terminal)
    with relayed(relay), gc_deferred():
        from optplan.cli.app import run

        try:
            run(command.arguments)
            status: object = ExitStatus.FINE
        except SystemExit as leaving:
            status = leaving.code
    known = int(status) if isinstance(status, int) else ExitStatus.BUG
    if known == ExitStatus.FINE and (refused := take_refused()):
        logging.getLogger("optplan").warning(
            "code that the config names was not let %s", refused[0]
        )
        known = ExitStatus.FINDINGS
    connection.send_bytes(pickle.dumps((known, tuple(relay.reports))))
