"""Findings for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optplan.checks.results import CheckReport, Reported
from optplan.errors import listed
from optplan.names import Severity
from optplan.reporters.check.words import affected, counted, headline, hint_of, remarks
from optplan.reporters.formats.visible import cell_len, visible
from optplan.reporters.words import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_TOKEN = re.compile(r"#.*|[\w.]+|'[^']*'|\"[^\"]*\"|\S")
_MOST_PARAMETERS = 3
_LONGEST_MARK = 60


def render(report: CheckReport, *, width: int | None = None, color: bool, **_: object) -> str:
    """Return the findings, each with its line, and a summary."""
    from optplan.reporters.formats import terminal

    return terminal.render(_blocks(report), width=width, color=color)


def _blocks(report: CheckReport) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Paragraph

    for finding in report.findings:
        yield from _finding(finding)
    first, *others = counted(report)
    parts = [(first[1], STYLES[first[0]] if first[0] else "")]
    for severity, text in others:
        parts += [(", " if severity else "", ""), (text, STYLES[severity] if severity else "")]
    yield Paragraph(*parts, indent=0, hanging=1)
    for text in remarks(report):
        yield Paragraph(text, indent=0, hanging=1)


def _finding(finding: Reported) -> Iterator[RenderableType]:
    from optplan.reporters.formats.excerpt import Excerpt
    from optplan.reporters.formats.terminal import Paragraph

    location, style = finding.location, STYLES[finding.severity]
    word = "" if finding.severity is Severity.ERROR else f"{finding.severity.value}: "
    code, told = (finding.code, style), f" {word}{headline(finding)}"
    yield Paragraph((str(location), "bold"), ": ", code, told, indent=0, hanging=2)
    names = finding.parameters
    note = f"{plural(len(names), 'parameter')}: {listed(names, most=_MOST_PARAMETERS)}"
    if location.text.strip():
        length, shown = _length(location.text, location.column - 1), note if names else ""
        yield Excerpt(
            location.text,
            location.file,
            location.line,
            location.column,
            length=length,
            style=style,
            note=shown,
        )
    elif names:
        yield Paragraph(note, indent=2)
    if hint := hint_of(finding):
        yield Paragraph(("  hint: ", "cyan"), hint, indent=0, hanging=4)
    yield Paragraph(affected(finding), indent=2)


def _length(text: str, column: int) -> int:
    """Return how many cells the word at a column takes."""
    match = _TOKEN.match(text, column)
    return min(_LONGEST_MARK, cell_len(visible(match[0]))) if match else 1
