"""A report as CSV that ``csv.reader`` reads back as it was, and of which no spreadsheet runs anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from optplan.reporters.formats.report import Report

# What spreadsheets take for the begin of a formula, as OWASP lists it under "CSV Injection", also behind blanks;
# and behind apostrophes, so that taking one off gives each text back.
_FORMULA = re.compile(r"'*(?:[\s\x00-\x1f\x7f-\x9f]*[=+\-@＝＋－＠]|[\t\r\n])")


def render(report: Report, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return a line for each row, after a line of headings."""
    return csv_text(report.records())


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as lines of cells; None is empty, and numbers have all their digits.

    A text that a spreadsheet might run as a formula has an apostrophe before it.
    """
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    quoting = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        cells = [_safe(cell) if isinstance(cell, str) else cell for cell in row]
        # Python before 3.13 leaves a carriage return bare, which ends the line for whoever reads it
        is_odd = any(isinstance(cell, str) and not cell.isprintable() for cell in cells)
        (quoting if is_odd else plain).writerow(cells)
    return buffer.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
