"""Read typed entries out of a TOML table, and collect every mistake."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from optplan.checks.results import FindingLocation, location_of
from optplan.config import place_of
from optplan.errors import Problem, did_you_mean
from optplan.places import Place

Choice = TypeVar("Choice", bound=StrEnum)


class TomlTable:
    """One table of the tool's configuration.

    Args:
        data: Its entries, which know their places.
        title: Its path: ``tool.optplan``; empty for the top of a file.
        place: Where it begins.
        problems: Where mistakes are put.
    """

    def __init__(
        self, data: Mapping[str, Any], title: str, place: Place, problems: list[Problem]
    ) -> None:
        self.data = data
        self.title = title
        self.place = place
        self.problems = problems

    @property
    def shown(self) -> str:
        """Return what messages call it."""
        return f"[{self.title}]" if self.title else self.place.source.name

    def _inner(self, name: str) -> str:
        return f"{self.title}.{name}" if self.title else name

    def place_of(self, name: str) -> Place:
        """Return where an entry stands."""
        return place_of(self.data, name) or self.place

    def wrong(self, name: str, message: str, hint: str | None = None) -> None:
        """Note a mistake of an entry."""
        self.problems.append(Problem(message=message, place=self.place_of(name), hint=hint))

    def only(self, known: Iterable[str]) -> None:
        """Note entries that are none of these."""
        known = list(known)
        for name in self.data:
            if name not in known:
                hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
                self.wrong(name, f"{self.shown} has no entry {name!r}", hint)

    def text(self, name: str) -> str | None:
        """Return a text that is not empty."""
        value = self.data.get(name)
        if value is None or (isinstance(value, str) and value):
            return value
        self._refuse(name, value, "a text")
        return None

    def texts(self, name: str) -> tuple[tuple[str, FindingLocation], ...]:
        """Return a list of texts with the places of each; a single text is one as well."""
        value = self.data.get(name)
        if value is None:
            return ()
        if isinstance(value, str) and value:
            return ((value, location_of(self.place_of(name))),)
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            self._refuse(name, value, "a list of texts")
            return ()
        places = (place_of(value, at) or self.place_of(name) for at in range(len(value)))
        return tuple((text, location_of(place)) for text, place in zip(value, places, strict=True))

    def number(self, name: str) -> float | None:
        """Return a finite number."""
        value = self.data.get(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        self._refuse(name, value, "a number")
        return None

    def count(self, name: str, default: int) -> int:
        """Return a whole number that is not negative."""
        value = self.data.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self._refuse(name, value, "a whole number")
        return default

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        value = self.data.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._refuse(name, value, "true or false")
        return None

    def choice(self, name: str, kind: type[Choice]) -> Choice | None:
        """Return one word of a closed set."""
        value = self.data.get(name)
        if value is None:
            return None
        words = [word.value for word in kind]
        if value in words:
            return kind(value)
        hint = did_you_mean(value, words) if isinstance(value, str) else None
        self._refuse(name, value, f"one of {', '.join(words)}", hint)
        return None

    def table(self, name: str) -> TomlTable | None:
        """Return a table inside this one."""
        value = self.data.get(name)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return TomlTable(value, self._inner(name), self.place_of(name), self.problems)
        self._refuse(name, value, "a table")
        return None

    def tables(self, name: str) -> list[TomlTable]:
        """Return the tables of an array ``[[…]]``."""
        value = self.data.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self._refuse(name, value, f"written as [[{self._inner(name)}]]")
            return []
        return [
            TomlTable(
                entry,
                self._inner(name),
                place_of(value, at) or self.place_of(name),
                self.problems,
            )
            for at, entry in enumerate(value)
        ]

    def _refuse(self, name: str, value: object, wanted: str, hint: str | None = None) -> None:
        message = f"{name} of {self.shown} must be {wanted}, got {value!r}"
        self.wrong(name, message, hint)
