"""A report as headings and tables of values, before it becomes Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What stands in one place of a table.

    Args:
        lines: Its text.
        order: What to sort it by; its text where that is ``None``.
        is_name: Its text is a user's, or names something in the user's files.
        above: What its text is below, as the modules around a parameter.
        bar: The begin and the end of a bar's shaded part, between 0 and 1.
        tone: ``alarm`` for what should catch the eye, ``quiet`` for what should not.
    """

    lines: tuple[str, ...] = ()
    order: float | None = None
    is_name: bool = False
    above: str = ""
    bar: tuple[float, float] | None = None
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a column."""

    text: str
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table under its title."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartCurve:
    """One line of a chart: what it is of, and its value at each step; None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves over the steps of a training.

    Args:
        title: What the values are.
        unit: What steps are counted in.
        per_epoch: How many steps an epoch has, where steps are no epochs.
        steps: The steps at which the curves are known, ascending.
        ticks: The steps to mark.
        curves: The curves.
        is_log: The values are on a logarithmic scale at first.
    """

    title: str
    unit: str
    per_epoch: int | None
    steps: tuple[int, ...]
    ticks: tuple[int, ...]
    curves: tuple[ChartCurve, ...]
    is_log: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report.

    Args:
        title: What it is of, in the user's words.
        view: What it shows of it.
        facts: Lines that say more.
        sheets: The tables.
        closing: Lines that say whether all is well.
        narrowing: Which rows are shown, in the user's words; '' for all.
        charts: The charts, above the tables; HTML alone has them.
    """

    title: str
    view: str
    facts: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    closing: tuple[str, ...]
    narrowing: str = ""
    charts: tuple[Chart, ...] = ()


def name_value(text: str, *, above: str = "", tone: str = "") -> Value:
    """A user's text."""
    return Value(lines=(text,) if text else (), is_name=True, above=above, tone=tone)


def count_value(count: int, text: str | None = None) -> Value:
    """A count, also in other words."""
    return Value(lines=(str(count) if text is None else text,), order=count)


def without_empty(sheet: Sheet) -> Sheet:
    """The sheet without the columns in which nothing stands."""
    kept = [
        column
        for column in range(len(sheet.headings))
        if any(row[column].lines for row in sheet.rows)
    ]
    return Sheet(
        title=sheet.title,
        headings=tuple(sheet.headings[column] for column in kept),
        rows=tuple(tuple(row[column] for column in kept) for row in sheet.rows),
    )
