"""Findings as annotations of GitHub: workflow commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optplan.checks.results import CheckReport, Reported
from optplan.names import Severity
from optplan.reporters.check.concise import finding_line
from optplan.reporters.check.words import summary, told_parts
from optplan.reporters.formats.visible import visible

MOST_ANNOTATIONS = 10
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: CheckReport, **_: object) -> str:
    """Return a command for each finding, and the summary.

    GitHub shows ten annotations of each severity in a step and drops the rest: where there are more, the last
    one sums them up, and each is a line of the log.
    """
    totals = Counter(finding.severity for finding in report.findings)
    shown: list[str] = []
    more: dict[Severity, list[Reported]] = {severity: [] for severity in Severity}
    seen: Counter[Severity] = Counter()
    for finding in report.findings:
        severity = finding.severity
        seen[severity] += 1
        if totals[severity] <= MOST_ANNOTATIONS or seen[severity] < MOST_ANNOTATIONS:
            shown.append(_command(finding))
        else:
            more[severity].append(finding)
    for severity, rest in more.items():
        if rest:
            shown += [_summed_up(rest, severity), *(f"- {finding_line(one)}" for one in rest)]
    return "\n".join([*shown, *summary(report)]) + "\n"


def _summed_up(rest: Sequence[Reported], severity: Severity) -> str:
    counts = sorted(Counter(one.code for one in rest).items())
    codes = ", ".join(f"{count} {code}" for code, count in counts)
    what = (
        f"{len(rest)} more info"
        if severity is Severity.INFO
        else f"{len(rest)} more {severity.value}s"
    )
    return f"::{_COMMANDS[severity]} title=optplan check::{_data(f'{what} in the log: {codes}')}"


def _command(finding: Reported) -> str:
    location = finding.location
    properties = {"file": location.file}
    if location.line:
        properties |= {"line": str(location.line), "col": str(location.column)}
    properties["title"] = f"{finding.code} {finding.name}"
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    told = _data("\n".join(told_parts(finding)))
    return f"::{_COMMANDS[finding.severity]} {given}::{told}"


def _data(text: str) -> str:
    """Return text behind ``::``, escaped as GitHub's own toolkit does it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
