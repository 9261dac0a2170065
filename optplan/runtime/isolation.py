"""Run named code in a process of its own, which is restricted and bounded, and answers in plain data."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from optplan.errors import OptplanError
from optplan.runtime.interrupts import at_interrupt
from optplan.runtime.plain_data import plain_loads
from optplan.runtime.workers import Workers, started_workers

# What a stranger's code may take. README states both.
SECONDS = 120
MEMORY = 8 << 30
# A loaded machine gives a process a part of its time only, and one that sleeps uses none.
_CLOCK = 3
_PATIENCE = 0.1
_LARGEST_FILE = 1 << 30
_MOST_MESSAGES = 1_000_000
_PIPE = "messages"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The time and memory that one question to the process may take.

    Args:
        seconds: Seconds of processor time (on Linux), and three times as many by the clock.
        memory: Bytes of resident memory (on Linux).
    """

    seconds: float = SECONDS
    memory: int = MEMORY

    @classmethod
    def from_environment(cls) -> Bounds:
        """Return the bounds, as ``OPTPLAN_ISOLATED_SECONDS`` and ``OPTPLAN_ISOLATED_MEMORY`` (bytes) set them."""
        return cls(
            seconds=float(os.environ.get("OPTPLAN_ISOLATED_SECONDS", SECONDS)),
            memory=int(os.environ.get("OPTPLAN_ISOLATED_MEMORY", MEMORY)),
        )


class IsolatedError(OptplanError):
    """The process ended, exceeded a bound, or answered with something else than plain data."""


class IsolatedProcess:
    """A process that answers questions until it is closed or fails.

    Args:
        serve: What it runs with its connection, a function that can be imported by its name.
        bounds: What each question may take.
        files: The files that it may read beside what is installed, once it runs code of a config's naming;
            None where the user's own code runs there too, which may read and write any.
    """

    def __init__(
        self,
        serve: Callable[[Connection], None],
        bounds: Bounds,
        files: tuple[str, ...] | None = None,
    ) -> None:
        self._bounds = bounds
        self._stack = contextlib.ExitStack()
        folder = tempfile.TemporaryDirectory(prefix="optplan-", ignore_cleanup_errors=True)
        scratch = self._stack.enter_context(folder)
        self._stack.callback(at_interrupt(folder.cleanup))
        self._messages = self._stack.enter_context(_Messages(scratch))
        workers: Workers = self._stack.enter_context(started_workers(2))
        ((self._connection, self._process),) = workers.items()
        self._connection.send(
            _Start(
                serve=serve,
                scratch=scratch,
                files=files,
                is_shown=sys.stderr is not None and sys.stderr.isatty(),
            )
        )

    def send(self, question: object) -> None:
        """Send a question."""
        with contextlib.suppress(OSError):  # the answer says that the process has ended
            self._connection.send(question)

    def answer(self) -> Any:
        """Wait for an answer, which is plain data.

        Raises:
            IsolatedError: There is none within the bounds.
        """
        seconds = self._bounds.seconds
        clock = time.monotonic() + seconds * _CLOCK
        used = _processor_time(self._process.pid) + seconds
        printed = 0
        while self._connection not in (ready := self._ready()):
            printed += self._messages.relay(_MOST_MESSAGES - printed) if ready else 0
            if printed >= _MOST_MESSAGES:
                raise self._failed(f"printed more than {_MOST_MESSAGES:,} bytes")
            if _processor_time(self._process.pid) > used or time.monotonic() > clock:
                raise self._failed(f"took more than {seconds:g} seconds")
            if _resident(self._process.pid) > self._bounds.memory:
                raise self._failed(
                    f"took more than {self._bounds.memory / (1 << 30):.3g} GiB of memory"
                )
        try:
            data = self._connection.recv_bytes()
            self._messages.relay(_MOST_MESSAGES)
            return plain_loads(data)
        except (EOFError, OSError):
            self._process.join(5)
            self._messages.relay(_MOST_MESSAGES)
            raise self._failed(f"ended its process (status {self._process.exitcode})") from None
        except pickle.UnpicklingError as error:
            raise self._failed(f"answered with {error}") from None

    def close(self) -> None:
        """End the process."""
        self._stack.close()

    def _ready(self) -> list[Any]:
        return wait([self._connection, *self._messages.pipes], _PATIENCE)

    def _failed(self, what: str) -> IsolatedError:
        self.close()
        return IsolatedError(
            f"code that the config names {what}",
            hint="--trust runs it without a process of its own, and without bounds",
        )


