"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from optplan.errors import OutputError
from optplan.runtime.interrupts import InterruptsWait


def write_whole(path: Path, text: str, *, makes_folder: bool = False) -> None:
    """Write a text to a file; what is no regular file is written to as it is.

    Args:
        path: The file.
        text: The text.
        makes_folder: Make its folder where there is none.

    Raises:
        OutputError: It cannot be written; what was there before is there still.
    """
    import shutil

    try:
        if makes_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.stat()  # a circle of links raises; resolve raises for it before Python 3.13 only
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        target = path.resolve()
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with InterruptsWait():
            try:
                with draft.open(
                    "x", encoding="utf-8", errors="backslashreplace", newline="\n"
                ) as file:
                    file.write(text)
                if target.exists():
                    shutil.copymode(target, draft)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {str(path)!r}: {reason}") from error
