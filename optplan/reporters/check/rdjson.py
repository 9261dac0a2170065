"""Findings as reviewdog's Diagnostic Format."""

from __future__ import annotations

import json
from typing import Any

from optplan.checks.results import CheckReport, FindingLocation, Reported
from optplan.names import Severity
from optplan.reporters.check.words import told_parts
from optplan.reporters.formats.visible import visible

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


def render(report: CheckReport, **_: object) -> str:
    """Return all findings as one ``DiagnosticResult``."""
    data = {"source": {"name": "optplan"}, "diagnostics": [*map(_diagnostic, report.findings)]}
    return json.dumps(data, indent=1) + "\n"


def _diagnostic(finding: Reported) -> dict[str, Any]:
    found: dict[str, Any] = {
        "message": "\n".join(told_parts(finding)),
        "location": _location(finding.location),
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.code},
    }
    if (one := finding.replacement) is not None and one.fix.file == finding.location.file:
        places = {"start": one.start, "end": one.end}
        span = {name: {"line": at.line, "column": at.byte} for name, at in places.items()}
        found["suggestions"] = [{"range": span, "text": one.text}]
    return found


def _location(location: FindingLocation) -> dict[str, Any]:
    """Return a place; reviewdog counts columns in bytes of UTF-8."""
    found: dict[str, Any] = {"path": visible(location.file)}
    if location.line:
        before = location.text[: location.column - 1].encode("utf-8", "backslashreplace")
        found["range"] = {"start": {"line": location.line, "column": len(before) + 1}}
    return found
