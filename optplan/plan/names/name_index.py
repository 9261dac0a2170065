"""Many names matched at once: every component of every name is one bit of a long number.

A name with n components takes n + 2 bits: a bit for the place before each component, one for its end,
and a guard that keeps sums from running into the next name. A set of places is such a number; reading
one more item of a pattern is a few operations on it, whatever the number of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import copy
from functools import reduce
from operator import or_

from optplan.plan.names.name_shapes import Gap, Item, Part, Shape, Words, only

_ONE = re.compile("1")


class NameBits:
    """The places in these names, some of which are wanted: none of them at first."""

    def __init__(self, names: Sequence[str]) -> None:
        self.components = [name.split(".") for name in names]
        self._places: dict[str, list[int]] = {}
        begins: list[int] = []
        ends: list[int] = []
        place = 0
        for components in self.components:
            begins.append(place)
            for word in components:
                self._places.setdefault(word, []).append(place)
                place += 1
            ends.append(place)
            place += 2
        self._size = place
        self._name_at = {end: index for index, end in enumerate(ends)}
        self._begins, self._ends = self._bits(begins), self._bits(ends)
        self._guards = self._ends << 1
        self._all = self._guards - self._begins
        self._cache: dict[Item, int] = {}
        self._end_of = ends
        self.wanted = 0

    def wanting(self, wanted: Iterable[int]) -> NameBits:
        """Return the same names, others of which are wanted; what is known of the names is shared."""
        other = copy(self)
        other.wanted = self._bits(self._end_of[index] for index in wanted)
        return other

    @property
    def vocabulary(self) -> list[str]:
        """Each distinct component, in the names' order."""
        return list(self._places)

    def first(self, ends: int) -> int:
        """Return the index of the first name of a set."""
        return self._name_at[(ends & -ends).bit_length() - 1]

    def indices(self, ends: int) -> list[int]:
        """Return the indices of the names of a set, ascending."""
        return [self._name_at[place] for place in _places(ends)]

    def matched(self, shape: Shape) -> int:
        """Return the names that a shape matches, each as the place of its end."""
        return reduce(self._read, shape, self._begins) & self._ends

    def exact(self, matched: int) -> bool:
        """Return whether a set of names holds wanted ones only."""
        return not matched & ~self.wanted

    def fillings(self, shape: Shape, position: int, words: Iterable[str]) -> list[str]:
        """Return those of the words that, put at a position of a shape, let it match wanted names only."""
        before = reduce(self._read, shape[:position], self._begins)
        behind = shape[position + 1 :]
        found = []
        for word in words:
            places = before & self._word(word)
            ends = places and reduce(self._read, behind, places << 1) & self._ends
            if ends and self.exact(ends):
                found.append(word)
        return found

    def _read(self, places: int, item: Item) -> int:
        match item:
            case Words():
                return (places & self._at(item)) << 1
            case Gap():
                return self._later(places)
            case Part(_, star_before, star_after):
                if star_before:
                    places |= self._later(places)
                places = (places & self._at(item)) << 1
                return places | self._later(places) if star_after else places

    def _later(self, places: int) -> int:
        """Return all places behind the first of these in each name."""
        stops = places | self._guards
        return self._all & ~(stops ^ (stops - self._begins))

    def _at(self, item: Words | Part) -> int:
        """Return where a component fits an item."""
        found = self._cache.get(item)
        if found is None:
            words = item.words if isinstance(item, Words) else self.holding(item)
            found = reduce(or_, map(self._word, words), 0)
            self._cache[item] = found
        return found

    def _word(self, word: str) -> int:
        item = only(word)
        if item not in self._cache:
            self._cache[item] = self._bits(self._places.get(word, []))
        return self._cache[item]

    def holding(self, part: Part) -> list[str]:
        """Return the distinct components that a part of a component fits."""
        text = part.word
        if part.star_before and part.star_after:
            return [word for word in self._places if text in word]
        if part.star_before:
            return [word for word in self._places if word.endswith(text)]
        return [word for word in self._places if word.startswith(text)]

    def _bits(self, places: Iterable[int]) -> int:
        found = bytearray(self._size // 8 + 1)
        for place in places:
            found[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(found, "little")


def _places(bits: int) -> list[int]:
    """Return the bits that are set, ascending."""
    return [one.start() for one in _ONE.finditer(f"{bits:b}"[::-1])]
