"""A report in GitHub-flavoured Markdown, which shows a user's text as it is."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence

from optplan.reporters.formats.report import Cell, Column, Page, Sheet
from optplan.reporters.formats.visible import visible

_LITERAL = frozenset(string.ascii_letters + string.digits + " .-")


def render(report: Page, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return headings, facts and a table for each sheet."""
    lines = [f"### {code(report.title)} · {report.view}", ""]
    lines += [f"- {code(fact)}" for fact in report.facts]
    for sheet in report.sheets():
        lines += ["", f"**{sheet.title}**", "", *_sheet_lines(sheet)]
    lines += ["", *(f"- {_plain(line)}" for line in report.closing)]
    if report.narrowing:
        lines.append(f"- {code(report.narrowing)}")
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Return text in the code style, literal in a table too."""
    shown = visible(text)
    if not shown:
        return ""
    if "`" in shown or "|" in shown or shown != shown.strip() or shown.endswith("\\"):
        # a span of backticks cannot hold these in a table; in an element all else needs escaping
        return f"<code>{escaped(shown)}</code>"
    return f"`{shown}`"


def escaped(text: str) -> str:
    """Return plain text without any character that Markdown or HTML gives a meaning to."""
    return "".join(
        character if character in _LITERAL or not character.isascii() else f"&#{ord(character)};"
        for character in visible(text)
    )


def table_text(rows: Iterable[Sequence[str]], alignments: Sequence[str] = ()) -> str:
    """Return rows of cells, the headings first."""
    headings, *others = rows
    lines = [headings, alignments or ["---"] * len(headings), *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sheet_lines(sheet: Sheet) -> Iterator[str]:
    if not sheet.rows:
        return
    headings = [column.heading for column in sheet.columns]
    rows = [list(map(_cell, row, sheet.columns)) for row in sheet.rows]
    alignments = ["---:" if column.is_number else "---" for column in sheet.columns]
    yield table_text([headings, *rows], alignments)


def _cell(cell: Cell, column: Column) -> str:
    if not column.is_name:
        return "<br>".join(map(_plain, cell.page_lines))
    return "<br>".join(code(cell.above + line) for line in cell.page_lines)


def _plain(text: str) -> str:
    """Return words and numbers of our own, which may hold a ``<`` but no markup."""
    return text.replace("<", "&lt;")
