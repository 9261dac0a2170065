"""Findings as SARIF 2.1.0, for GitHub's code scanning and its like.

The JSON is written here: of the libraries that model SARIF none is both kept up and small, and what
a linter needs of the format is one page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from optplan.checks.base import Check
from optplan.checks.results import CheckReport, FindingLocation, Reported
from optplan.config.replacements import Replacement
from optplan.names import Severity
from optplan.reporters.check.pages import check_summary, markdown_page, page_of, page_uri
from optplan.reporters.check.words import told_parts
from optplan.reporters.formats.visible import visible

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "%SRCROOT%"


def render(report: CheckReport, *, checks: Sequence[Check], version: str, **_: object) -> str:
    """Return the report as a SARIF log.

    Args:
        report: What to write.
        checks: All checks, whose pages it carries.
        version: Of optplan.
    """
    rules = [check for check in checks if check.code in report.checks]
    index = {check.code: at for at, check in enumerate(rules)}
    run = {
        "tool": {"driver": _driver(rules, version)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            _ROOT: {
                "description": {"text": "The folder that optplan ran in, the repository's root."}
            }
        },
        "invocations": [{"executionSuccessful": not report.crashes}],
        "results": [_result(finding, index) for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _driver(rules: Sequence[Check], version: str) -> dict[str, Any]:
    return {
        "name": "optplan",
        "version": version,
        "semanticVersion": version,
        "rules": [_rule(check) for check in rules],
    }


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.code,
        "name": "".join(part.capitalize() for part in check.name.split("-")),
        "shortDescription": {"text": check_summary(check)},
        "helpUri": page_uri(check),
        "help": {"text": page_of(check), "markdown": markdown_page(check)},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }


def _result(finding: Reported, index: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain("\n".join(told_parts(finding)))},
        "locations": [{"physicalLocation": _location(finding.location)}],
        "partialFingerprints": {"optplan/v1": _fingerprint(finding)},
        "properties": {
            "key": finding.key,
            "configs": list(finding.configs),
            "parameters": list(finding.parameters),
        },
    }
    if finding.replacement is not None:
        result["fixes"] = [_fix(finding.replacement)]
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    return result


def _fix(replacement: Replacement) -> dict[str, Any]:
    """Return a change of one stretch of a file; the columns of its end are exclusive."""
    start, end = replacement.start, replacement.end
    region = {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }
    changed: dict[str, Any] = {"deletedRegion": region}
    if replacement.text:
        changed["insertedContent"] = {"text": replacement.text}
    artifact = _artifact(replacement.fix.file)
    return {
        "description": {"text": _plain(replacement.fix.what)},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": [changed]}],
    }


def _plain(text: str) -> str:
    """Return text in which nothing is a link, as ``[word](target)`` would be."""
    return text.replace("](", "]\\(")


def _location(location: FindingLocation) -> dict[str, Any]:
    found: dict[str, Any] = {"artifactLocation": _artifact(location.file)}
    if location.line:
        region: dict[str, Any] = {"startLine": location.line, "startColumn": location.column}
        if location.text:
            region["snippet"] = {"text": visible(location.text)}
        found["region"] = region
    return found


def _artifact(file: str) -> dict[str, str]:
    if (path := Path(file)).is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(file, errors="replace"), "uriBaseId": _ROOT}


def _fingerprint(finding: Reported) -> str:
    """Return a hash of code, file and key, which stay when lines move."""
    text = f"{finding.code}\0{finding.location.file}\0{finding.key}"
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
