"""Check the entries of a section by their kinds, and collect every mistake."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from optplan.config.paramwise import described, number_problem
from optplan.config.placed import PlacedList, place_of, placed_dict, placed_list
from optplan.config.regex_groups import Pattern
from optplan.errors import Problem, did_you_mean, quoted
from optplan.places import Place

# Far longer than any that a person writes; compiling takes time in proportion.
_LONGEST = 2_000


class Is(StrEnum):
    """The kinds of entries."""

    NUMBER = "a number"
    NUMBERS = "a list of numbers"
    FLAG = "true or false"
    TEXT = "a text"
    MAPPING = "a mapping of names to values"
    ANYTHING = "anything"


def field_problems(
    section: Mapping[str, Any],
    kinds: Mapping[str, Is],
    what: str,
    place: Place | None,
    *,
    unset: object = None,
) -> Iterator[Problem]:
    """Yield unknown entries, and values of the wrong kind.

    Args:
        section: The section.
        kinds: What each of its entries may be.
        what: What messages call it.
        place: Where it stands.
        unset: A value that leaves any entry unset.
    """
    for name in section:
        if name not in kinds:
            yield Problem(
                message=f"{what} has no entry {name!r}",
                place=place_of(section, name) or place,
                hint=did_you_mean(str(name), kinds) or f"it may have {', '.join(kinds)}",
            )
        elif (unset is None or section[name] != unset) and (
            problem := _kind_problem(section, name, kinds[name])
        ):
            yield problem


def with_numbers(section: Mapping[str, Any], kinds: Mapping[str, Is]) -> Mapping[str, Any]:
    """Return a section whose texts are numbers where a number is meant: YAML 1.1 takes ``1e-3`` for a text."""
    values = {
        name: _as_number(value)
        if kinds.get(name) is Is.NUMBER
        else _as_numbers(value)
        if kinds.get(name) is Is.NUMBERS
        else value
        for name, value in section.items()
    }
    return placed_dict(values.items(), getattr(section, "raw_places", {}))


def _as_number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _as_numbers(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    numbers = [_as_number(one) for one in value]
    return placed_list(numbers, value.raw_places) if isinstance(value, PlacedList) else numbers


def _kind_problem(section: Mapping[str, Any], name: str, kind: Is) -> Problem | None:
    value = section[name]
    if kind is Is.NUMBER:
        return number_problem(section, name)
    if kind is Is.NUMBERS and isinstance(value, list | tuple):
        # eps of Adafactor may leave its first number out
        wrong = [at for at, one in enumerate(value) if one is not None and _is_no_number(one)]
        if not wrong:
            return None
        problem = number_problem({name: value[wrong[0]]}, name)
        place = place_of(value, wrong[0]) or place_of(section, name)
        return None if problem is None else replace(problem, place=place)
    types = {
        Is.FLAG: bool,
        Is.TEXT: str,
        Is.MAPPING: Mapping,
        Is.ANYTHING: object,
        Is.NUMBERS: list,
    }
    if isinstance(value, types[kind]) or (kind is Is.FLAG and value is None):
        return None
    return Problem(
        message=f"{name} must be {kind}, got {described(value)}", place=place_of(section, name)
    )


def _is_no_number(value: object) -> bool:
    return number_problem({"": value}, "") is not None


def entries_of(
    section: Mapping[str, Any], name: str, problems: list[Problem]
) -> list[tuple[Mapping[str, Any], Place | None]]:
    """Return the mappings of a list, each with its place; what is none is noted."""
    value = section.get(name)
    if not isinstance(value, list | tuple):
        problems.append(
            Problem(
                message=f"{name} must be a list of groups, got {described(value)}",
                place=place_of(section, name),
            )
        )
        return []
    found = []
    for at, entry in enumerate(value):
        place = place_of(value, at) or place_of(section, name)
        if isinstance(entry, Mapping):
            found.append((entry, place))
        else:
            problems.append(
                Problem(message=f"a group must be a mapping, got {described(entry)}", place=place)
            )
    return found


def pattern_of(value: object, place: Place | None, problems: list[Problem]) -> Iterable[Pattern]:
    """Yield a pattern, if it is a regular expression; else that is noted."""
    if not isinstance(value, str):
        problems.append(
            Problem(message=f"a pattern must be a text, got {described(value)}", place=place)
        )
        return
    if len(value) > _LONGEST:
        message = f"the pattern has {len(value)} characters, more than {_LONGEST}"
        problems.append(Problem(message=message, place=place))
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what may mean something else in a later Python
            re.compile(value)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        said = str(error) or "it is too large"
        problems.append(
            Problem(message=f"{quoted(value)} is no regular expression: {said}", place=place)
        )
        return
    yield Pattern(text=value, place=place)
