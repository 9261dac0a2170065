"""Statuses, numbers and spans as values of a table."""

from __future__ import annotations

from optplan.names import Status
from optplan.reporters.formats.bars import LogScale, Span
from optplan.reporters.formats.page import Value
from optplan.reporters.show.kinds import span_text
from optplan.reporters.words import number

STATUS_TONES = {
    Status.OPTIMIZED: "",
    Status.FROZEN: "quiet",
    Status.DUPLICATE: "quiet",
    Status.UNCOVERED: "alarm",
}


def number_value(value: float | None) -> Value:
    """A number, sorted as one."""
    return Value(lines=(number(value),), order=value)


def span_value(span: Span | None, scale: LogScale | None) -> Value:
    """A span; bars are drawn to its ends, and it is sorted by its larger one."""
    ends = None
    if span is not None and scale is not None:
        ends = scale.length(span.low), scale.length(span.high)
    return Value(lines=(span_text(span),), order=span.high if span else None, bar=ends)
