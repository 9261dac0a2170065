"""A report for programs, as its schema describes it."""

from __future__ import annotations

import json
from dataclasses import fields
from math import isfinite
from typing import Any

from optplan.reporters.formats.report import Report


def render(report: Report, *, width: int | None, color: bool) -> str:  # noqa: ARG001 - as all formats
    """Return the report's data."""
    return json_text(report.data())


def json_text(data: dict[str, Any]) -> str:
    """Return data as JSON, with null for numbers that are not finite, since JSON has none."""
    try:
        return json.dumps(data, indent=1, allow_nan=False) + "\n"
    except ValueError:
        return json.dumps(_finite(data), indent=1, allow_nan=False) + "\n"


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not isfinite(data) else data


def values_of(one: Any, **others: object) -> dict[str, Any]:
    """Return the values of a dataclass by their names, then others, which take their places."""
    return {field.name: getattr(one, field.name) for field in fields(one)} | others
