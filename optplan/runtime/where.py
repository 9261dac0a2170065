"""Where code of a file's naming runs: light enough for a command that runs none."""

from __future__ import annotations

from enum import Enum


class Where(Enum):
    """Where code of a file's naming runs."""

    HERE = "in this process, its thread restricted"
    ELSEWHERE = "in a process of its own: this one raises IsolationNeededError"
    ISOLATED = "in this process, which is that one"


class IsolationNeededError(BaseException):
    """Code of a file's naming is about to run in a process that must not run it.

    No ``Exception``: nothing on the way up may take it for a failure of that code.
    """


class RefusedError(PermissionError):
    """An operation that the code of a file's naming must not do."""


class _State:
    where = Where.HERE


def run_named_code(where: Where) -> None:
    """Say where code of a file's naming runs from now on."""
    _State.where = where


def named_code_runs() -> Where:
    """Return where code of a file's naming runs."""
    return _State.where
