"""A view of a plan: one declaration of its rows and columns, which every format writes in its way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from optplan.plan.serial import extras_to_dict
from optplan.reporters.formats import TableFormat, write
from optplan.reporters.formats.report import Field, Only, Report, Sheet, records_of, sheet_of
from optplan.reporters.plan_summary import (
    closing_blocks,
    coverage_lines,
    head_blocks,
    model_name,
    narrowing_text,
    plan_facts,
)
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView

if TYPE_CHECKING:
    from rich.console import RenderableType

_FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The rows and columns of a view.

    Args:
        title: What it is called on a page.
        sheet: The title of its table there.
        fields: Its columns.
        rows: Its rows.
        key: What JSON calls these.
        note: A line below the table in a terminal, and its style.
        blocks: Makes what a terminal shows instead of the table.
        more_blocks: Makes what it shows below.
        more_sheets: Makes further tables of a page.
        more_closing: Lines at the end of a page.
        data: Makes the whole of JSON, where that is more than the rows.
    """

    title: str
    sheet: str
    fields: Sequence[Field[Any]]
    rows: Sequence[Any]
    key: str
    note: tuple[str, str] = ("", "")
    blocks: Callable[[], Iterable[RenderableType]] | None = None
    more_blocks: Callable[[], Iterable[RenderableType]] = tuple
    more_sheets: Callable[[], Sequence[Sheet]] = tuple
    more_closing: tuple[str, ...] = ()
    data: Callable[[], dict[str, Any]] | None = None


def show_report(
    view: ShowView,
    shown: Selection,
    output_format: TableFormat,
    *,
    width: int | None = None,
    color: bool = False,
) -> str:
    """Return a view of a plan in a format.

    Args:
        view: The view.
        shown: The plan, and what is shown of it.
        output_format: The format.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    return write(output_format, view_report(view, shown), width=width, color=color)


def view_report(view: ShowView, shown: Selection) -> Report:
    """Return a view of a plan, before a format is chosen."""
    declared: View = import_module(f"{__package__}.{view}").declare(shown)
    return _report(view, declared, shown)


def _report(name: ShowView, view: View, shown: Selection) -> Report:
    return Report(
        title=model_name(shown.plan),
        view=view.title,
        text=lambda: _blocks(view, shown),
        data=view.data or (lambda: _data(name, view, shown)),
        records=lambda: _records(view),
        facts=plan_facts(shown.plan),
        sheets=lambda: [
            sheet_of(view.sheet, view.fields, view.rows, Only.PAGE),
            *view.more_sheets(),
        ],
        closing=(*view.more_closing, *coverage_lines(shown.plan), *filter(None, [shown.idle])),
        narrowing=narrowing_text(shown.plan, shown.rows, shown.narrowing),
    )


def _blocks(view: View, shown: Selection) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Blank, Paragraph, sheet_table

    yield from head_blocks(shown.plan)
    if view.blocks is not None:
        yield from view.blocks()
    else:
        yield sheet_table(sheet_of("", view.fields, view.rows, Only.TEXT))
    yield Blank()
    yield Paragraph(view.note)
    yield from view.more_blocks()
    yield from closing_blocks(shown)


def _data(name: ShowView, view: View, shown: Selection) -> dict[str, Any]:
    plan = shown.plan
    return {
        "format_version": _FORMAT_VERSION,
        "view": "groups" if name is ShowView.SETTINGS else name.value,  # as its schema has it
        "config": plan.config,
        "model": plan.model.spec or plan.model.class_name,
        "narrowed": str(shown.narrowing) or None,
        **extras_to_dict(plan),
        view.key: list(records_of(view.fields, view.rows)),
    }


def _records(view: View) -> Iterator[Sequence[object]]:
    yield [field.key for field in view.fields if field.key]
    for record in records_of(view.fields, view.rows):
        yield [json.dumps(one) if isinstance(one, dict | list) else one for one in record.values()]
