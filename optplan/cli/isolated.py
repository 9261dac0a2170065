"""A whole command in a process of its own, for configs that name code: text and a status come back."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from optplan.cli.running import ExitStatus, Relay, Terminal, relayed, write_report
from optplan.runtime.isolation import Bounds, isolated

# `verify` makes a model with memory and steps it.
_VERIFY = Bounds(seconds=1800, memory=sys.maxsize)
_STATUSES = frozenset(map(int, ExitStatus))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A command line, and the terminal that its report is for."""

    arguments: tuple[str, ...]
    terminal: Terminal


def run_isolated(arguments: Sequence[str]) -> int:
    """Run a command line in a process of its own, and deliver its report.

    Returns:
        Its exit status.

    Raises:
        IsolatedError: It exceeds its bounds, or ends.
        OutputError: The report cannot be written.
    """
    bounds = _VERIFY if arguments[:1] == ["verify"] else Bounds.from_environment()
    with isolated(serve, bounds) as process:
        process.send(_Command(arguments=tuple(arguments), terminal=Terminal.current()))
        status, reports = process.answer()
    for text, path in reports:
        write_report(str(text), None if path is None else str(path))
    return status if status in _STATUSES else ExitStatus.BUG


def serve(connection: Connection) -> None:
    """Run the one command that this process is sent."""
    from optplan.cli import run
    from optplan.runtime.audit import lifted

    with lifted():
        command: _Command = connection.recv()
    relay = Relay(terminal=command.terminal)
    with relayed(relay):
        try:
            run(command.arguments)
            status: object = ExitStatus.FINE
        except SystemExit as leaving:
            status = leaving.code
    with lifted():
        known = int(status) if isinstance(status, int) else ExitStatus.BUG
        connection.send_bytes(pickle.dumps((known, tuple(relay.reports))))
