"""The automaton of a name pattern: time linear in the name, whatever the pattern.

A set of states is a number, one bit for each state. Moves are remembered, by character and by piece of
a name, since the names of a model are made of few distinct pieces.
"""

from __future__ import annotations

import re

# 18 digits: beyond any index, and small enough that a range stays a few thousand states
_RANGE = re.compile(r"(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})(?=[,}])")
_PIECE = re.compile(r"[^.]*\.|[^.]+")


class Automaton:
    """What a pattern accepts, read forward piece by piece."""

    def __init__(self, pattern: str) -> None:
        self._free: list[list[int]] = []
        self._moves: list[tuple[str | None, int] | None] = []
        end = self._build(pattern)
        closures = self._closures()
        self._targets = [(m[0], closures[m[1]]) if m else ("", 0) for m in self._moves]
        self._accepting = 1 << end
        self._by_character: dict[tuple[int, str], int] = {}
        self._by_piece: dict[tuple[int, str], int] = {}
        self.start = closures[0]

    def advance(self, state: int, piece: str) -> int:
        """The state behind a piece of text; 0 where nothing can match any more."""
        found = self._by_piece.get((state, piece))
        if found is None:
            found = state
            for character in piece:
                found = self._step(found, character)
            self._by_piece[state, piece] = found
        return found

    def accepts(self, state: int) -> bool:
        """Whether a text that ends in this state fits."""
        return state & self._accepting != 0

    def fits(self, text: str) -> bool:
        """Whether the pattern matches a text as a whole."""
        state = self.start
        for piece in _PIECE.findall(text):
            state = self.advance(state, piece)
            if not state:
                return False
        return self.accepts(state)

    def _step(self, state: int, character: str) -> int:
        found = self._by_character.get((state, character))
        if found is None:
            found, rest = 0, state
            while rest:
                lowest = rest & -rest
                rest ^= lowest
                wanted, target = self._targets[lowest.bit_length() - 1]
                if wanted is None or character in wanted:
                    found |= target
            self._by_character[state, character] = found
        return found

    def _new(self, *before: int) -> int:
        """A new state, reached for free from the states before."""
        self._free.append([])
        self._moves.append(None)
        new = len(self._moves) - 1
        for state in before:
            self._free[state].append(new)
        return new

    def _take(self, state: int, characters: str) -> int:
        """The new state behind one character out of these."""
        new = self._new()
        self._moves[state] = (characters, new)
        return new

    def _closures(self) -> list[int]:
        closures = [1 << state for state in range(len(self._moves))]
        for state in reversed(range(len(closures))):  # free moves lead to later states alone
            for target in self._free[state]:
                closures[state] |= closures[target]
        return closures

    def _build(self, pattern: str) -> int:
        closed = _braces(pattern)
        open_braces: list[tuple[int, list[int]]] = []
        state, position = self._new(), 0
        while position < len(pattern):
            character = pattern[position]
            position += 1
            if character == "\\" and position < len(pattern):
                state = self._take(state, pattern[position])
                position += 1
            elif character == "*":
                state = self._new(state)
                self._moves[state] = (None, state)
                state = self._new(state)
            elif position - 1 in closed and character == "}":
                _, ends = open_braces.pop()
                state = self._new(*ends, state)
            elif position - 1 in closed or (character == "," and open_braces):
                if character == "{":
                    open_braces.append((state, []))
                else:
                    open_braces[-1][1].append(state)
                state = self._new(open_braces[-1][0])
                if numbers := _RANGE.match(pattern, position):
                    state = self._number(state, *sorted((int(numbers[1]), int(numbers[2]))))
                    position = numbers.end()
            else:
                state = self._take(state, character)
        return state

    def _number(self, start: int, low: int, high: int) -> int:
        ends = []
        for leading, free_digits in _blocks(low, high):
            state = self._new(start)
            for digit in str(leading):
                state = self._take(state, digit)
            for _ in range(free_digits):
                state = self._take(state, "0123456789")
            ends.append(state)
        return self._new(*ends)


def _braces(pattern: str) -> set[int]:
    """The places of the braces that have a partner; the others are literal."""
    found: set[int] = set()
    waiting: list[int] = []
    position = 0
    while position < len(pattern):
        if pattern[position] == "\\":
            position += 1
        elif pattern[position] == "{":
            waiting.append(position)
        elif pattern[position] == "}" and waiting:
            found |= {waiting.pop(), position}
        position += 1
    return found


def _blocks(low: int, high: int) -> list[tuple[int, int]]:
    """Whole numbers low to high as blocks: leading digits, and how many free ones follow."""
    found = []
    while low <= high:
        # the largest block low .. low + 10**n - 1 that starts at low and does not pass high
        size, digits = 1, 0
        while low % (size * 10) == 0 and low + size * 10 - 1 <= high and low >= size * 10:
            size, digits = size * 10, digits + 1
        found.append((low // size, digits))
        low += size
    return found
