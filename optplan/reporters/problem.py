"""A problem as a person reads it: what, where, the line itself, and what to do."""

from __future__ import annotations

from optplan.errors import Problem
from optplan.reporters.layout import Cell, cut, paint, visible


def problem_lines(problem: Problem, *, color: bool) -> list[str]:
    """The message, the source line with a mark under the place, and the hint."""
    head = paint(Cell("error: ", "red"), color)
    place = problem.place
    where = f"{visible(str(place))}: " if place else ""
    lines = [f"{head}{where}{visible(problem.message)}"]
    source = place.source.line(place.line) if place else ""
    if place and source.strip():
        gutter = f"{place.line:>5} │ "
        indent = len(source) - len(source.lstrip())
        shown = cut(visible(source.strip()), 160)
        lines.append(paint(Cell(gutter, "dim"), color) + shown)
        if place.column - 1 >= indent and place.column - 1 - indent < len(shown):
            mark = " " * (len(gutter) - 2) + "│ " + " " * (place.column - 1 - indent) + "^"
            lines.append(paint(Cell(mark, "dim"), color))
    if problem.hint:
        lines.append(paint(Cell("  hint: ", "cyan"), color) + visible(problem.hint))
    return lines
