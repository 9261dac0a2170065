"""A report as a part of someone else's page, such as a notebook: no script, and styles that touch nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.reporters.formats.chart_html import text_html
from optplan.reporters.formats.html import cell_html
from optplan.reporters.formats.report import Page, Sheet

# The page around it is light or dark: nothing here sets a colour of its own but the translucent ones.
_STYLE = """
.optplan { font: 13px/1.45 system-ui, sans-serif; max-width: 100%; overflow-x: auto; }
.optplan p { margin: .1rem 0; }
.optplan table { border-collapse: collapse; margin: .4rem 0; font-size: inherit; }
.optplan th, .optplan td { text-align: left; vertical-align: top; white-space: nowrap; padding: .1rem .6rem;
  border-bottom: 1px solid rgba(128, 128, 128, .35); background: none; }
.optplan .number { text-align: right; font-variant-numeric: tabular-nums; }
.optplan .name { font-family: ui-monospace, monospace; }
.optplan .above, .optplan .quiet, .optplan .more { opacity: .65; }
.optplan .alarm { color: #c62828; font-weight: 600; }
.optplan .heat { background: rgba(242, 140, 60, calc(var(--heat) * .75)); }
.optplan .bar { display: none; }
.optplan pre { margin: .2rem 0; line-height: 1.3; background: none; }
"""
_MOST_ROWS = 100


def fragment(report: Page, *, most: int = _MOST_ROWS) -> str:
    """Return the report's lines and tables.

    Args:
        report: The report.
        most: How many rows of a table are shown.
    """
    title = f"<p><strong>{text_html(report.title)}</strong> {text_html(report.view)}</p>"
    parts = [title, *(f"<p>{text_html(fact)}</p>" for fact in report.facts)]
    for sheet in report.sheets():
        parts += _sheet(sheet, most)
    parts += [f'<p class="quiet">{text_html(line)}</p>' for line in report.closing]
    if report.narrowing:
        parts.append(f"<p>{text_html(report.narrowing)}</p>")
    return _styled(parts)


def text_fragment(text: str) -> str:
    """Return a text of several lines as it is."""
    return _styled([f"<pre>{chr(10).join(map(text_html, text.splitlines()))}</pre>"])


def _styled(parts: list[str]) -> str:
    return "\n".join([f'<div class="optplan"><style>{_STYLE}</style>', *parts, "</div>"])


def _sheet(sheet: Sheet, most: int) -> Iterator[str]:
    yield f"<p><strong>{text_html(sheet.title)}</strong></p>"
    if not sheet.rows:
        return
    heads = (
        f'<th scope="col"{" class=number" if column.is_number else ""}>{text_html(column.heading)}</th>'
        for column in sheet.columns
    )
    yield f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>"
    for row in sheet.rows[:most]:
        yield f"<tr>{''.join(map(cell_html, row, sheet.columns))}</tr>"
    yield "</tbody></table>"
    if len(sheet.rows) > most:
        yield f'<p class="more">and {len(sheet.rows) - most} more rows</p>'
