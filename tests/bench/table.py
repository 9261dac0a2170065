"""Rows of the benchmark's table."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was measured.

    Args:
        what: What.
        against: What it is held against; empty for a figure that stands alone.
        value: The figure: a ratio, an exponent, or whatever the unit says.
        unit: What it counts, empty for a ratio or an exponent.
        bound: What it must not exceed; None where it only informs.
        detail: What the figure was worked out from.
    """

    what: str
    against: str = ""
    value: float
    unit: str = ""
    bound: float | None = None
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.bound is None or self.value <= self.bound


def ratio(what: str, ours: float, against: str, floor: float, bound: float | None = None) -> Row:
    """A row of two times in seconds."""
    detail = f"{_seconds(ours)} : {_seconds(floor)}"
    return Row(what=what, against=against, value=ours / floor, bound=bound, detail=detail)


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table, with the machine below it."""
    return "\n".join([*_lines(rows), "", machine()])


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    yield "| what | against | measured | | must be |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        bound = "" if row.bound is None else f"≤ {_figure(row.bound, row.unit)}"
        kept = bound if row.holds else f"**{bound}**"
        cells = (row.what, row.against, _figure(row.value, row.unit), row.detail, kept)
        yield "| " + " | ".join(cells) + " |"


def _figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".rstrip()


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def machine() -> str:
    """What it was measured on."""
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "timm", "typer"))
    return (
        f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores of {_processor()}, "
        f"{platform.system()}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
