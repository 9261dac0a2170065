"""A table that continues below where a terminal is too narrow for all of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType

from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.formats.terminal import Table
from optplan.reporters.formats.visible import cell_len, visible


class WideTable:
    """A table in as many parts as the terminal's width asks for; each begins with the same columns.

    Args:
        columns: One for each cell of a row.
        rows: The cells.
        labels: How many columns each part begins with.
    """

    def __init__(
        self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, labels: int
    ) -> None:
        self.columns, self.rows, self.labels = columns, rows, labels

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        labels, gap = self.labels, 2
        heads = [row[:labels] for row in self.rows]
        room = options.max_width - Table(self.columns[:labels], heads, gap=gap).width()
        wide = [
            max(cell_len(visible(cell.text)) for cell in column) + gap
            for column in zip(*self.rows, strict=True)
        ]
        start = labels
        while start < len(self.columns):
            stop = _fitting(wide, start, room)
            rows = [(*row[:labels], *row[start:stop]) for row in self.rows]
            yield Table((*self.columns[:labels], *self.columns[start:stop]), rows, gap=gap)
            start = stop


def _fitting(wide: Sequence[int], start: int, room: int) -> int:
    """Return the end of the columns that fit side by side, at least one."""
    stop = start
    while stop < len(wide) and (stop == start or room >= wide[stop]):
        room -= wide[stop]
        stop += 1
    return stop
