"""Findings as annotations of GitHub: workflow commands."""

from __future__ import annotations

from optplan.checks.results import Report, Reported
from optplan.names import Severity
from optplan.reporters.check.words import summary, told_parts
from optplan.reporters.formats.visible import visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, **_: object) -> str:
    """Return a command for each finding, and the summary."""
    lines = [_command(finding) for finding in report.findings]
    return "\n".join([*lines, *summary(report)]) + "\n"


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
