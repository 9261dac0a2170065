"""The checks' pages, for a terminal of 80 columns."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from optplan.checks.base import Check
from optplan.names import Severity
from optplan.reporters.formats.json import json_text
from optplan.reporters.formats.report import Cell, Field, Only, records_of, sheet_of
from optplan.reporters.words import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 80
_PAGES = "https://github.com/optplan/optplan/blob/main/.github/docs/checks.md"
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def page_of(check: Check) -> str:
    """Return a check's page as it is written."""
    return inspect.cleandoc(check.__doc__ or "")


def check_pages(checks: Iterable[Check], *, width: int | None, color: bool) -> str:
    """Return the pages of some checks, one after another."""
    from optplan.reporters.formats.terminal import Blank, render

    blocks: list[RenderableType] = []
    for check in checks:
        blocks += [*([Blank()] if blocks else []), *_page(check)]
    return render(blocks, width=min(width or WIDTH, WIDTH), color=color)


def _page(check: Check) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Blank, Paragraph

    severity = check.severity
    title = (f"{check.code} {check.name}", "bold")
    yield Paragraph(title, "   ", (severity.value, _STYLES[severity]), indent=0)
    facts = [fact for fact, holds in _facts(check) if holds]
    if facts:
        yield Paragraph(f"{'. '.join(facts)}.", indent=0)
    for block in re.split(r"\n{2,}", page_of(check)):
        yield Blank()
        yield from map(_line, _block(block))


def _line(text: str) -> RenderableType:
    """Return a line; one of an example keeps its own indentation."""
    from optplan.reporters.formats.terminal import Paragraph

    indent = len(text) - len(text.lstrip())
    return Paragraph(text[indent:], indent=indent)


def _facts(check: Check) -> tuple[tuple[str, bool], ...]:
    return (
        ("Needs a model (--model)", check.needs_plan),
        (f"Opt-in (--select {check.code})", check.opt_in),
    )


def _block(block: str) -> list[str]:
    """Return a paragraph as one line; an indented block as it stands."""
    if block.startswith(" "):
        return block.split("\n")
    text = re.sub(r"``(.*?)``", r"`\1`", " ".join(block.split()))
    return [re.sub(r"::$", ":", text)]


def markdown_page(check: Check) -> str:
    """Return a check's page as Markdown, without its title."""
    blocks: list[str] = []
    for block in re.split(r"\n{2,}", page_of(check)):
        lines = _block(block)
        if not block.startswith(" "):
            blocks += lines
        elif blocks and blocks[-1].endswith("```"):  # an example with an empty line in it
            blocks[-1] = "\n".join([blocks[-1].removesuffix("\n```"), "", *_fenced(lines)[1:]])
        else:
            blocks.append("\n".join(_fenced(lines)))
    return "\n\n".join(blocks) + "\n"


def _fenced(lines: Sequence[str]) -> list[str]:
    return ["```", *inspect.cleandoc("\n".join(["", *lines])).split("\n"), "```"]


def markdown_pages(checks: Iterable[Check]) -> str:
    """Return the pages of checks as one document, to which the links of SARIF lead."""
    parts = ["# Checks\n"]
    for check in checks:
        facts = [
            f"Severity: {check.severity.value}",
            *(fact for fact, holds in _facts(check) if holds),
        ]
        parts += [f"## {check.code} {check.name}\n", f"{'. '.join(facts)}.\n", markdown_page(check)]
    return "\n".join(parts)


def page_uri(check: Check) -> str:
    """Return the address of a check's page."""
    return f"{_PAGES}#{check.code.lower()}-{check.name}"


def check_list(checks: Sequence[Check], *, width: int | None, color: bool) -> str:
    """Return a line for each check."""
    from optplan.reporters.formats.terminal import Blank, Paragraph, render, sheet_table

    sheet = sheet_of("", _FIELDS, checks, Only.TEXT)
    count = Paragraph(plural(len(checks), "check"))
    return render([sheet_table(sheet), Blank(), count], width=width, color=color)


def checks_json(checks: Iterable[Check]) -> str:
    """Return the checks as ``schemas/rule-1.0.schema.json`` describes them."""
    return json_text({"format_version": "1.0", "checks": list(records_of(_FIELDS, checks))})


def check_summary(check: Check) -> str:
    """Return what a check finds: the first paragraph of its page, in one line."""
    return _block(page_of(check).partition("\n\n")[0])[0]


def _needs_cell(check: Check) -> Cell:
    return Cell("model" if check.needs_plan else "", data=check.needs_plan)


_FIELDS: tuple[Field[Check], ...] = (
    Field("code", lambda c: Cell(c.code, "bold", data=c.code), "code"),
    Field("name", lambda c: Cell(c.name, data=c.name), "name"),
    Field(
        "severity",
        lambda c: Cell(c.severity.value, _STYLES[c.severity], data=c.severity.value),
        "severity",
    ),
    Field(key="opt_in", data=lambda c: c.opt_in),
    Field("needs", _needs_cell, "needs_model"),
    Field(cell=lambda c: Cell("opt-in" if c.opt_in else "", "dim")),
    Field("summary", lambda c: Cell(check_summary(c), data=check_summary(c)), "summary"),
    Field(key="page", data=page_of),
)
