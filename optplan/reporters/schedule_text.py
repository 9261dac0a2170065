"""The courses of a plan's settings for people."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.errors import listed
from optplan.reporters.layout import Cell, Column, cell_len, paint, table, visible
from optplan.reporters.plot import curve_style, plot_lines
from optplan.reporters.schedule_view import (
    ScheduleView,
    arguments_text,
    length_text,
    metric_notes,
    param_text,
    place_text,
    span_text,
    word_of,
)
from optplan.reporters.summary import head_lines, setting_text
from optplan.reporters.words import plural

_WIDE = 100  # for a pipe
_PHASES = (Column(), Column(), Column(), Column(shrink_to=16), Column(optional=True))
_LABELS = (Column(), Column(), Column(right=True))
_GAP = 2


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
        lines += _table(view, field, width, color)
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


def _table(view: ScheduleView, field: str, width: int | None, color: bool) -> list[str]:
    """A row per setting and a column per point, in as many parts as the width asks for."""
    labels = [*_headings(view), *(_label(view, index, color) for index in range(len(view.chosen)))]
    columns = list(_columns(view, field))
    wide = [max(cell_len(cell.text) for cell in column) for column in columns]
    left = max(map(cell_len, table(_LABELS, labels, width=None, color=False)))
    lines: list[str] = []
    start = 0
    while start < len(columns):
        room, stop = (width or 10**9) - left, start
        while stop < len(columns) and (stop == start or room >= wide[stop] + _GAP):
            room -= wide[stop] + _GAP
            stop += 1
        part = columns[start:stop]
        rows = [
            (*label, *cells) for label, cells in zip(labels, zip(*part, strict=True), strict=True)
        ]
        shape = (*_LABELS, *(Column(right=True) for _ in part))
        lines += table(shape, rows, width=None, color=color, gap=_GAP)
        start = stop
    return lines


def _headings(view: ScheduleView) -> list[tuple[Cell, ...]]:
    blank = (Cell(""), Cell(""), Cell(""))
    epochs = [blank] if view.epoch(0) is not None else []
    return [blank, *epochs, (Cell(""), Cell("setting", "dim"), Cell("parameters", "dim"))]


def _label(view: ScheduleView, index: int, color: bool) -> tuple[Cell, ...]:
    track = view.tracks[index]
    return (
        Cell("━" if color else "", curve_style(index)),
        Cell(setting_text(view.setting(track), view.plan)),
        Cell(str(track.parameters)),
    )


def _columns(view: ScheduleView, field: str) -> Iterator[list[Cell]]:
    """For each point its two headings and the values of all settings."""
    values = [view.at_points(course) for course in view.courses_of(field)]
    metrics = view.courses.metrics
    for place, (step, reasons) in enumerate(view.points.items()):
        epoch = view.epoch(step)
        cells = [Cell(str(step), "bold")]
        cells += [Cell(f"ep {epoch}", "dim")] if epoch is not None else []
        cells.append(Cell(word_of(reasons), "dim"))
        for track, own in zip(view.tracks, values, strict=True):
            metric = metrics.get((track.optimizer, field))
            unknown = metric is not None and step >= metric.step
            cells.append(Cell("metric", "dim") if unknown else Cell(_short(own[place])))
        yield cells


def _short(value: float | None) -> str:
    """A value in four digits: a course is looked at, and all digits are in the other formats."""
    return "–" if value is None else f"{value:.4g}"


def closing_lines(view: ScheduleView) -> tuple[str, ...]:
    """What moves, and what cannot be told."""
    notes, moving = metric_notes(view), view.moving
    if not view.courses.schedule.all_specs:
        notes.append("no scheduler: every setting keeps its values")
    elif not moving:
        notes.append("the schedulers change nothing")
    else:
        count = plural(len(view.chosen), "setting")
        notes.append(f"{count} · {listed(moving)} scheduled, all else is constant")
    return tuple(notes)
