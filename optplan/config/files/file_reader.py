"""Read the bytes of config files, from the disk or by a reader of the caller's."""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Protocol

from optplan.config.limits import MAX_FILE_BYTES
from optplan.errors import ConfigError

# Without O_NONBLOCK, opening a pipe would wait for its writer; without O_BINARY, Windows would end at Ctrl-Z.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Reader(Protocol):
    """Read files by absolute paths, with neither ``.`` nor ``..`` in them."""

    def exists(self, path: str) -> bool:
        """Return whether there is something to read at ``path``."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of the file at ``path``.

        Raises:
            ConfigError: It cannot be read, for a reason that is worth its own words.
            OSError: It cannot be read; FileNotFoundError where there is no such file.
        """
        ...


class DiskReader:
    """Read regular files of limited size from the disk."""

    def exists(self, path: str) -> bool:
        """Return whether there is something at ``path``."""
        return os.path.exists(path)

    def read(self, path: str) -> bytes:
        """Return the content of a regular file.

        Raises:
            ConfigError: It is a directory, a device or a pipe.
            OSError: It cannot be read.
        """
        if os.path.isdir(path):  # which Windows does not open
            raise ConfigError("it is a directory, not a config file")
        handle = os.open(path, _READING)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError("it is not a regular file")
            return _content(handle, min(status.st_size, MAX_FILE_BYTES) + 1)
        finally:
            os.close(handle)


def _content(handle: int, most: int) -> bytes:
    content = os.read(handle, most)
    if len(content) < most:
        return content
    # The file has grown since, or knows no size of its own (as in /proc).
    parts = [content]
    while parts[-1] and sum(map(len, parts)) <= MAX_FILE_BYTES:
        parts.append(os.read(handle, MAX_FILE_BYTES))
    return b"".join(parts)


DISK = DiskReader()


def decoded(content: bytes) -> str:
    """Return the text of a config file.

    Raises:
        ConfigError: It is too large, binary, or not in UTF-8.
    """
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"it is larger than {MAX_FILE_BYTES:,} bytes, too large for a config")
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise ConfigError(
            "it is in UTF-16, as PowerShell writes what it is sent by >", hint="save it as UTF-8"
        )
    if b"\0" in content:
        raise ConfigError("it is a binary file, not a config")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"it is not in UTF-8: line {line} has the byte 0x{content[error.start]:02x}",
            hint="save it as UTF-8",
        ) from None
