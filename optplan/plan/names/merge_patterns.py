"""Several shapes written as one pattern, where there would be too many for a small set of names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import takewhile

from optplan.plan.names.name_shapes import Shape, as_alternative, written

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
