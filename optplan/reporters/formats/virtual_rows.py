"""A long table of which a page makes only the rows that are in sight: data, which the script of the page reads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from optplan.reporters.formats.chart_html import text_html
from optplan.reporters.formats.report import Cell, Column, Sheet
from optplan.reporters.formats.visible import visible

# Up to so many rows stand in the page as they are, for readers without scripts.
MOST_ROWS = 500
_TONES = frozenset({"alarm", "quiet"})
_SAMPLE = 2000


def virtual_table(sheet: Sheet) -> str:
    """Return the headings of a table, and its rows as data."""
    data = json.dumps(
        [[_data(cell) for cell in row] for row in sheet.rows], separators=(",", ":")
    ).replace("<", "\\u003c")  # it would end the script
    widths = _widths(sheet.rows, len(sheet.columns))
    heads = "".join(map(_heading, sheet.columns, widths))
    return "\n".join(
        (
            f'<table aria-rowcount="{len(sheet.rows) + 1}"><thead><tr aria-rowindex="1">{heads}</tr></thead>',
            "<tbody></tbody></table>",
            f'<script type="application/json">{data}</script>',
        )
    )


def _heading(column: Column, width: int) -> str:
    kinds = [*(["number"] if column.is_number else []), *(["name"] if column.is_name else [])]
    kind = f' data-kind="{" ".join(kinds)}"' if kinds else ""
    heading = text_html(column.heading)
    return (
        f'<th scope="col"{" class=number" if column.is_number else ""}{kind} style="min-width:{width}ch">'
        f'<button type="button">{heading}</button></th>'
    )


def _data(cell: Cell) -> object:
    """Return a text, or a list of the text, its number, its tone, what it is below, and its heat."""
    text = visible(", ".join(cell.page_lines))
    tone = cell.style if cell.style in _TONES else ""
    if cell.order is None and not tone and not cell.above and cell.heat is None:
        return text
    heat = None if cell.heat is None else round(cell.heat, 3)
    return [text, cell.order, tone, visible(cell.above), heat]


def _widths(rows: Sequence[Sequence[Cell]], count: int) -> list[int]:
    """Return how many characters the longest of some texts in each column has, so that columns stay as they are."""
    step = max(1, len(rows) // _SAMPLE)
    found = [0] * count
    for row in rows[::step]:
        for at, cell in enumerate(row):
            length = len(cell.above) + sum(map(len, cell.page_lines)) + 2
            found[at] = max(found[at], min(length, 80))
    return found
