"""How many findings there are of each check."""

from __future__ import annotations

import json
from collections import Counter

from optplan.checks.results import CheckReport


def check_statistics(report: CheckReport, *, as_json: bool) -> str:
    """Return a line for each check that found something, the most frequent first.

    A finding counts once for each config that it affects.

    Args:
        report: The findings.
        as_json: Whether to return a list of objects instead.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for finding in report.findings:
        counts[finding.code, finding.name, finding.severity.value] += len(finding.configs)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        names = ("code", "name", "severity", "count")
        return json.dumps([dict(zip(names, (*row, n), strict=True)) for row, n in rows], indent=1) + "\n"  # fmt: skip
    width = len(str(rows[0][1])) if rows else 1
    lines = [f"{count:>{width}}  {code}  {severity:<7}  {name}" for (code, name, severity), count in rows]  # fmt: skip
    return "\n".join(lines or ["no findings"]) + "\n"
