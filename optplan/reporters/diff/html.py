"""What differs between two plans, as a page."""

from __future__ import annotations

from optplan.plan.changes import PlanDiff
from optplan.reporters.diff.report import diff_report
from optplan.reporters.diff.words import Labels
from optplan.reporters.formats.html import render as page


def render(diff: PlanDiff, labels: Labels, *, full: bool, width: int | None, color: bool) -> str:
    """Return the page; its table of each parameter can be filtered."""
    return page(diff_report(diff, labels, full=full), width=width, color=color)
