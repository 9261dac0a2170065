"""The automaton of a name pattern: time linear in the name, whatever the pattern.

A set of states is a number, one bit for each state. Moves are remembered, by character and by piece of
a name, since the names of a model are made of few distinct pieces.
"""

from __future__ import annotations

import re

from optplan.errors import UsageError

# 18 digits: beyond any index
_RANGE = re.compile(r"(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})(?=[,}])")
_PIECE = re.compile(r"[^.]*\.|[^.]+")
_DIGITS = "0123456789"
# The table of N states takes N * N / 8 bytes: 100 MB.
_MOST_STATES = 28_000
# How many words of 64 bits all steps may read and keep: some seconds, and some hundreds of MB at most.
_MOST_WORK, _KEPT = 300_000_000, 16


class Automaton:
    """What a pattern accepts, read forward piece by piece.

    Raises:
        UsageError: The pattern is too large to be matched, at once or when a text is read.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._work = 0
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
        """Return the state behind a piece of text; 0 where nothing can match any more."""
        found = self._by_piece.get((state, piece))
        if found is None:
            found = state
            for character in piece:
                found = self._step(found, character)
            self._by_piece[state, piece] = found
        return found

    def accepts(self, state: int) -> bool:
        """Return whether a text that ends in this state fits."""
        return state & self._accepting != 0

    def fits(self, text: str) -> bool:
        """Return whether the pattern matches a text as a whole."""
        state = self.start
        for piece in _PIECE.findall(text):
            state = self.advance(state, piece)
            if not state:
                return False
        return self.accepts(state)

    def _step(self, state: int, character: str) -> int:
        found = self._by_character.get((state, character))
        if found is None:
            self._charge(state)
            found, rest = 0, state
            while rest:
                lowest = rest & -rest
                rest ^= lowest
                wanted, target = self._targets[lowest.bit_length() - 1]
                if wanted is None or character in wanted:
                    found |= target
            self._by_character[state, character] = found
        return found

    def _charge(self, state: int) -> None:
        """Count the work of one step from a set of states."""
        self._work += (state.bit_count() + _KEPT) * (1 + len(self._moves) // 64)
        if self._work > _MOST_WORK:
            raise _too_large(self._pattern, "takes too long to match")

    def _new(self, *before: int) -> int:
        """Return a new state, reached for free from the states before."""
        if len(self._moves) == _MOST_STATES:
            raise _too_large(self._pattern, f"has more than {_MOST_STATES:,} states")
        self._free.append([])
        self._moves.append(None)
        new = len(self._moves) - 1
        for state in before:
            self._free[state].append(new)
        return new

    def _take(self, state: int, characters: str) -> int:
        """Return the new state behind one character out of these."""
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
        """Return the state behind a number from low to high: a few states for each digit."""
        free = [self._new()]  # free[n] is the state before n more digits of any kind
        for _ in str(high):
            free.append(self._new())
            self._moves[free[-1]] = (_DIGITS, free[-2])
        for length in range(len(str(low)), len(str(high)) + 1):
            least = max(low, 10 ** (length - 1) if length > 1 else 0)
            most = min(high, 10**length - 1)
            self._between(self._new(start), str(least), str(most), free)
        return self._new(free[0])

    def _between(self, state: int, least: str, most: str, free: list[int]) -> None:
        """Add the numbers from least to most, which have equally many digits."""
        first, last, rest = int(least[0]), int(most[0]), len(least) - 1
        if first == last and rest:
            self._between(self._branch(state, least[0]), least[1:], most[1:], free)
            return
        if int(least[1:] or 0) > 0:
            self._between(self._branch(state, least[0]), least[1:], "9" * rest, free)
            first += 1
        if most[1:] != "9" * rest:
            self._between(self._branch(state, most[0]), "0" * rest, most[1:], free)
            last -= 1
        if first <= last:
            self._moves[self._new(state)] = (_DIGITS[first : last + 1], free[rest])

    def _branch(self, state: int, character: str) -> int:
        """Return the new state behind one character, which does not rule out other ways on."""
        return self._take(self._new(state), character)


def _too_large(pattern: str, reason: str) -> UsageError:
    shown = f"{pattern[:40]}..." if len(pattern) > 40 else pattern
    return UsageError(
        f"the pattern {shown!r} ({len(pattern):,} characters) is too large: it {reason}",
        hint="divide it into several patterns, or use fewer ranges and alternatives",
    )


def _braces(pattern: str) -> set[int]:
    """Return the places of the braces that have a partner; the others are literal."""
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
