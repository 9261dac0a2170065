"""Readable generalisations of one name: whole components kept, the others behind a star."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from optplan.plan.names.name_index import NameBits
from optplan.plan.names.name_shapes import Gap, Item, Part, Shape, only

_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST = 400
_MOST_CHOICES = 9
_MOST_KEPT_BESIDE_A_PART = 3


@dataclass(frozen=True, slots=True)
class ShapeCandidate:
    """A shape, the positions of the name it keeps whole, and whether another one is kept in part."""

    shape: Shape
    kept: frozenset[int]
    in_part: bool


def candidates(components: list[str], index: NameBits) -> Iterator[ShapeCandidate]:
    """Yield the shapes that match a name, the most general first and the name itself last."""
    everything = frozenset(range(len(components)))
    for kept in _kept(components):
        if len(kept) <= _MOST_KEPT_BESIDE_A_PART:
            for position in sorted(kept):
                for part in parts(components[position], index):
                    yield _candidate(components, kept - {position}, {position: part})
        if kept != everything:
            yield _candidate(components, kept, {})
    yield _candidate(components, everything, {})


def parts(component: str, index: NameBits) -> list[Part]:
    """Return the ways to name a component by a word in it: ``norm1`` is ``norm*`` and ``*norm*``."""
    found = []
    for word in dict.fromkeys(_WORD.findall(component)):
        if component.startswith(word):
            found.append(Part(word, star_before=False, star_after=True))
        if component.endswith(word):
            found.append(Part(word, star_before=True, star_after=False))
        found.append(Part(word, star_before=True, star_after=True))
    return [part for part in found if _means_a_word(part, index)]


def _means_a_word(part: Part, index: NameBits) -> bool:
    """Return False where the letters are few and occur inside of other words: ``ls`` in ``cls_token``."""
    return len(part.word) >= 4 or all(
        part.word in _WORD.findall(component) for component in index.holding(part)
    )


def _kept(components: list[str]) -> list[frozenset[int]]:
    """Return sets of positions to keep, a number only together with what it counts."""
    options: list[list[tuple[int, ...]]] = []
    for position, word in enumerate(components):
        if options and word.isdigit():
            options[-1].append((*options[-1][-1], position))
        else:
            options.append([(), (position,)])
        if len(options) > _MOST_CHOICES:  # a name that deep is kept from its begin
            options = [[(), tuple(range(position + 1))]]
    found = [frozenset(sum(choice, ())) for choice in product(*options)]
    return sorted(filter(None, found), key=len)[:_MOST]


def _candidate(
    components: list[str], kept: frozenset[int], partly: dict[int, Part]
) -> ShapeCandidate:
    items: list[Item] = []
    for position, word in enumerate(components):
        if position in kept:
            items.append(only(word))
        elif position in partly:
            items.append(partly[position])
        else:
            items.append(Gap())
    return ShapeCandidate(joined(items), kept, bool(partly))


def joined(items: Iterable[Item]) -> Shape:
    """Return a shape without stars that stand beside a star."""
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if isinstance(item, Gap) and (
            isinstance(last, Gap) or (isinstance(last, Part) and last.star_after)
        ):
            continue
        if isinstance(item, Part) and item.star_before and isinstance(last, Gap):
            found.pop()
        found.append(item)
    return tuple(found)
