"""Findings in the words that every format of them uses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from optplan.checks.results import CheckReport, Reported
from optplan.errors import listed
from optplan.names import Severity
from optplan.reporters.formats.visible import visible
from optplan.reporters.words import plural

_MOST_CONFIGS = 10


def headline(finding: Reported) -> str:
    """Return what is wrong, with a did-you-mean where there is one."""
    hint = finding.hint or ""
    return f"{finding.message}, {hint}" if hint.startswith("did you mean") else finding.message


def hint_of(finding: Reported) -> str:
    """Return what to do; '' where the headline says so."""
    return finding.hint if finding.hint and headline(finding) == finding.message else ""


def affected(finding: Reported) -> str:
    """Return the configs that a finding affects; '' where it is the file alone that it stands in."""
    if finding.configs == (finding.location.file,):
        return ""
    configs = listed(finding.configs, most=_MOST_CONFIGS)
    return f"affects {plural(len(finding.configs), 'config')}: {configs}"


def told_parts(finding: Reported) -> list[str]:
    """Return the headline, the hint and the affected configs, without what is empty."""
    parts = (headline(finding), hint_of(finding), affected(finding))
    return [visible(part) for part in parts if part]


def summary(report: CheckReport) -> list[str]:
    """Return how many findings there are, in how many configs, and what was not looked at."""
    words = [text for severity, text in counted(report) if severity is not None]
    end = "".join(text for severity, text in counted(report) if severity is None)
    return [", ".join(words) + end, *remarks(report)]


def counted(report: CheckReport) -> Iterator[tuple[Severity | None, str]]:
    """Yield how many findings of each severity there are, then in how many configs."""
    configs, found = plural(len(report.configs), "config"), False
    for severity in Severity:
        if count := report.count(severity):
            is_info, found = severity is Severity.INFO, True
            yield severity, f"{count} info" if is_info else plural(count, severity.value)
    some = f"{report.affected:,}".replace(",", " ")
    yield None, f" in {some} of {configs}" if found else f"no findings in {configs}"


def remarks(report: CheckReport) -> Iterator[str]:
    """Yield what was not looked at."""
    if count := report.generations.get("mmcv 1.x", 0):
        yield f"{plural(count, 'config')} checked by the rules of mmcv 1.x"
    if count := sum(finding.fix is not None for finding in report.findings):
        yield f"{plural(count, 'finding')} may be mended by --fix: --diff shows how"
    if report.suppressed:
        yield f"{plural(report.suppressed, 'finding')} suppressed"
    if report.left_out:
        some = report.without_model != len(report.configs)
        where = f" in {plural(report.without_model, 'config')}" if some else ""
        skipped = plural(len(report.left_out), "check")
        yield f"{skipped} skipped{where}: no model given; name one with --model"
    if report.parts:
        them = "it" if report.parts == 1 else "them"
        yield f"{plural(report.parts, 'file')} passed over: no optimizer in {them}"
    for title, count in report.known.items():
        yield f"{plural(count, 'file')} passed over: {title}"
    if report.others:
        yield f"{plural(report.others, 'file')} passed over: no config"


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
