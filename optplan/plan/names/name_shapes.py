"""Patterns of names by their dotted components, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from optplan.plan.names.patterns import escape

_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]{0,17})([^0-9]*)", re.DOTALL)
_LIKE_A_RANGE = re.compile(r"[0-9]+-[0-9]+")


@dataclass(frozen=True, slots=True)
class Words:
    """One component, out of these."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gap:
    """Any components, one or more: ``*``."""


@dataclass(frozen=True, slots=True)
class Part:
    """A component by the word in it, and whatever surrounds it: ``norm*``, ``*norm``, ``*norm*``."""

    word: str
    star_before: bool
    star_after: bool


Item = Words | Gap | Part
Shape = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Stem:
    """What is left of a component without its last number: ``norm1`` is ``norm`` and an empty end."""

    before: str
    after: str


def only(word: str) -> Words:
    """Return the component that is this word."""
    return Words(frozenset({word}))


def literal(components: Iterable[str]) -> Shape:
    """Return the shape of one name."""
    return tuple(only(word) for word in components)


def numbered(word: str) -> tuple[Stem, int] | None:
    """Return a component's stem and number; None where it holds no number."""
    found = _NUMBERED.fullmatch(word)
    return (Stem(found[1], found[3]), int(found[2])) if found else None


def written(shape: Shape) -> str:
    """Return a shape as a pattern."""
    return ".".join(_item(item) for item in shape)


def as_alternative(pattern: str) -> str:
    """Return a pattern as it stands in braces, where the component ``0-3`` would be read as a range."""
    return pattern.replace("-", r"\-") if _LIKE_A_RANGE.fullmatch(pattern) else pattern


def cost(shape: Shape) -> float:
    """Return how hard a shape is to read; a further pattern counts for more than a longer one."""
    return 10 + sum(_item_cost(item) for item in shape)


def _item_cost(item: Item) -> float:
    match item:
        case Words(words):
            return 1 + 0.4 * (len(_alternatives(words)) - 1)
        case Part(_, star_before, star_after):
            return 1 + 0.6 * (star_before + star_after)
        case Gap():
            return 0.25


def _item(item: Item) -> str:
    match item:
        case Words(words):
            return _either(words)
        case Part(word, star_before, star_after):
            return "*" * star_before + escape(word) + "*" * star_after
        case Gap():
            return "*"


def _either(words: frozenset[str]) -> str:
    if len(words) == 1:
        return escape(next(iter(words)))
    stems = _by_stem(words)
    if len(stems) == 1 and isinstance(stem := next(iter(stems)), Stem):
        return _braced(stem, stems[stem])
    return "{" + ",".join(_alternatives(words)) + "}"


def _alternatives(words: frozenset[str]) -> list[str]:
    """Return what stands between the commas of these alternatives, sorted."""
    found = []
    for stem, numbers in _by_stem(words).items():
        if isinstance(stem, str):
            found.append(as_alternative(escape(stem)))
        elif stem == Stem("", ""):
            found.extend(_ranges(numbers))
        elif len(numbers) > 2:
            found.append(_braced(stem, numbers))
        else:
            found.extend(as_alternative(_single(stem, number)) for number in numbers)
    return found


def _by_stem(words: frozenset[str]) -> dict[Stem | str, list[int]]:
    found: dict[Stem | str, list[int]] = {}
    for word in sorted(words):
        if parts := numbered(word):
            found.setdefault(parts[0], []).append(parts[1])
        else:
            found[word] = []
    return {stem: sorted(numbers) for stem, numbers in found.items()}


def _braced(stem: Stem, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return _single(stem, numbers[0])
    return f"{escape(stem.before)}{{{','.join(_ranges(numbers))}}}{escape(stem.after)}"


def _single(stem: Stem, number: int) -> str:
    return escape(f"{stem.before}{number}{stem.after}")


def _ranges(numbers: list[int]) -> list[str]:
    found = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        values = [number for _, number in run]
        if len(values) > 2:
            found.append(f"{values[0]}-{values[-1]}")
        else:
            found.extend(map(str, values))
    return found
