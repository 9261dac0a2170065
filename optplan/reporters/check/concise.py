"""Findings as one line each, as linters and compilers print them, which editors jump from."""

from __future__ import annotations

from optplan.checks.results import CheckReport, Reported
from optplan.reporters.check.words import headline, summary
from optplan.reporters.formats.visible import visible


def render(report: CheckReport, **_: object) -> str:
    """Return ``file:line:column: CODE severity: message`` for each finding, and the summary."""
    return "\n".join([*map(finding_line, report.findings), *summary(report)]) + "\n"


def finding_line(finding: Reported) -> str:
    """Return a finding in one line."""
    start = f"{finding.location}: {finding.code} {finding.severity.value}: {headline(finding)}"
    affected = len(finding.configs)
    return visible(start) + (f" [{affected} configs]" if affected > 1 else "")
