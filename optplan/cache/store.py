"""Keep entries on disk: JSON by a key, written as a whole, checked when they are read, bounded in size.

A cache may fail, but never a command because of it: what cannot be read is not there, and what cannot be
written is left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optplan.runtime.audit import lifted
from optplan.runtime.interrupts import InterruptsWait
from optplan.runtime.where import Where, named_code_runs

FORMAT = 1
LIMIT = 64 << 20  # bytes; all of timm's architectures together need about as much
_KEPT = 0.75  # of the limit, once it is passed: not every new entry has to make room
_PREFIX, _SUFFIX = "optplan-", ".json"
_ENTRY = rf"{_PREFIX}[a-z]+-[0-9a-f]{{40}}\{_SUFFIX}"
_DRAFT = r"\.\w+\.tmp"
_OLD_DRAFT = 3600  # seconds after which whoever wrote one has surely ended


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """A file of the cache.

    Args:
        path: The file.
        kind: What it remembers.
        size: Its size in bytes.
        used: When it was last read or written, in seconds since the epoch.
    """

    path: str
    kind: str
    size: int
    used: float


class Store:
    """A folder of entries, which several processes may read and write at once.

    Args:
        folder: The folder; it is made when something is put there.
        limit: How many bytes it may hold.
    """

    def __init__(self, folder: str, *, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit

    @lifted()
    def get(self, kind: str, key: Mapping[str, Any]) -> Any:
        """Return what was put there under the key; None for nothing, and for an entry that is damaged or foreign."""
        header = _header(kind, key)
        path = self._path(kind, header)
        try:
            with open(path, encoding="utf-8", opener=_opened) as file:
                first, checksum, body = file.read().split("\n", 2)
        except (OSError, ValueError):  # ValueError for what is no UTF-8, or has not three lines
            return None
        if first != header or checksum != _checksum(body):
            return None
        with contextlib.suppress(OSError):  # a process of a config's code changes nothing
            os.utime(path)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):  # an entry that somebody made up
            return None

    def put(self, kind: str, key: Mapping[str, Any], data: Any) -> None:
        """Remember plain data under a key, but for a process that runs code of a config's naming."""
        if named_code_runs() is Where.ISOLATED:
            return
        header = _header(kind, key)
        body = json.dumps(data, separators=(",", ":"))
        path = self._path(kind, header)
        with contextlib.suppress(OSError):  # a full disk, a folder of someone else's
            os.makedirs(self.folder, exist_ok=True)
            _write(path, "\n".join((header, _checksum(body), body)))
            self._make_room()

    def entries(self) -> tuple[CacheEntry, ...]:
        """Return all entries, those used last first; nothing else that lies in the folder."""
        found = (_entry(file) for file in self._files(_ENTRY))
        return tuple(sorted(filter(None, found), key=lambda entry: (-entry.used, entry.path)))

    def clear(self) -> int:
        """Remove all entries; gives how many there were.

        Raises:
            OSError: One cannot be removed; the others are.
        """
        found = self.entries()
        failure: OSError | None = None
        for entry in (*found, *self._drafts()):
            try:
                os.unlink(entry.path)
            except FileNotFoundError:
                continue
            except OSError as error:
                failure = error
        if failure is not None:
            raise failure
        return len(found)

    def _path(self, kind: str, header: str) -> str:
        digest = hashlib.sha256(header.encode()).hexdigest()
        return os.path.join(self.folder, f"{_PREFIX}{kind}-{digest[:40]}{_SUFFIX}")

    def _files(self, names: str) -> list[os.DirEntry[str]]:
        """Return our own regular files; the folder may hold others."""
        try:
            with os.scandir(self.folder) as found:
                return [
                    file
                    for file in found
                    if re.fullmatch(names, file.name) and file.is_file(follow_symlinks=False)
                ]
        except OSError:
            return []

    def _drafts(self) -> list[CacheEntry]:
        return [entry for file in self._files(_ENTRY + _DRAFT) if (entry := _entry(file))]

    def _make_room(self) -> None:
        """Forget what was not used for longest, and what a process that was killed has left."""
        now = time.time()
        doomed = [draft for draft in self._drafts() if now - draft.used > _OLD_DRAFT]
        entries = self.entries()
        if sum(entry.size for entry in entries) > self.limit:
            room = self.limit * _KEPT
            for entry in entries:
                room -= entry.size
                if room < 0:
                    doomed.append(entry)
        for entry in doomed:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def _header(kind: str, key: Mapping[str, Any]) -> str:
    """Return one line that says all that the entry stands for: it is compared as a whole."""
    return json.dumps({"optplan_cache": FORMAT, "kind": kind, "key": key}, sort_keys=True)


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _opened(path: str, flags: int) -> int:
    """Open a regular file; what is none, as a pipe, may never give an answer.

    Raises:
        OSError: It is none, or cannot be opened.
    """
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is no regular file")
    return handle


def _entry(file: os.DirEntry[str]) -> CacheEntry | None:
    try:
        found = file.stat()
    except OSError:  # another process removed it
        return None
    kind = file.name.removeprefix(_PREFIX).rpartition("-")[0]
    return CacheEntry(path=file.path, kind=kind, size=found.st_size, used=found.st_mtime)


def _write(path: str, text: str) -> None:
    """Write a file as a whole or not at all, whoever else writes it too."""
    import tempfile  # takes as long to import as an entry to read

    folder, name = os.path.split(path)
    with InterruptsWait():
        handle, draft = tempfile.mkstemp(prefix=f"{name}.", suffix=".tmp", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(draft, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise


VARIABLE = "OPTPLAN_CACHE_DIR"


def cache_folder() -> str:
    """Return the folder that ``OPTPLAN_CACHE_DIR`` names, else the platform's folder for caches."""
    named = os.environ.get(VARIABLE)
    if named:
        return os.path.abspath(os.path.expanduser(named))
    from platformdirs import user_cache_dir

    return user_cache_dir("optplan", appauthor=False)
