"""Findings as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from optplan.checks.results import Report, Reported
from optplan.config import Generation
from optplan.errors import listed
from optplan.names import Severity
from optplan.reporters.layout import Cell, paint, visible
from optplan.reporters.problem import window
from optplan.reporters.words import plural

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_TOKEN = re.compile(r"#.*|[\w.]+|'[^']*'|\"[^\"]*\"|\S")
_MOST_CONFIGS = 10
_MOST_PARAMETERS = 3


def check_text(report: Report, *, color: bool) -> str:
    """The findings, each with its line, and a summary.

    Args:
        report: What to print.
        color: Whether to write styles.
    """
    lines = [line for finding in report.findings for line in _finding(finding, color)]
    return "\n".join([*lines, *summary(report, color=color)]) + "\n"


def headline(finding: Reported) -> str:
    """What is wrong, with a did-you-mean where there is one."""
    hint = finding.hint or ""
    return f"{finding.message}, {hint}" if hint.startswith("did you mean") else finding.message


def affected(finding: Reported, most: int = _MOST_CONFIGS) -> str:
    """The configs that a finding affects; '' where it is the file alone that it stands in."""
    if finding.configs == (finding.location.file,):
        return ""
    return f"affects {plural(len(finding.configs), 'config')}: {listed(finding.configs, most=most)}"


def _finding(finding: Reported, color: bool) -> Iterator[str]:
    severity = finding.severity
    code = paint(Cell(finding.code, STYLES[severity]), color)
    word = "" if severity is Severity.ERROR else f"{severity.value}: "
    where = paint(Cell(visible(str(finding.location)), "bold"), color)
    yield f"{where}: {code} {word}{visible(headline(finding))}"
    yield from _excerpt(finding, color)
    if finding.hint and headline(finding) == finding.message:
        yield paint(Cell("  hint: ", "cyan"), color) + visible(finding.hint)
    if affected(finding):
        yield f"  {visible(affected(finding))}"


def _excerpt(finding: Reported, color: bool) -> Iterator[str]:
    """The line that it is about, marked, and the parameters that it concerns."""
    location = finding.location
    note = _parameters(finding)
    if not location.text.strip():
        if note:
            yield f"  {note}"
        return
    start, shown = window(location.text, location.column - 1)
    yield paint(Cell(f"{location.line:>5} │ ", "dim"), color) + shown
    if start <= location.column - 1 < len(location.text):
        blank = " " * cell_len(visible(location.text[start : location.column - 1]))
        mark = paint(
            Cell("^" * _width(location.text, location.column - 1), STYLES[finding.severity]), color
        )
        bar = paint(Cell(f"{'│':>7} ", "dim"), color)
        yield f"{bar}{blank}{mark} {note}".rstrip()


def _width(text: str, column: int) -> int:
    """The cells of the word at a column."""
    match = _TOKEN.match(text, column)
    return max(1, min(60, cell_len(visible(match[0])))) if match else 1


def _parameters(finding: Reported) -> str:
    names = finding.parameters
    if not names:
        return ""
    return visible(f"{plural(len(names), 'parameter')}: {listed(names, most=_MOST_PARAMETERS)}")


def summary(report: Report, *, color: bool = False) -> Iterator[str]:
    """How many findings there are, in how many configs, and what was not looked at."""
    counts = [
        paint(Cell(_counted(count, severity), STYLES[severity]), color)
        for severity in Severity
        if (count := report.count(severity))
    ]
    configs = plural(len(report.configs), "config")
    if counts:
        affected_configs = f"{report.affected:,}".replace(",", " ")
        yield f"{', '.join(counts)} in {affected_configs} of {configs}"
    else:
        yield f"no findings in {configs}"
    if count := report.generations.get(Generation.MMCV1, 0):
        yield f"{plural(count, 'config')} checked by the rules of mmcv 1.x"
    if report.suppressed:
        yield f"{plural(report.suppressed, 'finding')} suppressed"
    if report.left_out:
        some = report.without_model != len(report.configs)
        where = f" in {plural(report.without_model, 'config')}" if some else ""
        left_out = plural(len(report.left_out), "check")
        yield f"{left_out} left out for want of a model{where}: name one with --model"
    if report.parts:
        yield f"{plural(report.parts, 'file')} passed over: no optimizer in {_it(report.parts)}"
    if report.others:
        yield f"{plural(report.others, 'file')} passed over: no config"


def _counted(count: int, severity: Severity) -> str:
    return f"{count} info" if severity is Severity.INFO else plural(count, severity.value)


def _it(count: int) -> str:
    return "it" if count == 1 else "them"
