"""Write reports: each module turns a `Report`, or a part of one, into text, and knows nothing of its subject.

A format of `show` and `schedule` is the module of its name here; one of another command is the module of its name in
the room of that command. Each has a function ``render``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optplan.reporters.formats.report import Report


class TableFormat(StrEnum):
    """The formats of a command whose report is tables."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    HTML = "html"


class PlainFormat(StrEnum):
    """The formats of a command whose report has no tables."""

    TEXT = "text"
    JSON = "json"


def write(output_format: StrEnum, report: Report, *, width: int | None, color: bool) -> str:
    """Return a report in a format."""
    return format_of(__name__, output_format)(report, width=width, color=color)


def format_of(room: str, output_format: StrEnum, function: str = "render") -> Callable[..., str]:
    """Return what writes a format, from the module of its name in a room."""
    render: Callable[..., str] = getattr(import_module(f"{room}.{output_format}"), function)
    return render
