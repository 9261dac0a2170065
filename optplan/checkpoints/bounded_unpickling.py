"""Bounds what torch's unpickler of plain data does, and stands in for what a checkpoint holds besides."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Self

import torch
from torch import _weights_only_unpickler as plain_unpickler

# Reads of an opcode or its argument, and values in the keys that are hashed; each takes about a microsecond.
MOST_STEPS = 40_000_000
# Python hashes nested tuples by recursion, and one that holds another twice hashes it twice.
_DEEPEST_KEY = 200
_read_global: Any = plain_unpickler._read_global_instruction  # noqa: SLF001
_ALLOWED: Any = plain_unpickler._get_allowed_globals, plain_unpickler._get_user_allowed_globals  # noqa: SLF001
_SETITEM, _SETITEMS, _REDUCE = b"s", b"u", b"R"


class Inert:
    """Stands for whatever else a checkpoint holds: it takes any data and keeps the texts that make it.

    A function of a class is saved as ``getattr(class, name)``: its name is such a text.
    """

    def __init__(self, *arguments: object) -> None:
        self.texts = tuple(one for one in arguments if isinstance(one, str))

    def __new__(cls, *_: object) -> Self:
        """Return an instance whatever it is made with."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Take a state and leave it."""


class KeyGuard:
    """Counts the values in keys before they are hashed, and other steps of reading a pickle."""

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def charge(self, steps: int) -> None:
        """Count steps.

        Raises:
            ValueError: They are more than are taken.
        """
        self._left -= steps
        if self._left < 0:
            raise ValueError(f"it takes more than {MOST_STEPS:,} steps to read")

    def look_at(self, values: Iterable[object]) -> None:
        """Count the values in keys, or in arguments of which keys may be made.

        Raises:
            ValueError: They are too many, or nested too deeply.
        """
        waiting: list[tuple[Any, int]] = [(one, 0) for one in values if isinstance(one, tuple)]
        while waiting:
            value, depth = waiting.pop()
            self.charge(len(value) + 1)
            if depth > _DEEPEST_KEY:
                raise ValueError(f"a key in it is nested more than {_DEEPEST_KEY} deep")
            waiting += [(one, depth + 1) for one in value if isinstance(one, tuple | list)]


class _BoundedUnpickler(plain_unpickler.Unpickler):
    """Reads opcodes through counters, as torch's own otherwise.

    Attributes:
        stand_ins: Holds the permissions for inert classes until reading ends.
    """

    stand_ins: contextlib.ExitStack

    def __init__(self, file: Any, **named: Any) -> None:
        super().__init__(file, **named)
        self._read, self._readline, self._guard = self.read, self.readline, KeyGuard()
        self.read, self.readline = self._opcode, self._named
        self._lines: list[bytes] = []

    def _argument(self, size: int) -> bytes:
        """Read the argument of an opcode."""
        self._guard.charge(1)
        found: bytes = self._read(size)
        return found

    def _opcode(self, size: int) -> bytes:
        """Read an opcode, and look at the keys that it hashes."""
        self.read = self._argument  # the loop over opcodes keeps the one that it found at its start
        found = self._argument(size)
        if found == _SETITEM:
            self._guard.look_at(self.stack[-2:-1])
        elif found == _SETITEMS:
            self._guard.look_at(self.stack[::2])
        elif found == _REDUCE:
            self._guard.look_at(self.stack[-1:])
        return found

    def _named(self) -> bytes:
        """Read a line of a global's name, and let something inert stand for one that is not allowed."""
        line: bytes = self._readline()
        self._lines.append(line)
        if len(self._lines) == 2:
            lines, self._lines = iter(self._lines), []
            name = ".".join(_read_global(lambda: next(lines)))
            if not any(name in names() for names in _ALLOWED):
                self.stand_ins.enter_context(torch.serialization.safe_globals([(Inert, name)]))
        return line


@contextlib.contextmanager
def bounded_unpickling() -> Iterator[None]:
    """Have ``torch.load(..., weights_only=True)`` keep to the bounds meanwhile."""
    with contextlib.ExitStack() as stack:
        bounded = type("Unpickler", (_BoundedUnpickler,), {"stand_ins": stack})
        original, vars(plain_unpickler)["Unpickler"] = plain_unpickler.Unpickler, bounded
        try:
            yield
        finally:
            vars(plain_unpickler)["Unpickler"] = original
