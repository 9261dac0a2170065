"""A page as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from optplan.reporters.formats.markdown import code
from optplan.reporters.formats.page import Heading, Page, Sheet, Value


def page_md(page: Page) -> str:
    """Headings, facts and a table for each sheet; user's text stands in code spans."""
    lines = [f"### {code(page.title)} · {page.view}", ""]
    lines += [f"- {code(fact)}" for fact in page.facts]
    for sheet in page.sheets:
        lines += ["", f"**{sheet.title}**", "", *_table(sheet)]
    lines += ["", *(f"- {_plain(line)}" for line in page.closing)]
    if page.narrowing:
        lines.append(f"- {code(page.narrowing)}")
    return "\n".join(lines) + "\n"


def _table(sheet: Sheet) -> Iterable[str]:
    if not sheet.rows:
        return
    yield _row(heading.text for heading in sheet.headings)
    yield _row(map(_alignment, sheet.headings))
    for row in sheet.rows:
        yield _row(map(_cell, row))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _alignment(heading: Heading) -> str:
    return "---:" if heading.is_number else "---"


def _cell(value: Value) -> str:
    if not value.is_name:
        return "<br>".join(map(_plain, value.lines))
    return "<br>".join(code(value.above + line) for line in value.lines)


def _plain(text: str) -> str:
    """Words and numbers of our own, which may hold a ``<`` but no markup."""
    return text.replace("<", "&lt;")
