r"""Patterns of parameter names.

``*`` stands for anything, dots included; ``{a,b}`` for either; ``{0-11}`` for a whole number of that
range, written without leading zeros. All else is literal, ``[`` and a brace without a partner too; a
backslash makes the next character literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from optplan.plan.automaton import Automaton, pieces

_SPECIAL = re.compile(r"[*{},\\]")


def escape(text: str) -> str:
    """The pattern that matches a text and nothing else."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def matcher(pattern: str) -> Callable[[str], bool]:
    """A test of whether a name fits a pattern as a whole; a name always fits itself."""
    automaton = Automaton(pattern)
    return lambda name: name == pattern or automaton.fits(name)


def matching(patterns: Iterable[str], names: Iterable[str]) -> dict[str, list[str]]:
    """For each pattern the names that fit it, in the names' order."""
    known = list(names)
    tree = NameTree(known)
    return {pattern: [known[index] for index in tree.fitting(pattern)] for pattern in patterns}


class NameTree:
    """Many names by their common beginnings, so that a pattern visits only what can still fit."""

    def __init__(self, names: Iterable[str]) -> None:
        self._root = _Node()
        for index, name in enumerate(names):
            self._node(name).indices.append(index)

    def fitting(self, pattern: str) -> list[int]:
        """The indices of the names that fit a pattern, ascending."""
        automaton = Automaton(pattern)
        found = set(self._itself(pattern))
        waiting = [(self._root, automaton.start)]
        while waiting:
            node, state = waiting.pop()
            if node.indices and automaton.accepts(state):
                found.update(node.indices)
            for piece, child in node.children.items():
                if behind := automaton.advance(state, piece):
                    waiting.append((child, behind))
        return sorted(found)

    def _node(self, name: str) -> _Node:
        node = self._root
        for piece in pieces(name):
            node = node.children.setdefault(piece, _Node())
        return node

    def _itself(self, name: str) -> list[int]:
        node: _Node | None = self._root
        for piece in pieces(name):
            node = node.children.get(piece) if node else None
        return node.indices if node else []


class _Node:
    __slots__ = ("children", "indices")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.indices: list[int] = []
