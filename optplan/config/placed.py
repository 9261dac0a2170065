"""Dicts, lists and tuples that remember where each of their values was written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from optplan.places import Place, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class File:
    """A text as it is evaluated, and the way from its positions back to its source.

    Args:
        source: The text as it stands in the file.
        text: The text that is evaluated, with every line break as ``\\n``.
        origins: For each character of ``text``, the offset of the character of the source that it
            comes from; None where nothing was substituted.
    """

    __slots__ = ("_lines", "_starts", "_widths", "origins", "source", "text")

    def __init__(self, source: Source, text: str, origins: Sequence[int] | None = None) -> None:
        self.source = source
        self.text = text
        self.origins = origins
        self._lines: list[str] | None = None
        # Where the lines of the text and of the source start; by line, the bytes before each character.
        self._starts: tuple[list[int], list[int]] | None = None
        self._widths: dict[int, list[int]] = {}

    def place(self, line: int, column: int) -> Place:
        """Return the place of a syntax node: a line from 1, a column in UTF-8 bytes from 0.

        Line 0 stands for the text as a whole.
        """
        if line == 0:
            return Place(self.source, 0, 0)
        if self._lines is None:
            self._lines = self.text.split("\n")
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        if not text.isascii():
            if line not in self._widths:
                self._widths[line] = byte_widths(text)
            column = bisect_right(self._widths[line], column, hi=len(text)) - 1
        if self.origins is None:
            return Place(self.source, line, column + 1)
        if self._starts is None:
            self._starts = _line_starts(self._lines), _line_starts(self.source.lines)
        starts, source_starts = self._starts
        offset = starts[min(line - 1, len(self._lines))] + column
        original = self.origins[min(offset, len(self.origins) - 1)]
        number = bisect_right(source_starts, original, hi=len(self.source.lines))
        return Place(self.source, number, original - source_starts[number - 1] + 1)


def byte_widths(text: str) -> list[int]:
    """Return how many bytes in UTF-8 stand before each character of a line, and before its end."""
    return list(accumulate((len(char.encode("utf-8", "replace")) for char in text), initial=0))


def _line_starts(lines: Sequence[str]) -> list[int]:
    return list(accumulate((len(line) + 1 for line in lines), initial=0))


# The file, the line from 1 and the column in UTF-8 bytes from 0; made into a Place when asked for.
RawPlace: TypeAlias = tuple[File, int, int] | None


class PlacedDict(dict[Any, Any]):
    """A dict that knows where each of its keys was set last."""

    __slots__ = ("raw_places",)
    raw_places: dict[Any, RawPlace]


class PlacedList(list[Any]):
    """A list that knows where each of its elements was set last."""

    __slots__ = ("raw_places",)
    raw_places: list[RawPlace]


class PlacedTuple(tuple[Any, ...]):  # noqa: SLOT001 - a tuple has no room for slots
    """A tuple that knows where each of its elements was written."""

    raw_places: Sequence[RawPlace]


def placed_dict(items: Iterable[tuple[Any, Any]], places: dict[Any, RawPlace]) -> PlacedDict:
    """Return a dict with a place for each of its keys."""
    result = PlacedDict(items)
    result.raw_places = places
    return result


def placed_list(items: Iterable[Any], places: list[RawPlace]) -> PlacedList:
    """Return a list with a place for each of its elements."""
    result = PlacedList(items)
    result.raw_places = places
    return result


def placed_tuple(items: Iterable[Any], places: Sequence[RawPlace]) -> PlacedTuple:
    """Return a tuple with a place for each of its elements."""
    result = PlacedTuple(items)
    result.raw_places = places
    return result


def deep_merged(below: Mapping[Any, Any], above: Mapping[Any, Any]) -> PlacedDict:
    """Return entries with others on top of them, mapping by mapping; each keeps its place."""
    values = dict(below)
    for name, value in above.items():
        lower = values.get(name)
        if isinstance(lower, Mapping) and isinstance(value, Mapping):
            value = deep_merged(lower, value)  # noqa: PLW2901
        values[name] = value
    places = {**getattr(below, "raw_places", {}), **getattr(above, "raw_places", {})}
    return placed_dict(values.items(), places)


def raw_place_of(container: object, key: Any) -> RawPlace:
    """Return the raw place of a key or index, None where it is not known."""
    places = getattr(container, "raw_places", None)
    if places is None:
        return None
    if isinstance(places, dict):
        return places.get(key)
    return places[key] if -len(places) <= key < len(places) else None


def place_of(container: object, key: Any) -> Place | None:
    """Return where a key or index of a container of a config was set last.

    Returns:
        None for a container that comes from no config, for an unknown key, and for what a
        trusted file set by being executed.
    """
    raw = raw_place_of(container, key)
    return None if raw is None else raw[0].place(raw[1], raw[2])
