"""Remember which process named code runs in; imported by commands that run none, so without imports."""

from __future__ import annotations

from enum import Enum


class Where(Enum):
    """The process that code named by a file runs in."""

    HERE = "in this process, its thread restricted"
    ELSEWHERE = "in a process of its own: this one raises IsolationNeededError"
    ISOLATED = "in this process, which is that one"


class IsolationNeededError(BaseException):
    """Named code is about to run in a process that must not run it.

    No ``Exception``: nothing on the way up may take it for a failure of that code.
    """


class RefusedError(PermissionError):
    """Named code tried an operation that it must not do."""


class _CodeState:
    where = Where.HERE


def run_named_code(where: Where) -> None:
    """Set the process that named code runs in from now on."""
    _CodeState.where = where


def named_code_runs() -> Where:
    """Return the process that named code runs in."""
    return _CodeState.where


def require_its_process() -> None:
    """Refuse to go on where named code is not to run.

    Raises:
        IsolationNeededError: It is to run in another process.
    """
    if _CodeState.where is Where.ELSEWHERE:
        raise IsolationNeededError
