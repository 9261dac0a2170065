"""The courses of a plan's settings for people."""

from __future__ import annotations

from optplan.errors import listed
from optplan.reporters.formats.plot import plot_lines
from optplan.reporters.formats.terminal import Cell, Column, paint, table, visible
from optplan.reporters.plan_summary import head_lines
from optplan.reporters.schedule.table import table_lines
from optplan.reporters.schedule.view import (
    ScheduleView,
    arguments_text,
    length_text,
    metric_notes,
    param_text,
    place_text,
    span_text,
    unread_notes,
)
from optplan.reporters.words import plural

_WIDE = 100  # for a pipe
_PHASES = (Column(), Column(), Column(), Column(shrink_to=16), Column(optional=True))


def schedule_text(view: ScheduleView, *, width: int | None, color: bool) -> str:
    """The whole report.

    Args:
        view: What to show.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    lines = [*head_lines(view.plan, width, color), f" {length_text(view)}"]
    lines += _phases(view, width, color)
    moving = view.moving
    for field in moving:
        lines += ["", paint(Cell(f" {visible(field)} by {view.unit}", "bold"), color)]
        lines += _plot(view, field, min(width or _WIDE, _WIDE), color)
        lines += table_lines(view, field, width, color)
    lines += ["", *(f" {visible(line)}" for line in closing_lines(view))]
    if view.narrowing:
        text = f"{len(view.chosen)} of {len(view.courses.schedule.tracks)} settings shown: {view.narrowing}"
        lines.append(" " + paint(Cell(visible(text), "bold"), color))
    return "\n".join(lines) + "\n"


def _phases(view: ScheduleView, width: int | None, color: bool) -> list[str]:
    """The schedulers, in the order in which they act."""
    rows = [
        (
            Cell(spec.name, "cyan"),
            Cell(param_text(spec)),
            Cell(span_text(spec)),
            Cell(arguments_text(spec), "dim"),
            Cell(place_text(spec), "dim"),
        )
        for spec in view.courses.schedule.all_specs
    ]
    return table(_PHASES, rows, width=width, color=color, indent=2, gap=3)


def _plot(view: ScheduleView, field: str, width: int, color: bool) -> list[str]:
    steps = view.courses.steps
    return plot_lines(steps, view.courses_of(field), list(view.points), width=width, color=color)


def closing_lines(view: ScheduleView) -> tuple[str, ...]:
    """What moves, and what cannot be told."""
    schedule = view.courses.schedule
    notes, moving = metric_notes(view), view.moving
    if schedule.unread:
        notes += unread_notes(view.courses.schedule.unread)
    elif not schedule.all_specs:
        notes.append("no scheduler: every setting keeps its values")
    elif not moving:
        notes.append("the schedulers change nothing")
    if moving:
        count = plural(len(view.chosen), "setting")
        rest = "" if schedule.unread else ", all else is constant"
        notes.append(f"{count} · {listed(moving)} scheduled{rest}")
    return tuple(notes)
