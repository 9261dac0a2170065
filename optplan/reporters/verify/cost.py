"""What a step costs, as text."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.reporters.formats.terminal import Cell, Column, table
from optplan.verify.results import Cost, Timing


def cost_lines(cost: Cost | None, width: int | None, color: bool) -> Iterator[str]:
    """A line for each way that was timed, with its time as a ratio to the first."""
    if cost is None:
        return
    built = cost.timings[0]
    rows = [tuple(Cell(word, "dim") for word in ("cost", "groups", "a step", "", "state"))]
    rows += [
        (
            Cell(_way(timing)),
            Cell(str(timing.groups)),
            Cell(_seconds(timing.seconds)),
            Cell("" if timing is built else _ratio(timing.seconds / built.seconds)),
            Cell(_bytes(timing.state_bytes)),
        )
        for timing in cost.timings
    ]
    yield ""
    columns = (Column(shrink_to=16), *(Column(right=True),) * 4)
    yield from table(columns, rows, width=width, color=color, indent=1)
    if cost.peak_bytes is not None:
        yield f" peak memory {_bytes(cost.peak_bytes)}"


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
