"""A report for programs, as its schema describes it."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from optplan.reporters.formats.report import Report


def render(report: Report, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return the report's data."""
    return json_text(report.data())


def json_text(data: dict[str, Any]) -> str:
    """Return data as JSON, which has no word for what is not finite."""
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def values_of(one: Any, **others: object) -> dict[str, Any]:
    """Return the values of a dataclass by their names, then others, which take their places."""
    return {field.name: getattr(one, field.name) for field in fields(one)} | others
