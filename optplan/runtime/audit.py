"""An audit hook that refuses what code must not do while it runs for a file's sake.

Two sets of rules: :func:`no_network` for code that the user names, :func:`restrict_process` and
:func:`restricted` for code that a file names.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from optplan.errors import ModelError, OptplanError, Problem
from optplan.names import ProblemKind
from optplan.runtime.audit_events import EVENTS, NETWORK, STATE, is_importing
from optplan.runtime.installed import code_roots, readable_roots
from optplan.runtime.where import RefusedError

_MOST_TRIES = 3
# What starts a process or makes a file without an audit event, by module.
_UNANNOUNCED = {
    "_posixsubprocess": ("fork_exec",),
    "posix": ("mkfifo", "mknod"),
    "os": ("mkfifo", "mknod"),
}
TRUST_HINT = "--trust lifts this, for a config whose author you trust"


class LeavingError(RefusedError):
    """Such code tried to end the process."""


def refusal(what: str, error: BaseException) -> Problem:
    """Return the problem of code that was not let do something.

    Args:
        what: The code, as messages call it.
        error: The refusal, or what it led to.
    """
    return Problem(message=f"{what} is stopped: {error}", hint=TRUST_HINT, kind=ProblemKind.REFUSED)


class StillTryingError(Exception):
    """A host was asked for again and again."""


@dataclass(slots=True)
class _Rules:
    """The operations that are refused at present.

    Attributes:
        everywhere: Whether all threads are restricted.
        threads: Whether each thread is restricted, the innermost last, where it was said of it.
        offline: The lists of hosts that are kept for threads whose network is refused.
        refused: Lists of what is refused, for those that asked.
        told: What was refused since somebody took it, but for what packages try of themselves on import.
    """

    everywhere: bool = False
    threads: dict[int, list[bool]] = field(default_factory=dict)
    offline: list[list[str]] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    is_installed: bool = False


_RULES = _Rules()


def restrict_process(scratch: str) -> None:
    """Restrict this process for good, all of its threads.

    Args:
        scratch: The folder that it may write to.
    """
    _install()
    _find_roots()
    _forbid_unannounced()
    STATE.scratch = os.path.realpath(scratch)
    _RULES.everywhere = True


def _forbid_unannounced() -> None:
    """Take away what changes something without an audit event."""
    for module, names in _UNANNOUNCED.items():
        with suppress(ImportError):
            found = import_module(module)
            for name in names:
                setattr(found, name, partial(_refuse_call, f"use {module}.{name}"))


def _refuse_call(what: str, *_: object, **__: object) -> None:
    _refuse(what)


@contextmanager
def restricted() -> Iterator[list[str]]:
    """Restrict the current thread meanwhile; gives a list of what was refused."""
    _install()
    _find_roots()
    refused: list[str] = []
    _RULES.refused.append(refused)
    STATE.named_code += 1
    try:
        with _in_thread(is_restricted=True):
            yield refused
    finally:
        STATE.named_code -= 1
        _RULES.refused[:] = [one for one in _RULES.refused if one is not refused]


def is_still_told(what: str) -> bool:
    """Return whether :func:`take_refused` will give this."""
    return what in _RULES.told


def take_refused() -> list[str]:
    """Return what was refused since the last call, in every thread and whoever has passed over it.

    What packages try of themselves on import is left out: writing caches, looking for a newer version.
    """
    taken, _RULES.told = _RULES.told, []
    return taken


@contextmanager
def lifted() -> Iterator[None]:
    """Exempt the current thread meanwhile: it does the user's own bidding."""
    with _in_thread(is_restricted=False):
        yield


@contextmanager
def _in_thread(*, is_restricted: bool) -> Iterator[None]:
    thread = threading.get_ident()
    said = _RULES.threads.setdefault(thread, [])
    said.append(is_restricted)
    try:
        yield
    finally:
        said.pop()
        if not said:
            _RULES.threads.pop(thread, None)


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse connections to other hosts; gives the list of hosts that were tried."""
    _install()
    tried: list[str] = []
    _RULES.offline.append(tried)
    try:
        yield tried
    finally:
        _RULES.offline.remove(tried)


def download_error(what: str, host: str, error: type[OptplanError] = ModelError) -> OptplanError:
    """Return the refusal of what needs the network."""
    return error(
        f"{what} tries to download (from {host}) while it is built; optplan never does",
        hint="build it without pretrained weights",
    )


def _find_roots() -> None:
    """Find what may be read before anything is refused: that opens files itself, and code may change the path."""
    if _RULES.everywhere:
        return
    with lifted():
        STATE.readable, STATE.code = readable_roots(), code_roots()
        STATE.searched = frozenset(map(os.path.realpath, filter(None, sys.path)))


def _install() -> None:
    if not _RULES.is_installed:
        _RULES.is_installed = True
        sys.addaudithook(_hook)


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    # an interpreter that ends takes the module's names away, and goes on announcing events
    events: Mapping[str, Any] = EVENTS,
    rules: _Rules = _RULES,
    thread: Callable[[], int] = threading.get_ident,
) -> None:
    rule = events.get(event)
    if rule is None:
        return
    if rules.offline and event in NETWORK and (host := _host(event, arguments)) is not None:
        _refuse_host(host)
    said = rules.threads.get(thread())
    if said[-1] if said else rules.everywhere:
        what = rule(event, arguments)
        if what is not None:
            _refuse(what)


def _refuse(what: str) -> None:
    for refused in _RULES.refused:
        refused.append(what)
    if not is_importing(sys._getframe()):  # noqa: SLF001 - there is no other way
        _RULES.told.append(what)
    raise RefusedError(f"optplan does not let code that a file names {what}")


def _refuse_host(host: str) -> None:
    for tried in _RULES.offline:
        tried.append(host)
    # What retries, as a hub's client does for a minute, waits for errors of the network only.
    if _RULES.offline[-1].count(host) >= _MOST_TRIES:
        raise StillTryingError(f"optplan does not let a model connect to {host}")
    raise OSError(f"optplan does not let a model connect to {host}")


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host of a network event, None for a socket of this machine's own."""
    target = arguments[0] if event.startswith("socket.get") else arguments[1]
    if not event.startswith("socket.get"):
        import _socket

        if arguments[0].family not in (_socket.AF_INET, _socket.AF_INET6):
            return None
    return str(target[0] if isinstance(target, tuple) else target)
