"""What a step costs, as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from optplan.reporters.formats.report import Cell, Field, Only, sheet_of
from optplan.reporters.formats.terminal import Blank, Paragraph, sheet_table
from optplan.verify.results import Cost, Timing


def cost_blocks(cost: Cost | None) -> Iterator[RenderableType]:
    """Yield a line for each way that was timed, with its time as a ratio to the first."""
    if cost is None:
        return
    yield Blank()
    yield sheet_table(sheet_of("", _fields(cost.timings[0]), cost.timings, Only.TEXT))
    if cost.peak_bytes is not None:
        yield Paragraph(f"peak memory {_bytes(cost.peak_bytes)}")


def _fields(built: Timing) -> tuple[Field[Timing], ...]:
    def ratio(timing: Timing) -> str:
        return "" if timing is built else _ratio(timing.seconds / built.seconds)

    return (
        Field("cost", lambda one: Cell(_way(one)), shrink_to=16),
        Field("groups", lambda one: Cell(str(one.groups)), is_number=True),
        Field("a step", lambda one: Cell(_seconds(one.seconds)), is_number=True),
        Field(cell=lambda one: Cell(ratio(one)), is_number=True),
        Field("state", lambda one: Cell(_bytes(one.state_bytes)), is_number=True),
    )


def _way(timing: Timing) -> str:
    groups = "equal settings merged" if timing.merged else "groups as built"
    return groups if timing.implementation == "default" else f"{groups}, {timing.implementation}"


def _ratio(ratio: float) -> str:
    return f"×{ratio:.2f}" if ratio >= 0.1 else f"×{ratio:.2g}"


def _seconds(seconds: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _bytes(count: int) -> str:
    for size, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"
