"""A report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from optplan.reporters.formats.chart_assets import CHART_SCRIPT, CHART_STYLE
from optplan.reporters.formats.chart_html import chart_html, text_html
from optplan.reporters.formats.html_assets import SCRIPT, STYLE
from optplan.reporters.formats.report import Cell, Column, Report, Sheet

_TONES = frozenset({"alarm", "quiet"})


def render(report: Report, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return the page with its style and script inside; every text is escaped."""
    title, *facts = map(text_html, (report.title, *report.facts))
    narrowing = text_html(report.narrowing)
    charts = report.charts()
    style, script = STYLE, SCRIPT
    if charts:
        style, script = STYLE + CHART_STYLE, SCRIPT + CHART_SCRIPT
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title} · {report.view} · optplan</title>",
        f"<style>{style}</style></head>",
        "<body><main>",
        f"<h1>{title} <small>{report.view}</small></h1>",
        *(f"<p>{fact}</p>" for fact in facts),
        *(chart_html(chart, number) for number, chart in enumerate(charts)),
        *(_sheet(sheet, number) for number, sheet in enumerate(report.sheets())),
        "<footer>",
        *(f"<p>{text_html(line)}</p>" for line in report.closing),
        *([f'<p class="narrowing">{narrowing}</p>'] if narrowing else []),
        "</footer></main>",
        f"<script>{script}</script>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _sheet(sheet: Sheet, number: int) -> str:
    title = f'<h2 id="sheet{number}">{text_html(sheet.title)}</h2>'
    if not sheet.rows:
        return f"<section>{title}</section>"
    return "\n".join(
        (
            f'<section aria-labelledby="sheet{number}">{title}',
            '<p><label>Filter <input type="search" autocomplete="off" spellcheck="false"></label>',
            '<output aria-live="polite"></output></p>',
            f'<div class="scroll" tabindex="0" role="region" aria-labelledby="sheet{number}"><table>',
            f"<thead><tr>{''.join(map(_heading, sheet.columns))}</tr></thead>",
            "<tbody>",
            *(_row(row, sheet.columns) for row in sheet.rows),
            "</tbody></table></div></section>",
        )
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
