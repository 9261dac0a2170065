"""Runs a command again whenever a file that it reads changes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import NoReturn

from optplan.cli.running import ExitStatus, print_problems
from optplan.errors import OptplanError
from optplan.runtime.user_modules import BY_FILE

_PAUSE = 0.4  # seconds between two looks at the files
_SETTLED = 0.1  # so long nothing changes before a run: editors write in several steps
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"

Seen = dict[str, tuple[int, int]]
Files = Collection[str]


def run_watched(
    run: Callable[[], tuple[ExitStatus, Files]], find: Callable[[], Iterable[str]]
) -> NoReturn:
    """Run once, and again after each change, until an interrupt ends the process.

    Where a module of the user's own has changed, which this process has imported, the command is started anew.

    Args:
        run: Writes a report, and returns the exit status and the files that it was made from.
        find: Returns the files that are looked at besides: there may be new ones.

    Raises:
        OptplanError: The first run fails; after any later one the next change is waited for.
    """
    files: Files = ()
    is_first = True
    while True:
        _clear()
        start = time.monotonic()
        imported = _seen(BY_FILE)
        before = _look(find, files)
        try:
            _, files = run()
        except OptplanError as error:
            if is_first:
                raise
            print_problems(error.problems)
        is_first = False
        seen = {**_look(find, files), **before}
        imported = {**_seen(BY_FILE), **imported}
        took = f"{time.monotonic() - start:.2f} s at {time.strftime('%H:%M:%S')}"
        files_seen = "1 file" if len(seen) == 1 else f"{len(seen)} files"
        logging.getLogger("optplan").warning(
            "checked in %s; waiting for a change of %s, Ctrl-C ends", took, files_seen
        )
        _wait(partial(_look, find, files), seen, imported)


def _clear() -> None:
    if sys.stdout is not None and sys.stdout.isatty():
        sys.stdout.write(_CLEAR)
        sys.stdout.flush()


def _wait(look: Callable[[], Seen], seen: Seen, imported: Seen) -> None:
    """Wait for a change, and until files are no longer written."""
    while (now := look()) == seen and _seen(imported) == imported:
        time.sleep(_PAUSE)
    while True:
        time.sleep(_SETTLED)
        if (later := look()) == now:
            break
        now = later
    if _seen(imported) != imported:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _look(find: Callable[[], Iterable[str]], files: Files) -> Seen:
    try:
        found = tuple(find())
    except OptplanError:  # the run says so
        found = ()
    return _seen((*files, *found))


def _seen(paths: Iterable[str]) -> Seen:
    """Return when each file was written last, and its size; of one that is not there, nothing."""
    found: Seen = {}
    for path in paths:
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
