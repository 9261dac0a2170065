"""An audit hook that refuses what code must not do while it runs for a file's sake.

Two sets of rules: :func:`no_network` for code that the user names, :func:`restrict_process` and
:func:`restricted` for code that a file names. The events are those of
https://docs.python.org/3/library/audit_events.html.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from optplan.errors import ModelError, OptplanError, Problem
from optplan.names import Mistake
from optplan.runtime.installed import code_roots, readable_roots
from optplan.runtime.where import RefusedError

_MOST_TRIES = 3
# What writes to a file, of the flags that an `open` event carries.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What the standard library executes of its own making: classes and annotations, never a file's words.
_CODE_MAKERS = frozenset(
    {"dataclasses", "collections", "typing", "enum", "inspect", "annotationlib"}
)
_IMPORT_FRAMES = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


TRUST_HINT = "--trust lifts this, for a config whose author you trust"


class LeavingError(RefusedError):
    """Such code tried to end the process."""


def refusal(what: str, error: BaseException) -> Problem:
    """Return the problem of code that was not let do something.

    Args:
        what: The code, as messages call it.
        error: The refusal, or what it led to.
    """
    return Problem(message=f"{what} is stopped: {error}", hint=TRUST_HINT, kind=Mistake.REFUSED)


class StillTryingError(Exception):
    """A host was asked for again and again."""


@dataclass(slots=True)
class _Rules:
    """What is refused at present.

    Attributes:
        everywhere: Whether all threads are restricted.
        scratch: The folder that restricted code may write to.
        threads: Whether each thread is restricted, the innermost last, where it was said of it.
        offline: The lists of hosts that are kept for threads whose network is refused.
        refused: Lists of what is refused, for those that asked.
        readable: Files and folders that may be read, as real paths.
        code: The folders that code may come from.
        searched: The folders of Python's path, whose names may be listed.
    """

    everywhere: bool = False
    scratch: str | None = None
    threads: dict[int, list[bool]] = field(default_factory=dict)
    offline: list[list[str]] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)
    readable: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    searched: frozenset[str] = frozenset()
    is_installed: bool = False


_RULES = _Rules()


def restrict_process(scratch: str) -> None:
    """Restrict this process for good, all of its threads.

    Args:
        scratch: The folder that it may write to.
    """
    _install()
    _find_roots()
    _forbid_spawning()
    _RULES.scratch = os.path.realpath(scratch)
    _RULES.everywhere = True


def _forbid_spawning() -> None:
    """Take away what starts processes without an audit event."""
    with suppress(ImportError):
        import _posixsubprocess

        def refuse(*_: object) -> int:
            raise RefusedError("optplan does not let code that a file names start a process")

        _posixsubprocess.fork_exec = refuse


@contextmanager
def restricted() -> Iterator[list[str]]:
    """Restrict the current thread meanwhile; gives a list of what was refused."""
    _install()
    _find_roots()
    refused: list[str] = []
    _RULES.refused.append(refused)
    try:
        with _in_thread(is_restricted=True):
            yield refused
    finally:
        _RULES.refused[:] = [one for one in _RULES.refused if one is not refused]


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
    """Find what may be read before anything is refused: that opens files itself."""
    with lifted():
        _RULES.readable, _RULES.code = readable_roots(), code_roots()
        _RULES.searched = frozenset(map(os.path.realpath, filter(None, sys.path)))


def _install() -> None:
    if not _RULES.is_installed:
        _RULES.is_installed = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    rule = _EVENTS.get(event)
    if rule is None:
        return
    if _RULES.offline and event in _NETWORK and (host := _host(event, arguments)) is not None:
        _refuse_host(host)
    said = _RULES.threads.get(threading.get_ident())
    if said[-1] if said else _RULES.everywhere:
        what = rule(event, arguments)
        if what is not None:
            for refused in _RULES.refused:
                refused.append(what)
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


_NETWORK = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.sendto",
        "socket.sendmsg",
    }
)

_Rule = Callable[[str, tuple[Any, ...]], str | None]


def _network(event: str, arguments: tuple[Any, ...]) -> str | None:
    place = arguments[-1] if event.startswith("socket.") and arguments[1:] else arguments[0]
    return f"use the network ({event} {_short(place)})"


def _process(event: str, arguments: tuple[Any, ...]) -> str | None:
    return f"run or end a process ({event} {_short(arguments[0] if arguments else '')})"


def _change(event: str, arguments: tuple[Any, ...]) -> str | None:
    path = _path(arguments[0]) if arguments else None
    if path is not None and (
        _is_below(path, _RULES.scratch) or (os.path.isdir(path) and event == "os.mkdir")
    ):
        return None
    return f"change files ({event} {_short(arguments[0] if arguments else '')})"


def _open(_event: str, arguments: tuple[Any, ...]) -> str | None:
    path, mode, flags = arguments
    path = _path(path)
    if path is None or _is_below(path, _RULES.scratch) or path in _DEVICES:
        return None
    if (isinstance(flags, int) and flags & _WRITING) or (
        isinstance(mode, str) and not set(mode).isdisjoint("wax+")
    ):
        return f"write {_short(path)}"
    return None if _is_readable(path) else f"read {_short(path)}"


def _list(_event: str, arguments: tuple[Any, ...]) -> str | None:
    """Python's import system passes over a folder of its path that it may not list."""
    path = _path(os.curdir if arguments[0] is None else arguments[0])
    is_allowed = (
        path is None
        or path in _RULES.searched
        or _is_below(path, _RULES.scratch)
        or _is_readable(path)
    )
    return None if is_allowed else f"list {_short(path)}"


