"""A report as one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from optplan.reporters.formats.chart_assets import CHART_SCRIPT, CHART_STYLE
from optplan.reporters.formats.chart_html import chart_html, text_html
from optplan.reporters.formats.html_assets import (
    PAGE_STYLE,
    SCRIPT,
    STYLE,
    TAB_SCRIPT,
    VIRTUAL_SCRIPT,
)
from optplan.reporters.formats.report import Cell, Column, Page, Sheet
from optplan.reporters.formats.visible import visible

_TONES = frozenset({"alarm", "quiet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One report of a page: what its tab is called, in the address too, and the report."""

    name: str
    report: Page


def render(report: Page, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return the page with its style and script inside; every text is escaped."""
    return render_tabs([Tab(name=report.view, report=report)], chosen=report.view)


def render_tabs(tabs: Sequence[Tab], *, chosen: str) -> str:
    """Return a page of several reports, a tab each; one report alone has none.

    Args:
        tabs: The reports.
        chosen: The name of the tab that is shown first.
    """
    first = next(tab.report for tab in tabs if tab.name == chosen)
    title, several = text_html(first.title), len(tabs) > 1
    numbers = count()
    panels = [
        _panel(tab, place, numbers, None if not several else chosen)
        for place, tab in enumerate(tabs)
    ]
    inner = "\n".join(panels)
    has_charts, is_long = '<section class="chart"' in inner, '<section class="virtual"' in inner
    style = STYLE + (CHART_STYLE if has_charts else "") + PAGE_STYLE
    scripts = (
        SCRIPT,
        TAB_SCRIPT if several else "",
        CHART_SCRIPT if has_charts else "",
        VIRTUAL_SCRIPT if is_long else "",
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title} · {text_html(first.view)} · optplan</title>",
        f"<style>{style}</style>",
        "<noscript><style>[role=tabpanel][hidden] { display: block; }</style></noscript></head>",
        "<body><main>",
        f"<h1>{title} <small>{'optplan' if several else text_html(first.view)}</small></h1>",
        *([_tab_list(tabs, chosen)] if several else []),
        inner,
        "</main>",
        f"<script>{''.join(scripts)}</script>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _tab_list(tabs: Sequence[Tab], chosen: str) -> str:
    buttons = (
        f'<button type="button" role="tab" id="tab{place}" aria-controls="panel{place}" '
        f'data-name="{text_html(tab.name)}" aria-selected="{"true" if tab.name == chosen else "false"}" '
        f'tabindex="{0 if tab.name == chosen else -1}">{text_html(tab.name)}</button>'
        for place, tab in enumerate(tabs)
    )
    return f'<div role="tablist" aria-label="views">{"".join(buttons)}</div>'


def _panel(tab: Tab, place: int, numbers: Iterator[int], chosen: str | None) -> str:
    report = tab.report
    narrowing = text_html(report.narrowing)
    lines = [
        *(f"<p>{text_html(fact)}</p>" for fact in report.facts),
        *(chart_html(chart, next(numbers)) for chart in report.charts()),
        *(_sheet(sheet, next(numbers)) for sheet in report.sheets()),
        "<footer>",
        *(f"<p>{text_html(line)}</p>" for line in report.closing),
        *([f'<p class="narrowing">{narrowing}</p>'] if narrowing else []),
        "</footer>",
    ]
    if chosen is None:
        return "\n".join(lines)
    hidden = "" if tab.name == chosen else " hidden"
    opening = (
        f'<div role="tabpanel" id="panel{place}" aria-labelledby="tab{place}" tabindex="0"{hidden}>'
    )
    return "\n".join([opening, *lines, "</div>"])


def _sheet(sheet: Sheet, number: int) -> str:
    title = f'<h2 id="sheet{number}">{text_html(sheet.title)}</h2>'
    if not sheet.rows:
        return f"<section>{title}</section>"
    is_long = len(sheet.rows) > MOST_ROWS
    kind = ' class="virtual"' if is_long else ""
    return "\n".join(
        (
            f'<section{kind} aria-labelledby="sheet{number}">{title}',
            '<p><label>Filter <input type="search" autocomplete="off" spellcheck="false"></label>',
            '<output aria-live="polite"></output></p>',
            f'<div class="scroll" tabindex="0" role="region" aria-labelledby="sheet{number}">',
            virtual_table(sheet) if is_long else _table(sheet),
            "</div></section>",
        )
    )


def _table(sheet: Sheet) -> str:
    heads = "".join(map(_heading, sheet.columns))
    rows = (_row(row, sheet.columns) for row in sheet.rows)
    return "\n".join(
        (f"<table><thead><tr>{heads}</tr></thead>", "<tbody>", *rows, "</tbody></table>")
    )


def _heading(column: Column) -> str:
    kind = ' class="number"' if column.is_number else ""
    heading = text_html(column.heading)
    return f'<th scope="col"{kind}><button type="button">{heading}</button></th>'


def _row(row: Iterable[Cell], columns: Iterable[Column]) -> str:
    return f"<tr>{''.join(map(cell_html, row, columns))}</tr>"


def cell_html(cell: Cell, column: Column) -> str:
    """Return a place of a table, its text escaped."""
    classes = [cell.style] if cell.style in _TONES else []
    classes += ["name"] if column.is_name else []
    classes += ["number"] if column.is_number else []
    classes += ["heat"] if cell.heat is not None else []
    kind = f' class="{" ".join(classes)}"' if classes else ""
    heat = f' style="--heat:{cell.heat:.3f}"' if cell.heat is not None else ""
    order = f' data-order="{cell.order!r}"' if cell.order is not None else ""
    above = f'<span class="above">{text_html(cell.above)}</span>' if cell.above else ""
    lines = "<br>".join(map(text_html, cell.page_lines))
    return f"<td{kind}{order}{heat}>{above}{lines}{_bar(cell.bar)}</td>"


def _bar(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return ""
    style = f"--low:{ends[0]:.3f};--high:{ends[1]:.3f}"
    return f'<span class="bar" aria-hidden="true" style="{style}"></span>'


# Up to so many rows stand in the page as they are, for readers without scripts.
MOST_ROWS = 500
_SAMPLE = 2000


def virtual_table(sheet: Sheet) -> str:
    """Return the headings of a table, and its rows as data."""
    data = json.dumps(
        [[_virtual_data(cell) for cell in row] for row in sheet.rows], separators=(",", ":")
    ).replace("<", "\\u003c")  # it would end the script
    widths = _widths(sheet.rows, len(sheet.columns))
    heads = "".join(map(_virtual_heading, sheet.columns, widths))
    return "\n".join(
        (
            f'<table aria-rowcount="{len(sheet.rows) + 1}"><thead><tr aria-rowindex="1">{heads}</tr></thead>',
            "<tbody></tbody></table>",
            f'<script type="application/json">{data}</script>',
        )
    )


def _virtual_heading(column: Column, width: int) -> str:
    kinds = [*(["number"] if column.is_number else []), *(["name"] if column.is_name else [])]
    kind = f' data-kind="{" ".join(kinds)}"' if kinds else ""
    heading = text_html(column.heading)
    return (
        f'<th scope="col"{" class=number" if column.is_number else ""}{kind} style="min-width:{width}ch">'
        f'<button type="button">{heading}</button></th>'
    )


def _virtual_data(cell: Cell) -> object:
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
