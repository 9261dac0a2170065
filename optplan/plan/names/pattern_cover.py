"""Few shapes that match the wanted names and no other: a greedy set cover."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from optplan.plan.names.name_index import NameBits
from optplan.plan.names.name_shapes import (
    Gap,
    Item,
    Part,
    Shape,
    Stem,
    Words,
    cost,
    literal,
    numbered,
    only,
)

_ROUNDS = 32
_POOR_ROUNDS = 6  # rounds of a kind that would take twice as many; then the names have no system
_WIDENED = 6
_MOST_WORDS = 6
_LARGE_VOCABULARY = 1000


def cover(index: NameBits) -> list[Shape]:
    """Return shapes that together match exactly the wanted names."""
    stems = _stems(index.vocabulary)
    found: list[Shape] = []
    missing, poor = index.wanted, 0
    while missing and len(found) < _ROUNDS and poor < _POOR_ROUNDS:
        shape = _best(index, stems, missing)
        found.append(_as_name(index, shape))
        poor += _gain(index, shape, missing) * 2 * _ROUNDS < missing.bit_count()
        missing &= ~index.matched(shape)
    rest = [literal(index.components[name]) for name in index.indices(missing)]
    return _needed(index, folded([*found, *rest]))


def folded(shapes: list[Shape]) -> list[Shape]:
    """Return the same names by fewer shapes: those that differ in one component become one."""
    deepest = max(map(len, shapes), default=0)
    orders = (range(deepest), range(deepest - 1, -1, -1))
    return min((_folded(shapes, order) for order in orders), key=len)


def _folded(shapes: list[Shape], order: Iterable[int]) -> list[Shape]:
    for position in order:
        together: dict[tuple[Shape, Shape | None], frozenset[str]] = {}
        for shape in shapes:
            item = shape[position] if position < len(shape) else None
            if isinstance(item, Words):
                key = (shape[:position], shape[position + 1 :])
                together[key] = together.get(key, frozenset()) | item.words
            else:
                together[shape, None] = frozenset()
        shapes = [
            before if behind is None else (*before, Words(words), *behind)
            for (before, behind), words in together.items()
        ]
    return shapes


def _best(index: NameBits, stems: dict[Stem, list[str]], missing: int) -> Shape:
    """Return the exact shape that covers the first missing name and most others."""
    exact: list[tuple[int, float, Shape]] = []
    kept: list[frozenset[int]] = []
    for candidate in candidates(index.components[index.first(missing)], index):
        if any(fewer <= candidate.kept for fewer in kept):
            continue  # it matches less than an exact one
        matched = index.matched(candidate.shape)
        if index.exact(matched):
            gain = (matched & missing).bit_count()
            exact.append((gain, cost(candidate.shape), candidate.shape))
            if not candidate.in_part:
                kept.append(candidate.kept)
    by_gain = sorted(exact, key=lambda found: (-found[0], found[1]))[:_WIDENED]
    by_cost = sorted(exact, key=lambda found: (found[1], -found[0]))[:_WIDENED]
    shapes = dict.fromkeys(shape for *_, shape in by_gain + by_cost)
    widened = [_widened(index, stems, shape, missing) for shape in shapes]
    return max(widened, key=lambda shape: _gain(index, shape, missing) / cost(shape))


def _as_name(index: NameBits, shape: Shape) -> Shape:
    """Return a shape, but a name itself where it matches but one."""
    matched = index.matched(shape)
    return literal(index.components[index.first(matched)]) if matched.bit_count() == 1 else shape


def _gain(index: NameBits, shape: Shape, missing: int) -> int:
    return (index.matched(shape) & missing).bit_count()


def _widened(index: NameBits, stems: dict[Stem, list[str]], shape: Shape, missing: int) -> Shape:
    """Return a shape with its components replaced by all that fit in their places."""
    for position in reversed(range(len(shape))):
        item = shape[position]
        if not isinstance(item, Words):
            continue
        (word,) = item.words
        stem = numbered(word)
        words = {word, *index.fillings(shape, position, stems[stem[0]] if stem else [])}
        if not word.isdigit() and len(index.vocabulary) <= _LARGE_VOCABULARY:
            words = _with_others(index, shape, position, words, missing)
        wider = _replaced(shape, position, words)
        starred = joined((*shape[:position], Gap(), *shape[position + 1 :]))
        if len(words) > 1 and len(starred) == len(shape) and index.exact(index.matched(starred)):
            wider = starred
        shape = wider
    return shape


def _with_others(
    index: NameBits, shape: Shape, position: int, words: set[str], missing: int
) -> set[str]:
    """Return the words and others that fit in their place, as far as they cover more of what is missing."""
    others = [one for one in index.vocabulary if one not in words and not one.isdigit()]
    gains = {
        word: index.matched(_replaced(shape, position, {word})) & missing
        for word in index.fillings(shape, position, others)
    }
    covered = index.matched(_replaced(shape, position, words))
    found = set(words)
    for word in sorted(gains, key=lambda word: -gains[word].bit_count()):
        if gains[word] & ~covered and len(found) < len(words) + _MOST_WORDS - 1:
            covered |= gains[word]
            found.add(word)
    return _useful(index, shape, position, found) if len(found) > len(words) else found


def _useful(index: NameBits, shape: Shape, position: int, words: set[str]) -> set[str]:
    """Return the words without those whose names the others match too."""
    whole = index.matched(_replaced(shape, position, words))
    for word in sorted(words):
        fewer = words - {word}
        if fewer and index.matched(_replaced(shape, position, fewer)) == whole:
            words = fewer
    return words


def _replaced(shape: Shape, position: int, words: Iterable[str]) -> Shape:
    return (*shape[:position], Words(frozenset(words)), *shape[position + 1 :])


def _needed(index: NameBits, shapes: list[Shape]) -> list[Shape]:
    """Return the shapes without those whose names the others match too."""
    if len(shapes) > 2 * _ROUNDS:
        return shapes
    matched = {shape: index.matched(shape) for shape in shapes}
    for shape in sorted(matched, key=lambda shape: matched[shape].bit_count()):
        others = 0
        for other, ends in matched.items():
            others |= ends if other != shape else 0
        if not matched[shape] & ~others:
            del matched[shape]
    return list(matched)


def _stems(vocabulary: Iterable[str]) -> dict[Stem, list[str]]:
    """Return components that differ in their last number only."""
    found: dict[Stem, list[str]] = {}
    for word in vocabulary:
        if parts := numbered(word):
            found.setdefault(parts[0], []).append(word)
    return found


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
