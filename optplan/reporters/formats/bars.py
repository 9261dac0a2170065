"""Learning rates as bars on a log scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, log

WIDTH = 10
_LEAST = 0.1  # the smallest lr still has a bar
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The smallest and the largest of some values."""

    low: float
    high: float


def span_of(values: Iterable[float | None]) -> Span | None:
    """Return the span of the values that are there; ``None`` where none is."""
    known = [value for value in values if value is not None]
    return Span(low=min(known), high=max(known)) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogScale:
    """Turns an lr into the length of its bar, between 0 and 1."""

    low: float
    high: float

    def length(self, value: float) -> float:
        """Return 0 for what has no logarithm, a tenth for the smallest lr, 1 for the largest."""
        if not value > 0:
            return 0.0
        if self.low == self.high:
            return 1.0
        place = (log(value) - log(self.low)) / (log(self.high) - log(self.low))
        return _LEAST + (1 - _LEAST) * min(max(place, 0.0), 1.0)


def log_scale(values: Iterable[float | None]) -> LogScale | None:
    """Return the scale for some lrs; ``None`` where all are equal, since bars would say nothing."""
    known = {value for value in values if value is not None and isfinite(value)}
    positive = [value for value in known if value > 0]
    if len(known) < 2 or not positive:
        return None
    return LogScale(low=min(positive), high=max(positive))


def bar(scale: LogScale | None, span: Span | None) -> str:
    """Return a bar as long as the smallest value, shaded on to the largest; '' without a scale."""
    if scale is None or span is None:
        return ""
    low, high = scale.length(span.low), scale.length(span.high)
    if span.low == span.high:
        full, rest = divmod(round(low * WIDTH * 8), 8)
        return "█" * full + _EIGHTHS[rest]
    solid = round(low * WIDTH)
    return "█" * solid + "░" * max(round(high * WIDTH) - solid, 1)
