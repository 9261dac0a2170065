"""Tell what is wrong with data from JSON, and where in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

_SHOWN = 60
_LONGEST = 10  # parts of a path that a message shows


class MisfitError(Exception):
    """A value that does not fit.

    Args:
        problem: What is wrong with it.
        path: The keys and indices that lead to it.
    """

    def __init__(self, problem: str, *path: str | int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = [*reversed(path)]

    def __str__(self) -> str:
        return f"{path_text(self.path[::-1])}: {self.problem}"


def at(name: str | int, read: Callable[[Any], Any], data: Any) -> Any:
    """Read what stands under a name or an index.

    Raises:
        MisfitError: It does not fit; the name is in the path.
    """
    try:
        return read(data)
    except MisfitError as error:
        error.path.append(name)
        raise


def path_text(path: Sequence[str | int]) -> str:
    """Return where a value is: ``parameters[3].lr``; 'the file' for the whole, and a long path is cut."""
    text = "".join(
        f".{part}"
        if isinstance(part, str) and part.isidentifier() and part.isascii()
        else f"[{json.dumps(part)}]"
        for part in path[:_LONGEST]
    ) + "…" * (len(path) > _LONGEST)
    return text.removeprefix(".") or "the file"


def got(value: object) -> str:
    """Return a value as a message shows it: its JSON text, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
