r"""Patterns of parameter names.

``*`` stands for anything, dots included; ``{a,b}`` for either; ``{0-11}`` for a whole number of that
range. All else is literal, ``[`` too; a backslash makes the next character literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_RANGE = re.compile(r"(0|[1-9]\d{0,8})-(0|[1-9]\d{0,8})")


def matcher(pattern: str) -> Callable[[str], bool]:
    """A test of whether a name fits a pattern as a whole; a name always fits itself."""
    regex = re.compile(_translate(pattern), re.DOTALL)
    return lambda name: name == pattern or regex.fullmatch(name) is not None


def matching(patterns: Iterable[str], names: Iterable[str]) -> dict[str, list[str]]:
    """For each pattern the names that fit it, in the names' order."""
    known = list(names)
    found = {}
    for pattern in patterns:
        fits = matcher(pattern)
        found[pattern] = [name for name in known if fits(name)]
    return found


def _translate(pattern: str) -> str:
    parts = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern):
            parts.append(re.escape(pattern[position + 1]))
            position += 2
        elif character == "*":
            parts.append(".*")
            position += 1
        elif character == "{" and (end := _closing(pattern, position)) is not None:
            parts.append(_alternatives(pattern[position + 1 : end]))
            position = end + 1
        else:
            parts.append(re.escape(character))
            position += 1
    return "".join(parts)


def _closing(pattern: str, start: int) -> int | None:
    """Where the brace that opens at ``start`` is closed; None where it never is."""
    depth = 0
    position = start
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None


def _alternatives(inside: str) -> str:
    return "(?:" + "|".join(_alternative(part) for part in _split(inside)) + ")"


def _alternative(part: str) -> str:
    numbers = _RANGE.fullmatch(part)
    if numbers is None:
        return _translate(part)
    low, high = sorted((int(numbers[1]), int(numbers[2])))
    return "(?:" + "|".join(_number_ranges(low, high)) + ")"


def _number_ranges(low: int, high: int) -> list[str]:
    """Regular expressions for the whole numbers from low to high, without leading zeros."""
    found = []
    while low <= high:
        # the largest block low .. low + 10**n - 1 that starts at low and does not pass high
        size = 1
        while low % (size * 10) == 0 and low + size * 10 - 1 <= high and low >= size * 10:
            size *= 10
        digits = len(str(size)) - 1
        found.append(str(low // size) + r"[0-9]" * digits)
        low += size
    return found


def _split(inside: str) -> list[str]:
    """The parts between commas that stand in no inner brace."""
    parts = [""]
    depth = 0
    position = 0
    while position < len(inside):
        character = inside[position]
        if character == "\\":
            parts[-1] += inside[position : position + 2]
            position += 2
            continue
        if character == "," and depth == 0:
            parts.append("")
        else:
            depth += {"{": 1, "}": -1}.get(character, 0)
            parts[-1] += character
        position += 1
    return parts
