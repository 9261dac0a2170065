"""Report what a process really does; the throw-away environment imports this file as ``sitecustomize``.

Every process of its interpreter installs an audit hook that writes one JSON line per event of interest to a
named pipe in ``sys.prefix``. A guard refuses by raising in a hook of its own, which is added later than this
one: so the reporting hook is added again after each further hook, and only the last of them reports.
"""

from __future__ import annotations

import fcntl
import json
import os
import site
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

PIPE = "watch.pipe"
SETUP = "watch.json"
# Every text that a case hands over to be evaluated holds it, and so do the paths that a case names.
TOKEN = "q7x_"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HIGH_DESCRIPTOR = 200  # out of the way of code that writes to every descriptor
_LONGEST = 3000  # a line must stay below PIPE_BUF to be written as a whole
_SEEN = frozenset(
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
        "os.chdir",
        "os.listdir",
        "os.scandir",
        "os.kill",
        "os.killpg",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "os.startfile",
        "pty.spawn",
        "subprocess.Popen",
        "ctypes.dlopen",
        "ctypes.string_at",
        "sqlite3.connect",
        "pickle.find_class",
        "urllib.Request",
        "webbrowser.open",
        "ftplib.connect",
        "smtplib.connect",
        "signal.pthread_kill",
        "shutil.rmtree",
        "cpython.run_stdin",
        "cpython.run_interactivehook",
    ]
)


