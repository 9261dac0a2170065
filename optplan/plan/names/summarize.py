"""A set of names as few patterns."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from functools import cached_property, reduce
from itertools import takewhile
from operator import or_

from optplan.errors import UsageError
from optplan.plan.names.name_index import NameBits
from optplan.plan.names.name_shapes import Shape, as_alternative, written
from optplan.plan.names.pattern_cover import cover
from optplan.plan.names.patterns import NameTree, escape

_NAMES_A_PATTERN = 10  # a pattern should stand for as many names at least, unless there are
_FEW_NAMES = 10  # no more than these; to that end so many
_MOST_TOGETHER = 12  # patterns may become one


class Summarizer:
    """Summarizes several sets of names among the same ones, of which it learns but once."""

    def __init__(self, among: Sequence[str]) -> None:
        self._known = list(dict.fromkeys(among))
        self._places = {name: index for index, name in enumerate(self._known)}

    @cached_property
    def _tree(self) -> NameTree:
        return NameTree(self._known)

    @cached_property
    def _bits(self) -> NameBits:
        return NameBits(self._known)

    def patterns(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return few patterns that match exactly some of the names.

        Args:
            names: The names to match, in any order.

        Returns:
            The patterns, in the order of the first name that each matches: ``*`` alone for all names, and
            a single name as itself.

        Raises:
            ValueError: A name is not among the others.
        """
        chosen = set(names)
        if missing := chosen.difference(self._places):
            raise ValueError(f"names that are not among all names: {sorted(missing)[:5]}")
        if not chosen:
            return ()
        if len(chosen) == len(self._known):
            return ("*",)
        if len(chosen) == 1:
            return (_spelled(next(iter(chosen)), self._places),)
        wanted = sorted(self._places[name] for name in chosen)
        index = self._bits.wanting(wanted)
        patterns = {
            gathered_text(sorted(group, key=lambda shape: index.first(index.matched(shape)))): (
                index.indices(reduce(or_, map(index.matched, group)))
            )
            for group in _groups(index)
        }
        return _verified(patterns, wanted, self._known, self._tree, self._places)


def _groups(index: NameBits) -> list[Group]:
    shapes = sorted(cover(index), key=lambda shape: -index.matched(shape).bit_count())
    wanted = index.wanted.bit_count()
    few_enough = len(shapes) * _NAMES_A_PATTERN <= wanted or wanted <= _FEW_NAMES
    if few_enough or len(shapes) > _MOST_TOGETHER:
        return [(shape,) for shape in shapes]
    return gathered(shapes, max(1, wanted // _NAMES_A_PATTERN))


def _verified(
    patterns: dict[str, list[int]],
    wanted: list[int],
    known: list[str],
    tree: NameTree,
    all_names: Container[str],
) -> tuple[str, ...]:
    """Return the patterns in order; one that does not match what it should gives way to plain names."""
    firsts: dict[str, int] = {}
    left = set(wanted)
    for pattern, intended in patterns.items():
        fitting = _fitting(tree, pattern)
        if fitting == intended and len(fitting) > 1:
            firsts[pattern] = fitting[0]
            left.difference_update(fitting)
    firsts |= {_spelled(known[name], all_names): name for name in left}
    return tuple(sorted(firsts, key=lambda pattern: firsts[pattern]))


def _fitting(tree: NameTree, pattern: str) -> list[int]:
    """Return what a pattern matches; nothing where it is too large for anybody to read."""
    try:
        return tree.fitting(pattern)
    except UsageError:
        return []


def _spelled(name: str, known: Container[str]) -> str:
    """Return a pattern for one name that is not itself the text of another name."""
    pattern = escape(name)
    while pattern != name and pattern in known:
        pattern = f"{{{pattern}}}"
    return pattern


Group = tuple[Shape, ...]


def gathered(shapes: Sequence[Shape], most: int) -> list[Group]:
    """Gather shapes in at most so many groups, preferably of shapes that end or begin alike.

    Args:
        shapes: The shapes, those that match most names first.
        most: How many groups there may be.

    Returns:
        The groups; each is meant to be written as one pattern.
    """
    for alike in (_end, _begin):
        groups = _by(shapes, alike)
        if len(groups) <= most:
            return _no_more_than_needed(groups, most)
    alone = max(most - 1, 0)
    return [*((shape,) for shape in shapes[:alone]), tuple(shapes[alone:])]


def gathered_text(group: Sequence[Shape]) -> str:
    """Return one pattern for the shapes of a group, what they share at an end written once."""
    if len(group) == 1:
        return written(group[0])
    behind = _shared([shape[:0:-1] for shape in group])
    before = 0 if behind else _shared([shape[:-1] for shape in group])
    inner = ",".join(
        as_alternative(written(shape[before : len(shape) - behind])) for shape in group
    )
    parts = [f"{{{inner}}}"]
    if before:
        parts.insert(0, written(group[0][:before]))
    if behind:
        parts.append(written(group[0][-behind:]))
    return ".".join(parts)


def _by(shapes: Sequence[Shape], alike: Callable[[Shape], Hashable]) -> list[Group]:
    found: dict[Hashable, Group] = {}
    for shape in shapes:
        key = alike(shape)
        found[key] = (*found.get(key, ()), shape)
    return list(found.values())


def _no_more_than_needed(groups: list[Group], most: int) -> list[Group]:
    """Return the groups, the small ones taken apart as far as there is room."""
    found: list[Group] = []
    room = most - len(groups)
    for group in sorted(groups, key=len):
        if len(group) - 1 <= room:
            room -= len(group) - 1
            found.extend((shape,) for shape in group)
        else:
            found.append(group)
    return found


def _end(shape: Shape) -> Hashable:
    return shape[-1] if len(shape) > 1 else shape


def _begin(shape: Shape) -> Hashable:
    return shape[0] if len(shape) > 1 else shape


def _shared(shapes: list[Shape]) -> int:
    """Return how many first items are the same in all of them."""
    same = (len(set(items)) == 1 for items in zip(*shapes, strict=False))
    return sum(takewhile(bool, same))
