"""What a fix replaces in the text of a file: for reports that editors and reviews apply."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

from optplan.config.edits import BREAK, Fix, edited


class TextPosition(NamedTuple):
    """A position in a text, from 1: its line, its column in characters, and in bytes of UTF-8."""

    line: int
    column: int
    byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A stretch of a file and what comes in its place.

    Args:
        fix: The change of an entry that it makes.
        start, end: The stretch; the end is the position behind it.
        text: What comes there; nothing where an entry is taken out.
    """

    fix: Fix
    start: TextPosition
    end: TextPosition
    text: str


def replacement_of(text: str, fix: Fix) -> Replacement:
    """Return what a fix alone replaces in a text.

    Raises:
        InexactError: The entry is not written where its place says, or not alone.
    """
    new = edited(text, os.path.splitext(fix.file)[1], [fix])
    start = _alike(text, new)
    same = _alike(text[start:][::-1], new[start:][::-1])
    end = len(text) - same
    return Replacement(
        fix=fix,
        start=_position(text, start),
        end=_position(text, end),
        text=new[start : len(new) - same],
    )


def _alike(first: str, second: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = zip(first, second, strict=False)
    least = min(len(first), len(second))
    return next((at for at, (one, other) in enumerate(pairs) if one != other), least)


def _position(text: str, offset: int) -> TextPosition:
    breaks = [found.end() for found in BREAK.finditer(text) if found.end() <= offset]
    before = text[breaks[-1] if breaks else 0 : offset]
    return TextPosition(len(breaks) + 1, len(before) + 1, len(before.encode()) + 1)
