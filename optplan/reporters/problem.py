"""Show a problem to people: what, where, the line itself, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optplan.errors import Problem

if TYPE_CHECKING:
    from rich.console import RenderableType


def problem_text(problem: Problem, *, width: int | None, color: bool) -> str:
    """Return the message, the source line with a mark under the place, and the hint with its code."""
    from optplan.reporters.formats.terminal import render

    return render(_blocks(problem), width=width, color=color)


def _blocks(problem: Problem) -> Iterator[RenderableType]:
    from optplan.reporters.formats.excerpt import Excerpt
    from optplan.reporters.formats.terminal import Paragraph

    place = problem.place
    where = f"{place}: " if place else ""
    yield Paragraph(("error: ", "red"), f"{where}{problem.message}", indent=0, hanging=2)
    source = place.source.line(place.line) if place else ""
    if place and source.strip():
        file = place.source.path or place.source.name
        yield Excerpt(source, file, place.line, place.column)
    if problem.hint:
        yield Paragraph(("  hint: ", "cyan"), problem.hint, indent=0, hanging=4)
    for line in problem.code:
        yield Paragraph(line, indent=4, hanging=8)