def _execute(_event: str, arguments: tuple[Any, ...]) -> str | None:
    code = arguments[0]
    file = code.co_filename if isinstance(code, CodeType) else ""
    caller = sys._getframe(2)  # noqa: SLF001 - below this function and the hook
    if _is_importing(caller):
        is_text = file.startswith("<")
        return None if is_text or _is_code(_path(file)) else f"execute {_short(file)}"
    if caller.f_globals.get("__name__") in _CODE_MAKERS and file == "<string>":
        return None
    return f"execute text or code that it made ({_short(caller.f_globals.get('__name__'))})"


def _make_code(event: str, _arguments: tuple[Any, ...]) -> str | None:
    caller = sys._getframe(2)  # noqa: SLF001 - as above
    return None if _is_importing(caller) else f"make code ({event})"


def _import(_event: str, arguments: tuple[Any, ...]) -> str | None:
    """An extension module is the one that is imported by its file."""
    path = _path(arguments[1]) if arguments[1] else None
    return None if path is None or _is_code(path) else f"import {_short(path)}"


def _load_library(event: str, arguments: tuple[Any, ...]) -> str | None:
    path = _path(arguments[0]) if arguments[0] else None
    is_importing = _is_importing(sys._getframe(2))  # noqa: SLF001 - as above
    is_known = path is None or os.sep not in str(arguments[0]) or _is_code(path)
    return None if is_importing and is_known else f"load a library ({event} {_short(path)})"


def _always(event: str, arguments: tuple[Any, ...]) -> str | None:
    return f"use {event} {_short(arguments[0] if arguments else '')}".rstrip()


_EVENTS: dict[str, _Rule] = {
    **dict.fromkeys((*_NETWORK, "socket.bind", "socket.getnameinfo", "urllib.Request"), _network),
    **dict.fromkeys(
        (
            "subprocess.Popen",
            "os.system",
            "os.exec",
            "os.fork",
            "os.forkpty",
            "os.posix_spawn",
            "os.spawn",
            "os.startfile",
            "os.kill",
            "os.killpg",
            "pty.spawn",
            "signal.pthread_kill",
            "_winapi.CreateProcess",
        ),
        _process,
    ),
    **dict.fromkeys(
        (
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.mkdir",
            "os.link",
            "os.symlink",
            "os.truncate",
            "os.chmod",
            "os.chown",
            "os.lchmod",
            "os.chflags",
            "os.utime",
            "os.setxattr",
            "os.removexattr",
            "os.chdir",
            "os.fchdir",
            "sqlite3.connect",
            "shutil.rmtree",
            "shutil.copyfile",
            "shutil.copytree",
            "shutil.move",
            "shutil.chown",
            "shutil.make_archive",
            "shutil.unpack_archive",
        ),
        _change,
    ),
    "open": _open,
    "os.listdir": _list,
    "os.scandir": _list,
    "exec": _execute,
    "code.__new__": _make_code,
    "function.__new__": _make_code,
    "marshal.loads": _make_code,
    "pickle.find_class": _make_code,
    "import": _import,
    "ctypes.dlopen": _load_library,
    **dict.fromkeys(
        (
            "ctypes.call_function",
            "ctypes.cdata",
            "ctypes.cdata/buffer",
            "ctypes.string_at",
            "ctypes.wstring_at",
            "ctypes.PyObj_FromPtr",
            "cpython.run_command",
            "cpython.run_file",
            "cpython.run_module",
            "cpython.run_interactivehook",
            "cpython.run_stdin",
            "cpython.remote_debugger_script",
            "sys.remote_exec",
            "builtins.input",
            "builtins.breakpoint",
            "sys.addaudithook",
            "resource.setrlimit",
            "resource.prlimit",
            "syslog.openlog",
            "webbrowser.open",
            "ensurepip.bootstrap",
        ),
        _always,
    ),
}

_DEVICES = frozenset({os.devnull, "/dev/urandom", "/dev/random"})


def _path(word: object) -> str | None:
    """Return the real path of what is opened, None for a file descriptor or what is no path."""
    if not isinstance(word, str | bytes | os.PathLike):
        return None
    try:
        text = os.fsdecode(word)
        folder, name = os.path.split(os.path.abspath(text))
        return os.path.realpath(os.path.join(folder, name))
    except (ValueError, TypeError, OSError):
        return None


def _is_below(path: str, folder: str | None) -> bool:
    return folder is not None and (path == folder or path.startswith(folder + os.sep))


def _is_readable(path: str) -> bool:
    return any(_is_below(path, root) for root in _RULES.readable)


def _is_code(path: str | None) -> bool:
    return path is not None and any(_is_below(path, root) for root in _RULES.code)


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether an import has called this, directly or not."""
    while frame is not None:
        if frame.f_code.co_filename in _IMPORT_FRAMES:
            return True
        frame = frame.f_back
    return False


def _short(word: object) -> str:
    text = ascii(os.fspath(word) if isinstance(word, os.PathLike) else word)
    return text if len(text) <= 80 else f"{text[:77]}…"
