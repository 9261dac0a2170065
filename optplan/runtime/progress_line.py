"""A line on a terminal that says what takes long, for as long as it does."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SECONDS = 0.5


class _State:
    shows = False


def show_progress(*, shows: bool) -> None:
    """Let commands say what takes long; code that imports optplan is never told."""
    _State.shows = shows


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a text on stderr while something takes longer than a moment, where that is a terminal."""
    if not (_State.shows and _is_terminal()):
        yield
        return
    line = _Line(text)
    timer = threading.Timer(_SECONDS, line.show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        line.clear()


def _is_terminal() -> bool:
    if os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("CI"):
        return False
    return sys.stderr is not None and sys.stderr.isatty()


class _Line:
    """One line, which is shown at most once and not after it is cleared."""

    def __init__(self, text: str) -> None:
        self._text = f"optplan: {text} …"[:78]
        self._lock = threading.Lock()
        self._is_shown = self._is_over = False

    def show(self) -> None:
        with self._lock, suppress(OSError, ValueError):
            if not self._is_over:
                self._is_shown = True
                sys.stderr.write(f"\r{self._text}")
                sys.stderr.flush()

    def clear(self) -> None:
        with self._lock, suppress(OSError, ValueError):
            self._is_over = True
            if self._is_shown:
                sys.stderr.write(f"\r{' ' * len(self._text)}\r")
                sys.stderr.flush()
