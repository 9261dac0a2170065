"""Worker processes, which leave with the process that started them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any

_SAFE_PATH = "PYTHONSAFEPATH"
# What a start changes for a moment is the whole process's.
_STARTING = threading.Lock()

Workers = Mapping[Any, SpawnProcess]  # by connections, which Windows has a class of its own for


@contextlib.contextmanager
def started_workers(jobs: int) -> Iterator[Workers]:
    """Start processes, by the connections to them, and end all of them afterwards.

    To each is first sent a function that it is to call with its own connection, and another once that returns. This module imports
    nothing else, so that they can start while the process that starts them is still importing.

    Args:
        jobs: How many processes shall work, this one among them.
    """
    # Not forked: a process with threads, as one with torch has, must not be.
    context = multiprocessing.get_context("spawn")
    workers: dict[Any, SpawnProcess] = {}
    try:
        for _ in range(jobs - 1):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), daemon=True)
            with _STARTING, _safe_path(), _without_main(), _interrupts_held():
                process.start()
            theirs.close()
            workers[ours] = process
        yield workers
    finally:
        for connection, process in workers.items():
            process.kill()  # what ignores a milder signal as well
            connection.close()
        for process in workers.values():
            process.join()


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep new processes from running the main module again, which may lack a guard against that."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Keep the current folder, which may be a stranger's, out of the import path of new processes."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = before


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a process starts: it inherits that, and never sees one.

    It would print a traceback otherwise, where it is hit while it still imports.
    """
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # starting it lets interrupts through again
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _work(connection: Connection) -> None:
    """Work at one function after another until the parent closes the connection; Ctrl-C is handled by the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.recv()(connection)
