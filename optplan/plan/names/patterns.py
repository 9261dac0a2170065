r"""Patterns of parameter names.

``*`` stands for anything, dots included; ``{a,b}`` for either; ``{0-11}`` for a whole number of that
range, written without leading zeros. All else is literal, ``[`` and a brace without a partner too; a
backslash makes the next character literal.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from optplan.plan.names.automaton import Automaton

_SPECIAL = re.compile(r"[*{},\\]")


def escape(text: str) -> str:
    """Return the pattern that matches a text and nothing else."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test of whether a name fits a pattern as a whole; a name always fits itself."""
    automaton = Automaton(pattern)
    return lambda name: name == pattern or automaton.fits(name)


def matching(patterns: Iterable[str], names: Iterable[str]) -> dict[str, list[str]]:
    """Return for each pattern the names that fit it, in the names' order."""
    known = list(names)
    tree = NameTree(known)
    return {pattern: [known[index] for index in tree.fitting(pattern)] for pattern in patterns}


class NameTree:
    """Many names by their common beginnings, so that a pattern visits only what can still fit."""

    def __init__(self, names: Sequence[str]) -> None:
        self._order = sorted(range(len(names)), key=names.__getitem__)
        self._names = [names[index] for index in self._order]
        self._below: dict[_Node, list[tuple[str, _Node]]] = {}

    def fitting(self, pattern: str) -> list[int]:
        """Return the indices of the names that fit a pattern, ascending."""
        automaton = Automaton(pattern)
        found = set(range(bisect_left(self._names, pattern), bisect_right(self._names, pattern)))
        waiting = [(_Node(0, len(self._names), 0), automaton.start)]
        while waiting:
            node, state = waiting.pop()
            if automaton.accepts(state):
                found.update(range(node.first, self._longer(node)))
            for text, child in self._children(node):
                if behind := automaton.advance(state, text):
                    waiting.append((child, behind))
        return sorted(self._order[place] for place in found)

    def _longer(self, node: _Node) -> int:
        """Return where the names begin that go on behind what the names of a node share."""
        place = node.first
        while place < node.last and len(self._names[place]) == node.shared:
            place += 1
        return place

    def _children(self, node: _Node) -> list[tuple[str, _Node]]:
        """Return the ways on from a node: the text that comes next, and the names that go that way."""
        found = self._below.get(node)
        if found is None:
            found = self._below[node] = []
            names = self._names[self._longer(node) : node.last]
            place = node.last - len(names)
            for _, group in groupby(names, key=lambda name: name[node.shared]):
                alike = list(group)
                shared = _shared(alike[0], alike[-1], node.shared)
                child = _Node(place, place + len(alike), shared)
                found.append((alike[0][node.shared : shared], child))
                place += len(alike)
        return found


class _Node(NamedTuple):
    """The names from first to before last in sorted order, and how many characters they share."""

    first: int
    last: int
    shared: int


def _shared(first: str, second: str, start: int) -> int:
    """Return how many characters two texts share that are known to share some."""
    if first == second:
        return len(first)
    place = start
    while first[place : place + 1] == second[place : place + 1]:
        place += 1
    return place
