"""A set of names as few patterns."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.plan.cover import cover
from optplan.plan.name_bits import NameBits
from optplan.plan.patterns import NameTree, escape
from optplan.plan.shapes import literal, written


def summarize(names: Sequence[str], among: Sequence[str]) -> tuple[str, ...]:
    """Few patterns that match exactly some of many names.

    Args:
        names: The names to match, in any order.
        among: All names there are; a pattern may match none of the others.

    Returns:
        The patterns, in the order of the first name that each matches: ``*`` alone for all names, and
        a single name as itself.

    Raises:
        ValueError: A name is not among the others.
    """
    known = list(dict.fromkeys(among))
    chosen = set(names)
    if missing := chosen.difference(known):
        raise ValueError(f"names that are not among all names: {sorted(missing)[:5]}")
    if not chosen:
        return ()
    if len(chosen) == len(known):
        return ("*",)
    wanted = [index for index, name in enumerate(known) if name in chosen]
    tree = NameTree(known)
    index = NameBits(known, wanted)
    patterns = {written(shape): index.indices(index.matched(shape)) for shape in cover(index)}
    return _verified(patterns, wanted, known, tree)


def _verified(
    patterns: dict[str, list[int]], wanted: list[int], known: list[str], tree: NameTree
) -> tuple[str, ...]:
    """The patterns in order; one that does not match what it should gives way to plain names."""
    firsts: dict[str, int] = {}
    for pattern, intended in patterns.items():
        fitting = tree.fitting(pattern)
        if fitting == intended and len(fitting) > 1:
            firsts[pattern] = fitting[0]
        else:
            for name in intended:
                firsts[_spelled(known[name], tree)] = name
    return tuple(sorted(firsts, key=lambda pattern: firsts[pattern]))


def _spelled(name: str, tree: NameTree) -> str:
    """A pattern for one name that is not itself the text of another name."""
    pattern = escape(name)
    while len(tree.fitting(pattern)) > 1:
        pattern = f"{{{pattern}}}"
    return pattern
