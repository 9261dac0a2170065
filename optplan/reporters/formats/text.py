"""A report for people, in a terminal or a pipe."""

from __future__ import annotations

from optplan.reporters.formats import terminal
from optplan.reporters.formats.report import Report


def render(report: Report, *, width: int | None, color: bool) -> str:
    """Return what the terminal shows."""
    return terminal.render(report.text(), width=width, color=color)
