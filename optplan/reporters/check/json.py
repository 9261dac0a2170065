"""Findings as data."""

from __future__ import annotations

from typing import Any

from optplan.checks.results import CheckReport, Reported
from optplan.config.edits import Fix
from optplan.names import Severity
from optplan.reporters.formats.json import json_text

FORMAT_VERSION = "1.0"


def render(report: CheckReport, *, version: str, **_: object) -> str:
    """Return the report as ``schemas/check-1.0.schema.json`` describes it.

    Args:
        report: What to write.
        version: Of optplan.
    """
    data = {
        "format_version": FORMAT_VERSION,
        "versions": {"optplan": version},
        "summary": {
            **{severity.value: report.count(severity) for severity in Severity},
            "suppressed": report.suppressed,
            "configs": len(report.configs),
            "configs_with_findings": report.affected,
            "configs_without_model": report.without_model,
            "without_optimizer": report.parts,
            "no_config": report.others,
            "passed_over": dict(report.known),
            "generations": dict(report.generations),
        },
        "checks": list(report.checks),
        "checks_left_out": list(report.left_out),
        "findings": [_finding_data(finding) for finding in report.findings],
    }
    return json_text(data)


def _finding_data(finding: Reported) -> dict[str, Any]:
    location = finding.location
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "key": finding.key,
        "file": location.file,
        "line": location.line or None,
        "column": location.column or None,
        "source": location.text if location.line else None,
        "configs": list(finding.configs),
        "parameters": list(finding.parameters),
        "fix": None if finding.fix is None else _fix_data(finding.fix),
    }


def _fix_data(fix: Fix) -> dict[str, Any]:
    return {
        "kind": fix.kind.name.lower(),
        "file": fix.file,
        "line": fix.line,
        "column": fix.column,
        "entry": fix.old,
        "new_name": fix.new or None,
    }