class _Messages:
    """Show what the process prints, up to a limit.

    Args:
        folder: Where the pipe for it is made.

    Attributes:
        pipes: Its end here, where the system has such pipes and the process has not closed its own.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, _PIPE)
        self.pipes: list[int] = []

    def __enter__(self) -> Self:
        if sys.platform != "win32":
            os.mkfifo(self._path, 0o600)
            self.pipes.append(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK))
        return self

    def __exit__(self, *_: object) -> None:
        while self.pipes:
            os.close(self.pipes.pop())

    def relay(self, most: int) -> int:
        """Show on stderr what there is by now; return how many bytes that was."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self.pipes and count < most:
                text = os.read(self.pipes[0], 1 << 16)
                if not text:
                    os.close(self.pipes.pop())
                count += len(text)
                with contextlib.suppress(OSError):  # stderr is closed
                    os.write(2, text)
        return count


@contextlib.contextmanager
def isolated(
    serve: Callable[[Connection], None], bounds: Bounds, files: tuple[str, ...] | None = None
) -> Iterator[IsolatedProcess]:
    """Start a process that serves, and end it afterwards; the arguments are those of :class:`IsolatedProcess`."""
    process = IsolatedProcess(serve, bounds, files)
    try:
        yield process
    finally:
        process.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """The first message to a new process, which calls it with its connection."""

    serve: Callable[[Connection], None]
    scratch: str
    files: tuple[str, ...] | None
    is_shown: bool

    def __call__(self, connection: Connection) -> None:
        from optplan.runtime.audit import restrict_process
        from optplan.runtime.landlock import prepare_wall
        from optplan.runtime.where import Where, run_named_code

        _end_with_parent()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        self._relay_messages()
        with contextlib.suppress(OSError):  # stderr is closed
            os.dup2(2, 1)  # the report is the parent's to write
        sys.dont_write_bytecode = True
        # what is refused in a thread or a finalizer of that code is told as a remark, not as a traceback
        _leave_tracker()
        sys.excepthook = lambda *_: None
        sys.unraisablehook = lambda _: None
        threading.excepthook = lambda _: None
        tempfile.tempdir = self.scratch
        os.environ.update(TMPDIR=self.scratch, TEMP=self.scratch, TMP=self.scratch)
        run_named_code(Where.ISOLATED)
        _limit_files()
        restrict_process(self.scratch)
        if self.files is not None:
            prepare_wall(self.scratch, self.files)
        self.serve(connection)

    def _relay_messages(self) -> None:
        """Have the parent show what is printed, as it is shown there."""
        pipe = os.path.join(self.scratch, _PIPE)
        if os.path.exists(pipe):
            os.dup2(os.open(pipe, os.O_WRONLY), 2)
            os.remove(pipe)
            if self.is_shown:
                sys.stderr.isatty = lambda: True  # type: ignore[method-assign]


def _limit_files() -> None:
    """Let no file grow without end, and none be written where the process crashes."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))


def _end_with_parent() -> None:
    """Have Linux end this process with the one that started it, however that ends."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)  # it ended before that


def _leave_tracker() -> None:
    """Close the pipe to the process that tracks shared memory, which this one never makes."""
    from multiprocessing import resource_tracker

    handle = getattr(resource_tracker._resource_tracker, "_fd", None)  # noqa: SLF001 - there is no other way
    if handle is not None:
        with contextlib.suppress(OSError):
            os.close(handle)


def _processor_time(pid: int | None) -> float:
    """Return the processor time of a process in seconds; 0 where the system does not say."""
    fields = _told_by_linux(pid, "stat").rpartition(b")")[2].split()
    if sys.platform != "win32" and len(fields) > 12:
        return float(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _resident(pid: int | None) -> int:
    """Return the resident memory of a process in bytes; 0 where the system does not say."""
    fields = _told_by_linux(pid, "statm").split()
    if sys.platform != "win32" and len(fields) > 1:
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _told_by_linux(pid: int | None, name: str) -> bytes:
    """Return what Linux tells of a process; nothing where there is no such process, or another system."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""
