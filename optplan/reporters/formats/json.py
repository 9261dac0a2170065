"""A report for programs, as its schema describes it."""

from __future__ import annotations

import json
from typing import Any

from optplan.reporters.formats.report import Report


def render(report: Report, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return the report's data."""
    return json_text(report.data())


def json_text(data: dict[str, Any]) -> str:
    """Return data as JSON, which has no word for what is not finite."""
    return json.dumps(data, indent=1, allow_nan=False) + "\n"