class _Reporter:
    """Writes the events that the last-added hook sees.

    Args:
        descriptor: The pipe.
        roots: The folders whose code may run: the standard library, installed distributions, optplan.
        library: The standard library.
        watched: The folder of all cases, the reads in which are reported.
    """

    def __init__(self, descriptor: int, roots: list[str], library: str, watched: str) -> None:
        self._descriptor = descriptor
        self._roots = tuple(root + os.sep for root in roots)
        self._library = library
        self._watched = watched + os.sep
        self._known: dict[str, bool] = {}
        self.latest = 0
        self.answered = -1

    def hook(self, generation: int) -> Callable[[str, tuple[Any, ...]], None]:
        """Return the hook of one generation."""

        def report(event: str, args: tuple[Any, ...]) -> None:
            if event == "watcher.probe":
                self.answered = generation
            elif generation == self.latest:
                self._report(event, args)

        return report

    def _report(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            found = self._opened(*args)
        elif event == "exec":
            found = self._executed(args[0])
        elif event == "import":
            found = [args[0], args[1]] if args[1] and not self._is_known(args[1]) else None
        elif event.startswith("socket."):
            found = _addressed(event, args)
        elif event in _SEEN:
            found = [_plain(arg) for arg in args]
        else:
            return
        if found is not None:
            self.write(event, found)

    def write(self, event: str, args: list[Any]) -> None:
        """Write one event, with the code that caused it."""
        caller, importing = self._caller()
        line = {"pid": os.getpid(), "event": event, "caller": caller, "importing": importing}
        line["args"] = [arg if isinstance(arg, int) else str(arg)[:300] for arg in args[:6]]
        text = json.dumps(line)[:_LONGEST] + "\n"
        try:
            os.write(self._descriptor, text.encode("utf-8", "replace"))
        except OSError:
            os._exit(97)  # a run that cannot be watched proves nothing

    def _opened(self, path: object, _mode: object, flags: int) -> list[Any] | None:
        if not isinstance(path, str | bytes):
            return None
        text = os.path.abspath(os.fsdecode(path))
        if flags & _WRITES:
            return ["write", text]
        return ["read", text] if text.startswith(self._watched) or "/.ssh/" in text else None

    def _executed(self, code: object) -> list[Any] | None:
        if not isinstance(code, CodeType):
            return None
        name = code.co_filename
        if not name.startswith("<") and not self._is_known(name):
            return ["outside", name, _token_in(code)]
        if "/dangerous_nets/" in name:  # its own modules may name what they do
            return None
        return ["text", name, token] if (token := _token_in(code)) else None

    def _is_known(self, path: str) -> bool:
        if path not in self._known:
            whole = os.path.realpath(path)
            self._known[path] = whole.startswith(self._roots) and not whole.startswith(
                self._watched
            )
        return self._known[path]

    def _caller(self) -> tuple[str, bool]:
        """Return the nearest code outside the standard library, and whether an import is under way."""
        frame: FrameType | None = sys._getframe(1)
        caller, importing = "", False
        while frame is not None:
            name = frame.f_code.co_filename
            if name == "<frozen importlib._bootstrap>":
                importing = True
            elif not caller and name != __file__ and not self._is_library(name):
                caller = name
            frame = frame.f_back
        return caller, importing

    def _is_library(self, name: str) -> bool:
        if name.startswith("<"):
            return name.startswith("<frozen ")
        is_site = "site-packages" in name or name.startswith(self._watched)
        # a multiprocessing pickle is one of optplan's own processes talking to another
        return name.startswith(self._library) and not is_site and "multiprocessing" not in name


def _addressed(event: str, args: tuple[Any, ...]) -> list[Any] | None:
    if event in ("socket.__new__", "socket.gethostname", "socket.sethostname"):
        return None
    family = getattr(args[0], "family", None)
    if family is not None and int(family) == 1:  # AF_UNIX
        return None
    return [_plain(arg) for arg in (args[1:] if family is not None else args)]


def _token_in(code: CodeType) -> str:
    """Return the token in a code object's names and constants, '' for none."""
    for value in (*code.co_names, *code.co_varnames, *code.co_consts):
        if isinstance(value, CodeType):
            found = _token_in(value)
        elif isinstance(value, str | bytes | tuple):
            found = _cut(repr(value))
        else:
            continue
        if found:
            return found
    return ""


def _cut(text: str) -> str:
    start = text.find(TOKEN)
    return text[start : start + 40] if start >= 0 else ""


def _plain(value: object) -> object:
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return os.fsdecode(value)
    return value if isinstance(value, str) else repr(value)


def _watch_hooks(reporter: _Reporter) -> None:
    """Have the reporter stay the last hook."""
    add = sys.addaudithook

    def addaudithook(hook: Callable[[str, tuple[Any, ...]], None]) -> None:
        add(hook)
        wanted = reporter.latest + 1
        add(reporter.hook(wanted))
        sys.audit("watcher.probe")
        if reporter.answered == wanted:
            reporter.latest = wanted
        else:
            reporter.write("watcher.lost", [repr(hook)])

    sys.addaudithook = addaudithook
    add(reporter.hook(0))


def _watch_processes(reporter: _Reporter) -> None:
    """Report what is started beneath ``subprocess`` and ``multiprocessing``, which no audit event tells."""
    import _posixsubprocess

    real = _posixsubprocess.fork_exec

    def fork_exec(*args: Any) -> int:
        reporter.write("fork_exec", [_plain(args[1][0]), " ".join(map(str, map(_plain, args[0])))])
        return int(real(*args))

    _posixsubprocess.fork_exec = fork_exec


def _start() -> None:
    with open(os.path.join(sys.prefix, SETUP), encoding="utf-8") as file:
        setup = json.load(file)
    site.PREFIXES.extend(p for p in setup["prefixes"] if p not in site.PREFIXES)
    for folder in setup["packages"]:
        site.addsitedir(folder)
    try:
        pipe = os.open(os.path.join(sys.prefix, PIPE), os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # nobody watches: the environment is being made
        return
    os.set_blocking(pipe, True)
    descriptor = fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    os.close(pipe)
    reporter = _Reporter(descriptor, setup["roots"], setup["library"], setup["watched"])
    _watch_processes(reporter)
    _watch_hooks(reporter)
    reporter.write("start", [" ".join(sys.orig_argv)])


if __name__ == "sitecustomize":
    _start()
