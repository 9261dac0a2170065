"""Several curves over the steps of a training, with axes, drawn with the dots of Braille characters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, log10
from typing import TYPE_CHECKING

from rich.segment import Segment

from optplan.reporters.formats.terminal import WIDE
from optplan.reporters.words import number

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

_BLANK = 0x2800
# The bits of a character's dots, by column and row from the top.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
ACROSS, DOWN = 2, 4


class Canvas:
    """A field of dots, each with the number of the curve that drew it last.

    Args:
        width, height: Its size in characters.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._bits = [[0] * width for _ in range(height)]
        self._owners: list[list[int | None]] = [[None] * width for _ in range(height)]

    def dot(self, x: int, y: int, owner: int) -> None:
        """Set a dot; ``y`` counts from the top. One outside is left out."""
        column, row = x // ACROSS, y // DOWN
        if 0 <= column < self.width and 0 <= row < self.height:
            self._bits[row][column] |= _DOTS[x % ACROSS][y % DOWN]
            self._owners[row][column] = owner

    def curve(self, heights: Sequence[float | None], owner: int) -> None:
        """Draw a curve across the whole width.

        Args:
            heights: For each dot across how high it stands, between 0 and 1; None leaves a gap.
            owner: The curve's number.
        """
        top = self.height * DOWN - 1
        before: int | None = None
        for x, height in enumerate(heights):
            if height is None:
                before = None
                continue
            y = round((1 - height) * top)
            # a steep piece is as one line, half of it in each of the two columns
            start = y if before is None else before + (y > before) - (y < before)
            for between in range(min(start, y), max(start, y) + 1):
                self.dot(x, between, owner)
            before = y

    def rows(self) -> list[list[tuple[str, int | None]]]:
        """Return the characters of each row, each with the curve that it belongs to."""
        return [
            [
                (chr(_BLANK | bits) if bits else " ", owner)
                for bits, owner in zip(row, owners, strict=True)
            ]
            for row, owners in zip(self._bits, self._owners, strict=True)
        ]


_HEIGHT = 12
_LEAST_WIDTH = 10
# Beyond this ratio of the largest to the smallest value a line shows nothing of the small ones.
_SPREAD = 20.0
# Where a curve ends at 0, this far below the largest value is the bottom of a logarithmic axis.
_DEPTH = 1e4
CURVE_STYLES = ("cyan", "yellow", "magenta", "green", "blue", "red")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The scale of the values.

    Args:
        low, high: The values at the bottom and at the top.
        is_log: It is logarithmic.
        is_cut: There are values below its bottom, such as 0.
    """

    low: float
    high: float
    is_log: bool
    is_cut: bool = False

    def height(self, value: float) -> float:
        """Return how high a value stands, between 0 and 1."""
        if self.low == self.high:
            return 0.5
        if not self.is_log:
            return (value - self.low) / (self.high - self.low)
        if value <= self.low:
            return 0.0
        return log10(value / self.low) / log10(self.high / self.low)

    def value(self, height: float) -> float:
        """Return the value that stands so high."""
        if not self.is_log:
            return self.low + (self.high - self.low) * height
        return float(self.low * (self.high / self.low) ** height)


def axis_for(values: Sequence[float | None]) -> Axis | None:
    """Return the scale for some values; None where there are none."""
    known = [value for value in values if value is not None and isfinite(value)]
    if not known:
        return None
    low, high = min(known), max(known)
    positive = [value for value in known if value > 0]
    if low < 0 or not positive:
        return Axis(low=low, high=high, is_log=False)
    least = max(min(positive), high / _DEPTH)
    if high / least >= _SPREAD:
        return Axis(low=least, high=high, is_log=True, is_cut=low < least)
    return Axis(low=min(low, 0.0) if low <= high / 2 else low, high=high, is_log=False)


class Plot:
    """Curves with both axes; nothing where there is nothing to draw.

    Args:
        steps: The steps at which the curves are known, ascending.
        curves: The values of each curve at these.
        ticks: The steps to mark below.
    """

    def __init__(
        self, steps: Sequence[int], curves: Sequence[Sequence[float | None]], ticks: Sequence[int]
    ) -> None:
        self.steps, self.curves, self.ticks = steps, curves, ticks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        axis = axis_for([value for curve in self.curves for value in curve])
        if axis is None or not self.steps:
            return
        labels = _labels(axis)
        margin = max(map(len, labels.values()))
        room = min(options.max_width, WIDE) - margin - 3
        if room < _LEAST_WIDTH:
            return
        canvas = Canvas(room, _HEIGHT)
        # the last curve is drawn over the others: that of the first setting should be
        for owner in reversed(range(len(self.curves))):
            canvas.curve(_heights(self.steps, self.curves[owner], axis, room * ACROSS), owner)
        for row, cells in enumerate(canvas.rows()):
            yield Segment(f" {labels.get(row, ''):>{margin}} {'┤' if row in labels else '│'}")
            yield from _painted(cells, console)
        for line in _below(self.steps, self.ticks, room, margin):
            yield Segment(f"{line}\n")


def curve_style(owner: int) -> str:
    """Return the colour of a curve."""
    return CURVE_STYLES[owner % len(CURVE_STYLES)]


def _labels(axis: Axis) -> dict[int, str]:
    """Return what stands beside some rows, each value once."""
    found: dict[int, str] = {}
    for row in (0, _HEIGHT // 3, 2 * _HEIGHT // 3, _HEIGHT - 1):
        text = f"{axis.value(1 - row / (_HEIGHT - 1)):.2g}"
        if row in (0, _HEIGHT - 1):
            text = number(axis.high if row == 0 else axis.low)
            text = f"≤{text}" if row and axis.is_cut else text
        if text not in found.values():
            found[row] = text
    return found


def _heights(
    steps: Sequence[int], curve: Sequence[float | None], axis: Axis, dots: int
) -> list[float | None]:
    """Return how high a curve stands at each dot: a value holds until the next step."""
    last = steps[-1]
    found = []
    for dot in range(dots):
        step = last * dot / (dots - 1)
        value = curve[max(bisect_right(steps, step) - 1, 0)]
        found.append(None if value is None or not isfinite(value) else axis.height(value))
    return found


def _painted(cells: Sequence[tuple[str, int | None]], console: Console) -> Iterator[Segment]:
    """Yield a row of the canvas, runs of one curve at once."""
    runs = [
        (owner, "".join(character for character, _ in run))
        for owner, run in groupby(cells, lambda cell: cell[1])
    ]
    if runs and runs[-1][0] is None:
        runs.pop()
    for owner, text in runs:
        yield Segment(text, None if owner is None else console.get_style(curve_style(owner)))
    yield Segment.line()


def _below(steps: Sequence[int], ticks: Sequence[int], room: int, margin: int) -> list[str]:
    """Return the axis of the steps, with those marks that have room."""
    line, texts = ["─"] * room, ""
    last = steps[-1] or 1
    wanted = sorted({0, steps[-1], *ticks}, key=lambda step: (step not in (0, steps[-1]), step))
    taken: list[tuple[int, int]] = []
    placed: list[tuple[int, str]] = []
    for step in wanted:
        place = round(step / last * (room - 1))
        text = str(step)
        begin = min(max(place - len(text) // 2, 0), room - len(text))
        if all(begin + len(text) < start or begin > end for start, end in taken):
            taken.append((begin, begin + len(text)))
            placed.append((begin, text))
            line[place] = "┬"
    for begin, text in sorted(placed):
        texts = texts.ljust(begin) + text
    indent = " " * (margin + 2)
    return [f"{indent}└{''.join(line)}", f"{indent} {texts}"]
