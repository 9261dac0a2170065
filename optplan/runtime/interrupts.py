"""End a command at Ctrl-C, at once and with status 130, with nothing half-written.

A request to end (SIGTERM) does the same, but for the status, which is that of the signal.

No exception is raised for it: libraries swallow a ``KeyboardInterrupt``, and torch aborts the interpreter
where one passes through its imports. This module imports next to nothing, so that a command can begin with it.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar, NoReturn

STATUS = 130


class _InterruptState:
    """The state of the process: how many contexts hold interrupts back, and the signal that waits."""

    held = 0
    waiting: ClassVar[int | None] = None
    process = 0
    endings: ClassVar[list[Callable[[], object]]] = []


class EndingAtInterrupt:
    """Within this context Ctrl-C ends the process, unless interrupts are ignored or handled by others."""

    def __enter__(self) -> None:
        self._is_ours = install()

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if signal.getsignal(signal.SIGTERM) is _end:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)


class InterruptsWait:
    """Within this context an interrupt waits for something short, such as writing a file; a second does not."""

    def __enter__(self) -> None:
        _InterruptState.held += 1

    def __exit__(self, *_: object) -> None:
        _InterruptState.held -= 1
        if _InterruptState.waiting is not None and not _InterruptState.held:
            _end(_InterruptState.waiting)


def at_interrupt(ending: Callable[[], object]) -> Callable[[], None]:
    """Have something called before an interrupt ends the process; give what takes that back."""
    _InterruptState.endings.append(ending)
    return lambda: _InterruptState.endings.remove(ending)


def install() -> bool:
    """End the process at Ctrl-C from now on, unless something else is done about it; give whether it is."""
    try:
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            return False
        signal.signal(signal.SIGINT, _end)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _end)
    except ValueError:  # only the main thread may
        return False
    _InterruptState.process = os.getpid()
    return True


def ignore_at_exit() -> None:
    """Ignore Ctrl-C from now on, where it would have ended the process: nothing is left to interrupt.

    An interpreter that ends takes its handlers back, and would die of the signal, but leaves this alone.
    """
    if _InterruptState.process == os.getpid():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_process(status: int) -> NoReturn:
    """End this process with an exit status, without finalizing the interpreter.

    Processes that ``torch.distributed`` joins need this. A thread of gloo releases the tensors of its last collective
    some time after that has ended, and takes the GIL to do so. A thread that asks for the GIL of an interpreter that
    finalizes is unwound through destructors, and the process aborts: "terminate called without an active exception".
    Destroying the group does not join the thread: the caches of DTensor refer to the group.
    """
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001 - what is registered there has to be done in any case
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue  # closed
    os._exit(status)


def _end(number: int, *_: object) -> None:
    if _InterruptState.held and _InterruptState.waiting is None:
        _InterruptState.waiting = number
        return
    if os.getpid() == _InterruptState.process:  # else a child that was forked from it
        _end_children()
        for ending in _InterruptState.endings:
            ending()
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    if os.getpid() == _InterruptState.process:
        _say()
    os._exit(STATUS)


def _end_children() -> None:
    processes = sys.modules.get("multiprocessing.process")
    for child in () if processes is None else processes.active_children():
        try:
            child.kill()  # what ignores a milder signal as well
        except Exception:  # noqa: BLE001 - whatever became of it, the others are to end
            continue


def _say() -> None:
    if sys.stderr is None:  # its descriptor may be a file that was opened since
        return
    try:
        os.write(2, b"interrupted\n")
    except OSError:
        return
