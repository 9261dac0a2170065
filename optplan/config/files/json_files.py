"""JSON with a place for every key and element."""

from __future__ import annotations

import json
import re
from json import decoder
from typing import TYPE_CHECKING, Any

from optplan.config.placed import PlacedDict, PlacedList
from optplan.errors import ConfigError
from optplan.places import Place

if TYPE_CHECKING:
    from optplan.config.placed import File, RawPlace

# The scanner of texts that json itself uses; its stubs do not know it.
_scan_text: Any = decoder.scanstring  # type: ignore[attr-defined]
_SPACE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"-?[A-Za-z]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
# what Python's reader says of a comment, of single quotes and of a comma behind the last entry
_OF_OTHER_FORMS = frozenset(
    {
        "Expecting property name enclosed in double quotes",
        "Illegal trailing comma before end of object",
        "Illegal trailing comma before end of array",
    }
)
_PLAIN_JSON = "JSON has double quotes alone, no comments, and no comma behind the last entry"
_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def read_json(file: File) -> Any:
    """Return the data of a JSON text.

    Raises:
        ConfigError: It is not JSON.
    """
    try:
        json.loads(file.text)
    except json.JSONDecodeError as error:
        place = file.place(*_where(file.text, error))
        if not file.text.strip():
            raise ConfigError("it is empty", place=Place(file.source, 0, 0)) from None
        hint = _PLAIN_JSON if error.msg in _OF_OTHER_FORMS else None
        raise ConfigError(f"invalid JSON: {error.msg}", place=place, hint=hint) from None
    except ValueError as error:
        raise ConfigError(f"invalid JSON: {error}", place=Place(file.source, 0, 0)) from None
    return _Scanner(file).value(0)[0]


def _where(text: str, error: json.JSONDecodeError) -> tuple[int, int]:
    """Return line and column; where a comma is the last in its brackets, of the closing bracket."""
    at = error.pos
    if error.msg.startswith("Illegal trailing comma"):  # Python 3.13 gives the comma's place
        space = _SPACE.match(text, at + 1)
        assert space is not None
        at = space.end()
    return text.count("\n", 0, at) + 1, _column(text, at)


def _column(text: str, at: int) -> int:
    start = text.rfind("\n", 0, at) + 1
    return len(text[start:at].encode("utf-8", "replace"))


class _Scanner:
    """Scan a text that is known to be JSON, for the places."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.text = file.text
        self.line = 1
        self.column = 0
        self.seen = 0

    def raw(self, at: int) -> RawPlace:
        """Return the place of an offset; offsets only ever grow, so that no line is measured twice."""
        lines = self.text.count("\n", self.seen, at)
        if lines:
            self.line += lines
            self.column = _column(self.text, at)
        else:
            self.column += len(self.text[self.seen : at].encode("utf-8", "replace"))
        self.seen = at
        return (self.file, self.line, self.column)

    def skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        assert match is not None
        return match.end()

    def value(self, at: int) -> tuple[Any, int]:
        """Return the value at an offset, and the offset behind it."""
        at = self.skip(at)
        first = self.text[at]
        if first == "{":
            return self.object(at)
        if first == "[":
            return self.array(at)
        if first == '"':
            text, end = _scan_text(self.text, at + 1, True)
            return text, end
        word = _WORD.match(self.text, at)
        if word is not None:
            return _WORDS[word[0]], word.end()
        number = _NUMBER.match(self.text, at)
        assert number is not None
        is_float = number[1] is not None or number[2] is not None
        return float(number[0]) if is_float else int(number[0]), number.end()

    def object(self, at: int) -> tuple[PlacedDict, int]:
        result = PlacedDict()
        result.raw_places = {}
        at = self.skip(at + 1)
        while self.text[at] != "}":
            raw = self.raw(at)
            key, at = _scan_text(self.text, at + 1, True)
            result[key], at = self.value(self.skip(at) + 1)
            result.raw_places[key] = raw
            at = self.skip(at)
            if self.text[at] == ",":
                at = self.skip(at + 1)
        return result, at + 1

    def array(self, at: int) -> tuple[PlacedList, int]:
        result = PlacedList()
        result.raw_places = []
        at = self.skip(at + 1)
        while self.text[at] != "]":
            result.raw_places.append(self.raw(at))
            item, at = self.value(at)
            result.append(item)
            at = self.skip(at)
            if self.text[at] == ",":
                at = self.skip(at + 1)
        return result, at + 1
