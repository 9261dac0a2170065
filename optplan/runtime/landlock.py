"""Let Linux itself refuse files, programs and TCP to this process (Landlock), behind the audit hook.

It holds for native code as well, and cannot be taken back. Where the system has no Landlock, nothing happens.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from glob import glob
from typing import Any

from optplan.runtime.installed import readable_roots

# System calls, of the same numbers on all processors that torch is built for.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_PATH_BENEATH = 1
_EXECUTE, _WRITE, _READ, _LIST = 1, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _DEVICE = 1 << 14, 1 << 15
# What a rule for a single file may allow.
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE
# The rights over files that each version of the interface knows, from the first one on.
_KNOWN = ((1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
_TCP = 0b11
_SIGNALS_AND_SOCKETS = 0b11
_SYSTEM = (
    *("/lib", "/lib64", "/usr", "/opt", "/nix", "/sys", "/dev/urandom", "/dev/random"),
    *(f"/etc/{name}" for name in ("passwd", "nsswitch.conf", "ld.so.cache", "ld.so.conf.d")),
    *(
        f"/proc/{name}"
        for name in ("self", "cpuinfo", "meminfo", "stat", "sys", "driver", "devices")
    ),
)
_DEVICES = (os.devnull, "/dev/nvidia*", "/dev/dri", "/dev/kfd")
_PATH_ONLY = 0
if sys.platform == "linux":
    _PATH_ONLY = os.O_PATH | os.O_CLOEXEC


class _LandlockState:
    prepared: Callable[[], object] | None = None


def prepare_wall(scratch: str, files: Iterable[str]) -> None:
    """Say what :func:`raise_wall` is to leave open, beside what installed packages need.

    Args:
        scratch: The folder that may be written.
        files: Further files that may be read.
    """
    given = tuple(files)
    _LandlockState.prepared = lambda: _restrict(scratch, given)


def leave_open() -> None:
    """Raise no wall later: the user's own code runs in this process, which may read and write any file."""
    _LandlockState.prepared = None


def raise_wall() -> None:
    """Restrict this thread, and all that it starts, for good: where that was prepared, the first time."""
    prepared, _LandlockState.prepared = _LandlockState.prepared, None
    if prepared is not None and sys.platform == "linux":
        prepared()


def _restrict(scratch: str, files: Iterable[str]) -> bool:
    """Restrict this thread; return whether the system can, which must be Linux."""
    import ctypes

    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    version = call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))
    if version < 1:
        return False
    known = _KNOWN[min(version, len(_KNOWN)) - 1]
    fields = (known, _TCP, _SIGNALS_AND_SOCKETS)[: 1 + (version >= 4) + (version >= 6)]
    attributes = (ctypes.c_uint64 * len(fields))(*fields)
    ruleset = call(
        _CREATE, attributes, ctypes.c_size_t(ctypes.sizeof(attributes)), ctypes.c_uint(0)
    )
    if ruleset < 0:
        return False
    try:
        for path, rights in _rules(scratch, files):
            with suppress(OSError):  # there is no such file
                _allow(call, ruleset, path, rights & known)
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return bool(call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0)) == 0)
    finally:
        os.close(ruleset)


def _rules(scratch: str, files: Iterable[str]) -> Iterator[tuple[str, int]]:
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    prefixes = [os.path.join(one, "lib") for one in {sys.prefix, sys.base_prefix}]
    for path in (*readable_roots(), *_SYSTEM, *prefixes, *filter(None, libraries), *files):
        yield path, _READ | _LIST
    for pattern in _DEVICES:
        for path in glob(pattern):
            yield path, _READ | _WRITE | _LIST | _DEVICE
    yield scratch, ~_EXECUTE


def _allow(call: Any, ruleset: int, path: str, rights: int) -> None:
    """Allow something of a file, or of all below a folder."""
    import ctypes
    import stat

    handle = os.open(path, _PATH_ONLY)
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _OF_FILES
        rule = rights.to_bytes(8, sys.byteorder) + handle.to_bytes(4, sys.byteorder)
        call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
    finally:
        os.close(handle)
