"""A page as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from optplan.reporters.formats.chart import chart_html
from optplan.reporters.formats.chart_assets import CHART_SCRIPT, CHART_STYLE
from optplan.reporters.formats.html_assets import SCRIPT, STYLE
from optplan.reporters.formats.page import Heading, Page, Sheet, Value
from optplan.reporters.formats.terminal import visible


def page_html(page: Page) -> str:
    """The page with its style and script inside; every text is escaped."""
    title, *facts = map(_text, (page.title, *page.facts))
    narrowing = [f'<p class="narrowing">{_text(page.narrowing)}</p>'] if page.narrowing else []
    style, script = STYLE, SCRIPT
    if page.charts:
        style, script = STYLE + CHART_STYLE, SCRIPT + CHART_SCRIPT
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title} · {page.view} · optplan</title>",
        f"<style>{style}</style></head>",
        "<body><main>",
        f"<h1>{title} <small>{page.view}</small></h1>",
        *(f"<p>{fact}</p>" for fact in facts),
        *(chart_html(chart, number) for number, chart in enumerate(page.charts)),
        *(_sheet(sheet, number) for number, sheet in enumerate(page.sheets)),
        "<footer>",
        *(f"<p>{_text(line)}</p>" for line in page.closing),
        *narrowing,
        "</footer></main>",
        f"<script>{script}</script>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    return escape(visible(text))


def _sheet(sheet: Sheet, number: int) -> str:
    title = f'<h2 id="sheet{number}">{_text(sheet.title)}</h2>'
    if not sheet.rows:
        return f"<section>{title}</section>"
    return "\n".join(
        (
            f'<section aria-labelledby="sheet{number}">{title}',
            '<p><label>Filter <input type="search" autocomplete="off" spellcheck="false"></label>',
            '<output aria-live="polite"></output></p>',
            f'<div class="scroll" tabindex="0" role="region" aria-labelledby="sheet{number}"><table>',
            f"<thead><tr>{''.join(map(_heading, sheet.headings))}</tr></thead>",
            "<tbody>",
            *(_row(row, sheet.headings) for row in sheet.rows),
            "</tbody></table></div></section>",
        )
    )


def _heading(heading: Heading) -> str:
    kind = ' class="number"' if heading.is_number else ""
    return f'<th scope="col"{kind}><button type="button">{_text(heading.text)}</button></th>'


def _row(row: Iterable[Value], headings: Iterable[Heading]) -> str:
    cells = [_cell(value, heading) for value, heading in zip(row, headings, strict=True)]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Value, heading: Heading) -> str:
    classes = [value.tone] if value.tone else []
    if value.is_name:
        classes.append("name")
    if heading.is_number:
        classes.append("number")
    kind = f' class="{" ".join(classes)}"' if classes else ""
    order = f' data-order="{value.order!r}"' if value.order is not None else ""
    above = f'<span class="above">{_text(value.above)}</span>' if value.above else ""
    lines = "<br>".join(map(_text, value.lines))
    return f"<td{kind}{order}>{above}{lines}{_bar(value.bar)}</td>"


def _bar(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return ""
    style = f"--low:{ends[0]:.3f};--high:{ends[1]:.3f}"
    return f'<span class="bar" aria-hidden="true" style="{style}"></span>'
