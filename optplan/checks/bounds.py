"""Parse what a value must be: a number, a comparison, a range, or a word for one of these."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COMPARISON = re.compile(rf"(<=|>=|<|>|==?|!=)\s*({_NUMBER})")
_RANGE = re.compile(rf"({_NUMBER})\s*(?:\.\.|to)\s*({_NUMBER})")
_PART = rf"\s*(?:{_COMPARISON.pattern}|{_RANGE.pattern})\s*"
# What a text must match; a range's ends are in order besides.
BOUND_PATTERN = f"{_PART}(?:,{_PART})*"
_RELATIVE, _ABSOLUTE = 1e-9, 1e-15

FORMS = "a number, a comparison such as '> 0', or a range such as '0.01..0.1'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Comparisons that a value must all satisfy.

    Args:
        written: As the tool's configuration has it.
        comparisons: Each an operator and the number to its right.
    """

    written: float | str
    comparisons: tuple[tuple[str, float], ...]

    def holds(self, value: float | None) -> bool:
        """Return whether a value satisfies all comparisons; what has no value does not."""
        return value is not None and all(_holds(value, *one) for one in self.comparisons)

    def __str__(self) -> str:
        if isinstance(self.written, str):
            return self.written
        return f"{self.written:.6g}"


def parse_bound(written: object) -> Bound | None:
    """Return what a value of the tool's configuration demands; None where it is not understood.

    Args:
        written: A number; or a text: comparisons between commas (``> 0, <= 0.1``), or ``0.01..0.1``.
    """
    if isinstance(written, bool):
        return None
    if isinstance(written, int | float):
        is_finite = math.isfinite(written)
        return Bound(written=float(written), comparisons=(("=", written),)) if is_finite else None
    if not isinstance(written, str):
        return None
    parts = [_comparisons(part.strip()) for part in written.split(",")]
    if not all(parts):
        return None
    return Bound(written=written, comparisons=tuple(one for part in parts for one in part))


def _comparisons(text: str) -> list[tuple[str, float]]:
    """Return the comparisons in one part; none where it is not understood."""
    if match := _COMPARISON.fullmatch(text):
        return [(match[1].replace("==", "="), float(match[2]))]
    match = _RANGE.fullmatch(text)
    if match is None or float(match[1]) > float(match[2]):
        return []
    return [(">=", float(match[1])), ("<=", float(match[2]))]


def _holds(value: float, operator: str, other: float) -> bool:
    """Return whether a comparison holds; values that differ by rounding alone are equal."""
    is_equal = math.isclose(value, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    is_beside = not math.isclose(value, other, rel_tol=_RELATIVE)
    match operator:
        case "=":
            return is_equal
        case "!=":
            return not is_equal
        case "<":
            return value < other and is_beside
        case ">":
            return value > other and is_beside
        case "<=":
            return value <= other or is_equal
    return value >= other or is_equal
