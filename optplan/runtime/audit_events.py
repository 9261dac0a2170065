"""Decide for each audit event whether named code may do it, and word the refusal.

The events are those of https://docs.python.org/3/library/audit_events.html.
"""

from __future__ import annotations

import dis
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

# What writes to a file, of the flags that an `open` event carries.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What the standard library executes of its own making, and the annotations that it evaluates.
_CODE_MAKERS = frozenset({"dataclasses", "collections", "enum"})
_EVALUATORS = frozenset({"typing", "inspect", "annotationlib"})
_IMPORT_FRAMES = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


@dataclass(slots=True)
class State:
    """What named code may use, folders as real paths.

    Attributes:
        scratch: The folder that may be written to.
        readable: Files and folders that may be read.
        code: The folders that code may come from.
        searched: The folders of Python's path, whose names may be listed.
        named_code: How many calls of code of a file's naming are under way.
    """

    scratch: str | None = None
    readable: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    searched: frozenset[str] = frozenset()
    named_code: int = 0


STATE = State()

# The events of other hosts; those of what is beside them need no host.
NETWORK = frozenset(
    f"socket.{name}"
    for name in "connect getaddrinfo gethostbyname gethostbyaddr sendto sendmsg".split()  # noqa: SIM905
)
_NETWORK_BESIDE = "socket.bind socket.getnameinfo socket.sethostname urllib.Request"

_OF_TWO_PATHS = frozenset(
    {"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile", "shutil.copytree"}
)

Rule = Callable[[str, tuple[Any, ...]], str | None]


def _network(event: str, arguments: tuple[Any, ...]) -> str | None:
    place = arguments[-1] if event.startswith("socket.") and arguments[1:] else arguments[0]
    return f"use the network ({event} {_short(place)})"


def _process(event: str, arguments: tuple[Any, ...]) -> str | None:
    return f"run or end a process ({event} {_short(arguments[0] if arguments else '')})"


def _change(event: str, arguments: tuple[Any, ...]) -> str | None:
    paths = [_path(one) for one in arguments[: 2 if event in _OF_TWO_PATHS else 1]]
    if paths and all(path is not None and _is_below(path, STATE.scratch) for path in paths):
        return None
    if event == "os.mkdir" and paths[0] is not None and os.path.isdir(paths[0]):
        return None
    return f"change files ({event} {_short(arguments[0] if arguments else '')})"


def _open(_event: str, arguments: tuple[Any, ...]) -> str | None:
    path, mode, flags = arguments
    path = _path(path)
    if path is None or _is_below(path, STATE.scratch) or path in _DEVICES:
        return None
    if (isinstance(flags, int) and flags & _WRITING) or (
        isinstance(mode, str) and not set(mode).isdisjoint("wax+")
    ):
        return f"write {_short(path)}"
    # the folders of Python's path are opened in search of packages
    return None if _is_readable(path) or path in STATE.searched else f"read {_short(path)}"


def _list(_event: str, arguments: tuple[Any, ...]) -> str | None:
    """Decide about listing a folder: Python's import system passes over a folder of its path that it may not list."""
    path = _path(os.curdir if arguments[0] is None else arguments[0])
    is_allowed = (
        path is None
        or path in STATE.searched
        or _is_below(path, STATE.scratch)
        or _is_readable(path)
    )
    return None if is_allowed else f"list {_short(path)}"


def _execute(_event: str, arguments: tuple[Any, ...]) -> str | None:
    code = arguments[0]
    file = code.co_filename if isinstance(code, CodeType) else ""
    caller = sys._getframe(2)  # noqa: SLF001 - below this function and the hook
    if is_importing(caller):
        is_text = file.startswith("<")
        return None if is_text or _is_code(_path(file)) else f"execute {_short(file)}"
    name = caller.f_globals.get("__name__")
    is_annotation = name in _EVALUATORS and not (STATE.named_code and _calls(code))
    if file == "<string>" and (name in _CODE_MAKERS or is_annotation):
        return None
    return f"execute text or code that it made ({_short(name)})"


def _calls(code: object) -> bool:
    """Return whether code calls anything, which an annotation that a file gives must not."""
    return any(one.opname.startswith("CALL") for one in dis.get_instructions(code))  # type: ignore[arg-type]


def _make_code(event: str, _arguments: tuple[Any, ...]) -> str | None:
    caller = sys._getframe(2)  # noqa: SLF001 - as above
    return None if is_importing(caller) else f"make code ({event})"


def _import(_event: str, arguments: tuple[Any, ...]) -> str | None:
    """Refuse to import an extension module from elsewhere than where code is."""
    path = _path(arguments[1]) if arguments[1] else None
    return None if path is None or _is_code(path) else f"import {_short(path)}"


