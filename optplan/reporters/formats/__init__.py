"""The formats of reports: each module turns a `Report`, or a part of one, into text; none knows what it is about.

A format of `show` and `schedule` is the module of its name, with a function ``render``.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optplan.reporters.formats.report import Report


def write(output_format: StrEnum, report: Report, *, width: int | None, color: bool) -> str:
    """Return a report in a format, by the module of its name."""
    text: str = import_module(f"{__name__}.{output_format}").render(
        report, width=width, color=color
    )
    return text
