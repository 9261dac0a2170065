"""Standard streams whose reader may leave: what is known of the exit status stays as it is."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any


class _Pipe(io.FileIO):
    """A descriptor that takes whatever nobody reads any more."""

    def write(self, data: Any) -> Any:
        """Write as a file does; what a closed pipe refuses is dropped."""
        try:
            return super().write(data)
        except BrokenPipeError:
            # others that write to the descriptor, as subprocesses do, must not fail either
            self._lead_nowhere()
            return memoryview(data).nbytes

    def _lead_nowhere(self) -> None:
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def unbroken_pipes() -> Iterator[None]:
    """Let stdout and stderr take what their reader, as ``head``, does not want any more."""
    before = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    sys.stdout = sys.__stdout__ = _unbroken(sys.stdout, 1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _unbroken(sys.stderr, 2)  # type: ignore[misc]
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream not in before and stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
        sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = before  # type: ignore[misc]


def _unbroken(stream: Any, descriptor: int) -> Any:
    """Return the stream of a standard descriptor, on which a closed pipe is no error; any other as it is."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # the same with PYTHONUNBUFFERED
    if type(raw) is not io.FileIO or raw.fileno() != descriptor:
        return stream
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    pipe: Any = _Pipe(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        pipe if raw is buffer else io.BufferedWriter(pipe),
        encoding=stream.encoding,
        errors=PLAIN,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


# The name of what is registered here, for a stream's ``errors``.
PLAIN = "optplan.plain_characters"

_WORDS = {
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "×": "x",
    "·": "-",
    "…": "...",
    "√": "sqrt",
    "α": "alpha",
    "β": "beta",
    "η": "eta",
    "λ": "lambda",
    "π": "pi",
    "∏": "prod",
    "″": '"',
    "′": "'",
}
_LETTERS = str.maketrans(
    "–—−‐‑‒─━│┃├└┌┐┘┬┴┤┼╭╮╰╯₀₁₂₃" + "▁▂▃▄▅▆▇█" + "▏▎▍▌▋▊▉░" + "‘’“”",
    "------==||+++++++++" + "++++0123" + "_.-=+*##" + "---####." + "''\"\"",
)
_BRAILLE = range(0x2800, 0x2900)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written for the characters that an encoder refused, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    return "".join(_written(one) for one in refused), error.end


def _written(character: str) -> str:
    if ord(character) in _BRAILLE:  # a part of a curve
        return " " if ord(character) == _BRAILLE[0] else "*"
    plain = _WORDS.get(character) or character.translate(_LETTERS)
    return plain.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(PLAIN, _plain)
