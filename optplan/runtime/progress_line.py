"""A line on a terminal that says what takes long, for as long as it does."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SECONDS = 0.5
_LEAST_SECONDS = 0.1


class _State:
    shows = False
    lock = threading.Lock()
    length = 0
    said_at = 0.0


def show_progress(*, shows: bool) -> None:
    """Let commands say what takes long; code that imports optplan is never told."""
    _State.shows = shows


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a text on stderr while something takes longer than a moment, where that is a terminal."""
    if not _shows():
        yield
        return
    is_over = threading.Event()

    def show() -> None:
        with _State.lock:
            if not is_over.is_set():
                _write(text)

    timer = threading.Timer(_SECONDS, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        is_over.set()
        clear_progress()


def say_progress(text: str) -> None:
    """Show at once what is being done, unless another text was shown a moment ago."""
    now = time.monotonic()
    if _shows() and now - _State.said_at >= _LEAST_SECONDS:
        _State.said_at = now
        with _State.lock:
            _write(text)


def clear_progress() -> None:
    """Empty the line."""
    with _State.lock, suppress(OSError, ValueError):
        if _State.length:
            sys.stderr.write(f"\r{' ' * _State.length}\r")
            sys.stderr.flush()
            _State.length = 0


def _shows() -> bool:
    kind = os.environ.get("TERM", "" if os.name == "nt" else "dumb")  # Windows sets none
    if not _State.shows or kind == "dumb" or os.environ.get("CI"):
        return False
    return sys.stderr is not None and sys.stderr.isatty()


def _write(text: str) -> None:
    shown = f"optplan: {text} …"[:78]
    with suppress(OSError, ValueError):
        sys.stderr.write(f"\r{shown.ljust(_State.length)}")
        sys.stderr.flush()
        _State.length = len(shown)
