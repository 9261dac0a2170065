"""A problem as a person reads it: what, where, the line itself, and what to do."""

from __future__ import annotations

from rich.cells import cell_len

from optplan.errors import Problem
from optplan.reporters.formats.terminal import Cell, paint, visible

_LONGEST = 120


def problem_lines(problem: Problem, *, color: bool) -> list[str]:
    """The message, the source line with a mark under the place, and the hint."""
    head = paint(Cell("error: ", "red"), color)
    place = problem.place
    where = f"{visible(str(place))}: " if place else ""
    lines = [f"{head}{where}{visible(problem.message)}"]
    source = place.source.line(place.line) if place else ""
    if place and source.strip():
        start, shown = window(source, place.column - 1)
        lines.append(paint(Cell(f"{place.line:>5} │ ", "dim"), color) + shown)
        if start <= place.column - 1 < len(source):
            before = visible(source[start : place.column - 1])
            lines.append(paint(Cell(f"{'│':>7} {' ' * cell_len(before)}^", "dim"), color))
    if problem.hint:
        lines.append(paint(Cell("  hint: ", "cyan"), color) + visible(problem.hint))
    return lines


def window(source: str, column: int) -> tuple[int, str]:
    """The part of a line around a column, and where it starts: lines of configs can be long."""
    start = len(source) - len(source.lstrip())
    if len(source) - start > _LONGEST and column - start > _LONGEST // 2:
        start = column - _LONGEST // 2
    return start, visible(source[start : start + _LONGEST].rstrip())