# What torch counts devices with, by a name that the system's loader alone looks up: below the working folder, too,
# where LD_LIBRARY_PATH, as it is when the process starts, has an empty or a relative entry.
_DRIVERS = frozenset({"libnvidia-ml.so.1"})
_LOADER_PATH = os.environ.get("LD_LIBRARY_PATH", "")


def _is_torch_asking(frame: FrameType | None) -> bool:
    """Return whether torch's own code for CUDA loads a library, with nothing but ctypes in between."""
    home = getattr(sys.modules.get("torch.cuda"), "__file__", None)
    while frame is not None and frame.f_globals.get("__name__") in (
        "ctypes",
        __package__ + ".audit",
    ):
        frame = frame.f_back
    return frame is not None and home is not None and frame.f_code.co_filename == home


def _lies_in_relative_folder(name: str) -> bool:
    """Return whether the loader would find a library below the working folder."""
    folders = re.split("[:;]", _LOADER_PATH) if _LOADER_PATH else ()
    relative = (folder for folder in folders if not os.path.isabs(folder))
    return any(os.path.lexists(os.path.join(folder, name)) for folder in relative)


def _load_library(event: str, arguments: tuple[Any, ...]) -> str | None:
    is_driver = arguments[0] in _DRIVERS and not _lies_in_relative_folder(arguments[0])
    if is_driver and _is_torch_asking(sys._getframe(2)):  # noqa: SLF001 - as above
        return None
    path = _path(arguments[0]) if arguments[0] else None
    is_import = is_importing(sys._getframe(2))  # noqa: SLF001 - as above
    is_known = path is None or os.sep not in str(arguments[0]) or _is_code(path)
    return None if is_import and is_known else f"load a library ({event} {_short(path)})"


def _always(event: str, arguments: tuple[Any, ...]) -> str | None:
    return f"use {event} {_short(arguments[0] if arguments else '')}".rstrip()


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


# Windows has a longer name for its null device
_DEVICES = frozenset({_path(os.devnull), "/dev/urandom", "/dev/random"})


def _is_below(path: str, folder: str | None) -> bool:
    return folder is not None and (path == folder or path.startswith(folder + os.sep))


def _is_readable(path: str) -> bool:
    return any(_is_below(path, root) for root in STATE.readable)


def _is_code(path: str | None) -> bool:
    return path is not None and any(_is_below(path, root) for root in STATE.code)


def is_importing(frame: FrameType | None) -> bool:
    """Return whether an import has called this, directly or not."""
    while frame is not None:
        if frame.f_code.co_filename in _IMPORT_FRAMES:
            return True
        frame = frame.f_back
    return False


def _short(word: object) -> str:
    text = ascii(os.fspath(word) if isinstance(word, os.PathLike) else word)
    return text if len(text) <= 80 else f"{text[:77]}…"


_PROCESSES = """
subprocess.Popen os.system os.exec os.fork os.forkpty os.posix_spawn os.spawn os.startfile os.kill os.killpg
pty.spawn signal.pthread_kill _winapi.CreateProcess cpython.PyInterpreterState_New
"""
_CHANGES = """
os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown os.lchmod os.chflags os.utime
os.setxattr os.removexattr os.chdir os.fchdir sqlite3.connect shutil.rmtree shutil.copyfile shutil.copytree
shutil.move shutil.chown shutil.make_archive shutil.unpack_archive
"""
_NEVER = """
ctypes.call_function ctypes.cdata ctypes.cdata/buffer ctypes.string_at ctypes.wstring_at ctypes.PyObj_FromPtr
cpython.run_command cpython.run_file cpython.run_module cpython.run_interactivehook cpython.run_stdin
cpython.remote_debugger_script sys.remote_exec builtins.input builtins.breakpoint sys.addaudithook
resource.setrlimit resource.prlimit syslog.openlog syslog.syslog webbrowser.open ensurepip.bootstrap
"""

EVENTS: dict[str, Rule] = {
    **dict.fromkeys((*NETWORK, *_NETWORK_BESIDE.split()), _network),
    **dict.fromkeys(_PROCESSES.split(), _process),
    **dict.fromkeys(_CHANGES.split(), _change),
    **dict.fromkeys(_NEVER.split(), _always),
    **dict.fromkeys(("os.listdir", "os.scandir"), _list),
    **dict.fromkeys(
        ("code.__new__", "function.__new__", "marshal.loads", "pickle.find_class"), _make_code
    ),
    "open": _open,
    "exec": _execute,
    "import": _import,
    "ctypes.dlopen": _load_library,
}
