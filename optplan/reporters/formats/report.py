"""A report as columns and cells, before a format is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from rich.console import RenderableType

Row = TypeVar("Row")


class Only(StrEnum):
    """The one kind of format that has a column: the text, or the pages in Markdown and HTML."""

    TEXT = "text"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table.

    Args:
        text: Its text on one line.
        style: Its style in a terminal; HTML has ``alarm`` and ``quiet`` too.
        short: A shorter text for a narrow terminal.
        lines: Its text on a page; None for ``text``.
        data: Its value for JSON and CSV.
        order: The number that a page sorts it by; None for its text.
        above: The modules that its text is below.
        bar: The begin and the end of a bar's shaded part, between 0 and 1.
        heat: How large its value is, between 0 and 1, for a heat map.
    """

    text: str = ""
    style: str = ""
    short: str | None = None
    lines: tuple[str, ...] | None = None
    data: object = None
    order: float | None = None
    above: str = ""
    bar: tuple[float, float] | None = None
    heat: float | None = None

    @property
    def page_lines(self) -> tuple[str, ...]:
        """Return its text on a page."""
        if self.lines is not None:
            return self.lines
        return (self.text,) if self.text else ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Args:
        heading: Its heading.
        short: A shorter heading for a narrow terminal.
        is_number: Align it to the right.
        is_name: It holds names from the user's files, which Markdown shows as code.
        shrink_to: The width down to which a terminal may cut its cells in their middle; None for never.
        optional: Whether a terminal that is too narrow leaves it out: 1 first,
            2 and then 3 where shrinking the others is not enough, 0 never.
        below: Where the terminal is too narrow, put its cells below their rows, indented by so much.
        only: The kind of format that has it; None for all.
    """

    heading: str = ""
    _: KW_ONLY
    short: str | None = None
    is_number: bool = False
    is_name: bool = False
    shrink_to: int | None = None
    optional: int = 0
    below: int | None = None
    only: Only | None = None


@dataclass(frozen=True, slots=True)
class Field(Column, Generic[Row]):
    """A column with what it has of each row.

    Args:
        cell: Makes the cell of a row; None for what only programs read.
        key: Its name in JSON and CSV; '' where they lack it.
        data: Makes its value for these; None for the cell's own.
    """

    cell: Callable[[Row], Cell] | None = None
    key: str = ""
    _: KW_ONLY
    data: Callable[[Row], object] | None = None

    def value(self, row: Row) -> object:
        """Return what JSON and CSV have of a row."""
        if self.data is not None:
            return self.data(row)
        return self.cell(row).data if self.cell is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table under its title; without rows, the title alone."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartCurve:
    """One line of a chart.

    Args:
        label: Its label.
        values: Its value at each step; None where there is none.
        names: Patterns of what it is for, below the label.
        rank: Its place among all from 0 to 1, which gives it a colour: those of neighbours are neighbours.
    """

    label: str
    values: tuple[float | None, ...]
    names: str = ""
    rank: float = 0.0


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
        is_log: Draw the values on a logarithmic scale at first.
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
    """What Markdown and HTML show of a report.

    Args:
        title: The model, in the user's words.
        view: What is shown of it.
        facts: Lines at the top of a page.
        sheets: Makes the tables of a page.
        charts: Makes its charts, above the tables; HTML alone has them.
        closing: Lines at the end of a page.
        narrowing: Which rows are shown; '' for all.
    """

    title: str
    view: str
    facts: tuple[str, ...] = ()
    sheets: Callable[[], Sequence[Sheet]] = tuple
    charts: Callable[[], Sequence[Chart]] = tuple
    closing: tuple[str, ...] = field(default=())
    narrowing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Page):
    """A report in all formats; each takes the parts that it shows.

    Args:
        text: Makes what the terminal shows.
        data: Makes what JSON has.
        records: Makes the rows of CSV, the headings first.
    """

    text: Callable[[], Iterable[RenderableType]]
    data: Callable[[], dict[str, Any]]
    records: Callable[[], Iterable[Sequence[object]]]


def sheet_of(title: str, fields: Sequence[Field[Row]], rows: Iterable[Row], only: Only) -> Sheet:
    """Return the table of some rows for one kind of format, without columns in which nothing stands."""
    wanted = [one for one in fields if one.cell is not None and one.only in (None, only)]
    makers = [one.cell for one in wanted if one.cell is not None]
    cells = [tuple(make(row) for make in makers) for row in rows]
    kept = [at for at in range(len(wanted)) if any(row[at].page_lines for row in cells)]
    if len(kept) < len(wanted):
        cells = [tuple(row[at] for at in kept) for row in cells]
    return Sheet(title=title, columns=tuple(wanted[at] for at in kept), rows=tuple(cells))


def records_of(fields: Sequence[Field[Row]], rows: Iterable[Row]) -> Iterable[dict[str, object]]:
    """Return what programs read of each row, by the names of the columns."""
    named = [one for one in fields if one.key]
    return ({one.key: one.value(row) for one in named} for row in rows)


def count_cell(count: int, text: str | None = None, style: str = "") -> Cell:
    """Return a count, also in other words."""
    return Cell(str(count) if text is None else text, style, data=count, order=count)


def list_cell(texts: Sequence[str], style: str = "", *, most: int | None = None) -> Cell:
    """Return several texts: separated by commas, a line each on a page.

    Args:
        texts: The texts.
        style: Their style.
        most: How many to show in a narrow terminal; None for all.
    """
    short = None
    if most is not None and len(texts) > most:
        short = ", ".join(texts[:most]) + f" and {len(texts) - most} more"
    return Cell(", ".join(texts), style, short, lines=tuple(texts), data=list(texts))
