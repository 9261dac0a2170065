"""Findings as Markdown, for a comment on a pull request."""

from __future__ import annotations

import re

from optplan.checks.results import CheckReport, Reported
from optplan.names import Severity
from optplan.reporters.check.words import summary, told_parts
from optplan.reporters.formats.visible import visible

_MARKUP = re.compile(r"[\\`*_{}\[\]<>~|#@&]")
# An empty comment keeps GitHub from making a mention or a reference of what follows.
_REFERENCES = {"@": "@<!-- -->", "#": "#<!-- -->", "&": "&amp;"}
_MARKS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.INFO: "🔵"}


def render(report: CheckReport, **_: object) -> str:
    """Return a table with a row for each finding, and the summary."""
    lines = ["## optplan check", ""]
    if report.findings:
        lines += ["| | place | code | finding |", "| --- | --- | --- | --- |"]
        lines += [_row(finding) for finding in report.findings]
        lines.append("")
    counted, *others = summary(report)
    lines.append(f"**{literal(counted)}**")
    lines += ["", *(f"- {literal(line)}" for line in others)] if others else []
    return "\n".join(lines) + "\n"


def literal(text: str) -> str:
    """Return text in which no character is markup."""
    return _MARKUP.sub(lambda m: _REFERENCES.get(m[0], f"\\{m[0]}"), visible(text))


def _row(finding: Reported) -> str:
    told = "<br>".join(map(literal, told_parts(finding)))
    mark = f"{_MARKS[finding.severity]} {finding.severity.value}"
    return f"| {mark} | {literal(str(finding.location))} | {finding.code} | {told} |"
