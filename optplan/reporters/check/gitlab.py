"""Findings as a Code Quality report of GitLab."""

from __future__ import annotations

import hashlib
import json

from optplan.checks.results import CheckReport, Reported
from optplan.names import Severity
from optplan.reporters.check.words import headline
from optplan.reporters.formats.visible import visible

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: CheckReport, **_: object) -> str:
    """Return a list of findings; GitLab tells them apart by their fingerprints, which lines do not change."""
    found: dict[str, int] = {}
    entries = []
    for finding in report.findings:
        text = f"{finding.code}\0{finding.location.file}\0{finding.key}"
        number = found[text] = found.get(text, 0) + 1
        entries.append(_entry(finding, f"{text}\0{number}"))
    return json.dumps(entries, indent=1) + "\n"


def _entry(finding: Reported, identity: str) -> dict[str, object]:
    location = finding.location
    digest = hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()
    return {
        "description": visible(headline(finding)),
        "check_name": f"{finding.code} {finding.name}",
        "fingerprint": digest,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": visible(location.file), "lines": {"begin": max(location.line, 1)}},
    }
