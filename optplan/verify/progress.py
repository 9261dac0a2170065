"""One line on a terminal that says what is being done."""

from __future__ import annotations

import sys
import time

_LEAST_SECONDS = 0.1


class Progress:
    """Write what is being done over the same line of stderr, where that is a terminal.

    Args:
        shows: Whether anything is written.
    """

    def __init__(self, *, shows: bool = False) -> None:
        self._shows = shows and sys.stderr.isatty()
        self._last = 0.0
        self._length = 0

    def say(self, text: str) -> None:
        """Show a text, unless another was shown a moment ago."""
        now = time.monotonic()
        if not self._shows or now - self._last < _LEAST_SECONDS:
            return
        self._last = now
        self._write(f"verify: {text}"[:78])

    def clear(self) -> None:
        """Empty the line."""
        if self._shows and self._length:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._length))
        sys.stderr.flush()
        self._length = len(text)
