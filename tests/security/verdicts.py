"""Which of the events in a run must not have happened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optplan

_OPTPLAN = str(Path(optplan.__file__).resolve().parent) + os.sep
_PROCESSES = frozenset(
    [
        "subprocess.Popen",
        "fork_exec",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "pty.spawn",
        "os.startfile",
    ]
)
_CHANGES = frozenset(
    [
        "os.remove",
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.truncate",
        "os.link",
        "os.symlink",
        "os.chmod",
        "os.chown",
        "os.utime",
        "sqlite3.connect",
        "shutil.rmtree",
    ]
)
_NEVER = frozenset(
    [
        "watcher.lost",
        "os.kill",
        "os.killpg",
        "signal.pthread_kill",
        "os.chdir",
        "ctypes.string_at",
        "urllib.Request",
        "webbrowser.open",
        "ftplib.connect",
        "smtplib.connect",
        "cpython.run_stdin",
        "cpython.run_interactivehook",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a process did.

    Args:
        pid: The process.
        event: The audit event, or ``start`` and ``fork_exec`` of the watcher's own.
        args: What it carries.
        caller: The nearest code outside the standard library.
        importing: Whether an import is under way.
    """

    pid: int
    event: str
    args: list[Any]
    caller: str
    importing: bool


def forbidden(events: Iterable[Event], run: Path, environment: Path) -> Iterator[str]:
    """Yield a line for each event that must not have happened.

    Args:
        events: All that was reported.
        run: The folders of the run, of which the scratch folder and the cache may be written.
        environment: The throw-away environment.
    """
    for one in events:
        if _is_forbidden(one, str(run), str(environment)):
            yield f"{one.event} {' '.join(map(str, one.args))} (by {one.caller or 'Python'})"


def _is_forbidden(one: Event, run: str, environment: str) -> bool:
    name, args = one.event, one.args
    is_ours = one.caller.startswith(_OPTPLAN) or one.caller == f"{environment}/bin/optplan"
    if name == "open":
        return not (
            _may_change(args[1], run) if args[0] == "write" else is_ours or _may_read(args[1], run)
        )
    if name == "exec":
        return not str(args[1]).startswith(f"{environment}/bin/")
    if name == "os.chdir" and one.caller.endswith("/multiprocessing/spawn.py"):
        return False  # a process that starts goes to the folder of its parent
    if name in _CHANGES:
        return not (is_ours or _may_change(str(args[0]), run))
    if name in _PROCESSES:
        return not _may_start(one, environment)
    if name in ("os.listdir", "os.scandir"):
        return "/outside" in str(args[0])
    if name in ("os.chdir", "os.kill"):  # of the processes that it starts itself
        return not _is_optplans(one)
    if name == "pickle.find_class":
        return not (one.importing or _is_optplans(one))
    if name == "ctypes.dlopen":
        return run in str(args[0])
    return name in _NEVER or name == "import" or name.startswith("socket.")


def _may_read(path: str, run: str) -> bool:
    """Whether code other than optplan may: optplan reads what a config names as its base."""
    return not path.startswith((f"{run}/outside", f"{run}/home")) and "/.ssh/" not in path


def _may_start(one: Event, environment: str) -> bool:
    program = str(one.args[0]) if one.args else ""  # a fork names none
    if one.importing and program == "/sbin/ldconfig":  # torch looks for CUDA's libraries
        return True
    return _is_optplans(one) and _is_allowed_program(program, environment)


def _is_optplans(one: Event) -> bool:
    """Whether it is a process of optplan's own that is started, or talks to another."""
    return one.caller.startswith(_OPTPLAN) or "/multiprocessing/" in one.caller


def _is_allowed_program(program: str, environment: str) -> bool:
    """The same interpreter, or git."""
    return program.startswith(f"{environment}/bin/python") or Path(program).name == "git"


def _may_change(path: str, run: str) -> bool:
    whole = os.path.abspath(path)
    return (
        whole == os.devnull
        or whole.startswith((f"{run}/tmp", f"{run}/cache", "/dev/pts/", "/dev/tty"))
        or (not whole.startswith(run) and "/__pycache__" in whole)  # of what is installed
    )
