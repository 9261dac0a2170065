"""Read a pickle of any protocol as plain data: every class and function in it becomes an inert record.

``torch.distributed.checkpoint`` writes its metadata with the newest protocol, which torch's own unpickler of plain
data does not read, and loads it with ``pickle``, which runs what is in it. Here nothing is imported or called.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any, Self

from optplan.checkpoints.bounded_unpickling import MOST_STEPS, KeyGuard


class Record:
    """An instance of whatever class a pickle names, with what it was made of."""

    arguments: tuple[Any, ...]
    state: dict[str, Any]

    def __new__(cls, *arguments: object) -> Self:
        """Return an instance whatever it is made with, also where nothing else is called."""
        made = super().__new__(cls)
        made.arguments, made.state = arguments, {}
        return made

    def __init__(self, *_: object) -> None:
        """Take whatever arguments."""

    def __setstate__(self, state: object) -> None:
        """Keep the attributes that a pickle gives, where these are named."""
        self.state = dict(state) if isinstance(state, dict) else {}


class _Counted(dict[int, Callable[..., None]]):
    """The methods of an unpickler by opcode, which are counted."""

    left = MOST_STEPS

    def __getitem__(self, opcode: int) -> Callable[..., None]:
        """Return the method of an opcode.

        Raises:
            ValueError: There are too many.
        """
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"it takes more than {MOST_STEPS:,} steps to read")
        return super().__getitem__(opcode)


# What hashes its operands, with those of the stack that are hashed: SETITEM, SETITEMS, DICT, ADDITEMS, FROZENSET.
_EVERY, _EVERY_SECOND = slice(None), slice(None, None, 2)
_HASHING = {
    b"s": slice(-2, -1),
    b"u": _EVERY_SECOND,
    b"d": _EVERY_SECOND,
    b"\x90": _EVERY,
    b"\x91": _EVERY,
}
# BYTEARRAY8 allocates whatever size it declares; EXT1, EXT2 and EXT4 fill a cache that all of Python shares.
_REFUSED = (b"\x96", b"\x82", b"\x83", b"\x84")
_Python: Any = pickle._Unpickler  # noqa: SLF001 - its opcodes can be counted


class _PlainUnpickler(_Python):  # type: ignore[misc]
    """Looks at keys before they are hashed, as Python's own unpickler in Python otherwise."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        guard = KeyGuard()
        methods = _Counted(_Python.dispatch)
        for opcode, looked_at in _HASHING.items():
            methods[opcode[0]] = self._guarded(methods[opcode[0]], guard, looked_at)
        for opcode in _REFUSED:
            del methods[opcode[0]]
        self.dispatch = methods

    @staticmethod
    def _guarded(
        method: Callable[..., None], guard: KeyGuard, looked_at: slice
    ) -> Callable[..., None]:
        def load(self: Any) -> None:
            guard.look_at(self.stack[looked_at])
            method(self)

        return load

    def find_class(self, *_: str) -> type[Record]:
        """Return what stands for whatever this is."""
        return Record


def plain_unpickled(content: bytes) -> Any:
    """Return what a pickle holds, with records in the place of instances.

    Raises:
        Exception: It is damaged, or exceeds a bound.
    """
    return _PlainUnpickler(io.BytesIO(content)).load()
