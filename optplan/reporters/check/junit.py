"""Findings as JUnit XML, which every CI system can show."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from optplan.checks.results import CheckReport, Reported, reaches
from optplan.names import Severity
from optplan.reporters.check.words import affected, headline, hint_of
from optplan.reporters.formats.visible import visible


def render(report: CheckReport, *, fail_on: Severity, **_: object) -> str:
    """Return a test case for each finding, and one for each config without any.

    Args:
        report: What to write.
        fail_on: The least severity that is a failure; what is less bad is a test case that passes,
            with the finding in its output.
    """
    suite = ET.Element("testsuite", name="optplan check")
    clean = set(report.configs)
    failures = 0
    for finding in report.findings:
        clean -= set(finding.configs)
        failures += _add(suite, finding, is_failure=reaches(finding.severity, fail_on))
    for config in sorted(clean):
        ET.SubElement(suite, "testcase", classname=visible(config), name="optplan", time="0")
    counts = {"tests": str(len(suite)), "failures": str(failures), "errors": "0"}
    suite.attrib.update(counts | {"skipped": "0", "time": "0"})
    suites = ET.Element("testsuites", counts)
    suites.append(suite)
    ET.indent(suites, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _add(suite: ET.Element, finding: Reported, *, is_failure: bool) -> int:
    """Add a finding; return 1 where it is a failure."""
    location = finding.location
    attributes = {
        "classname": visible(location.file),
        "name": visible(f"{finding.code} {finding.key}"),
        "time": "0",
    }
    if location.line:
        attributes |= {"file": visible(location.file), "line": str(location.line)}
    case = ET.SubElement(suite, "testcase", attributes)
    if is_failure:
        told = ET.SubElement(case, "failure", type=finding.code, message=visible(headline(finding)))
    else:
        told = ET.SubElement(case, "system-out")
    told.text = "\n".join(_told(finding))
    return int(is_failure)


def _told(finding: Reported) -> list[str]:
    head = f"{finding.location}: {finding.severity.value} {finding.code} {headline(finding)}"
    return [
        visible(part)
        for part in (head, finding.location.text, hint_of(finding), affected(finding))
        if part
    ]
