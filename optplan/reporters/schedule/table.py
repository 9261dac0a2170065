"""What every setting has at the steps that matter, in as many parts as the width asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optplan.reporters.formats.plot import curve_style
from optplan.reporters.formats.terminal import Cell, Column, cell_len, table
from optplan.reporters.plan_summary import besides_text
from optplan.reporters.schedule.view import ScheduleView, word_of
from optplan.schedule.scheduled_settings import ScheduledSetting

_LABELS = (Column(), Column(right=True), Column(right=True), Column(), Column(right=True))
_BESIDES = 3  # its place among these
_HEADINGS = ("", "lr", "weight_decay", "", "parameters")
_GAP = 2
# Without what settings are besides lr and weight decay, where fewer points than these would stand side by side.
_LEAST_POINTS = 3

Cells = tuple[Cell, ...]


def table_lines(view: ScheduleView, field: str, width: int | None, color: bool) -> list[str]:
    """A row per setting and a column per point.

    Args:
        view: What to show.
        field: The hyper-parameter.
        width: The terminal's width in cells; None for one part that is as wide as it needs.
        color: Whether to write styles.
    """
    points = list(_points(view, field))
    wide = [max(cell_len(cell.text) for cell in column) + _GAP for column in points]
    shape, labels = _labels(view, (width or 10**9) - sum(wide[:_LEAST_POINTS]), color)
    left = max(map(cell_len, table(shape, labels, width=None, color=False)))
    lines: list[str] = []
    start = 0
    while start < len(points):
        stop = _fitting(wide, start, (width or 10**9) - left)
        part = points[start:stop]
        rows = [
            (*label, *cells) for label, cells in zip(labels, zip(*part, strict=True), strict=True)
        ]
        columns = (*shape, *(Column(right=True) for _ in part))
        lines += table(columns, rows, width=None, color=color, gap=_GAP)
        start = stop
    return lines


def _fitting(wide: Sequence[int], start: int, room: int) -> int:
    """The end of the columns that fit side by side, at least one."""
    stop = start
    while stop < len(wide) and (stop == start or room >= wide[stop]):
        room -= wide[stop]
        stop += 1
    return stop


def _labels(view: ScheduleView, room: int, color: bool) -> tuple[tuple[Column, ...], list[Cells]]:
    """The columns before the points, with their headings."""
    blank = tuple(Cell("") for _ in _LABELS)
    headings = [blank] * (1 if view.epoch(0) is None else 2)
    headings.append(tuple(Cell(heading, "dim") for heading in _HEADINGS))
    rows = [_label(view, track, index, color) for index, track in enumerate(view.tracks)]
    besides = {row[_BESIDES].text for row in rows}
    without = [_without_besides(row) for row in rows]
    tells_apart = len({_texts(row) for row in rows}) > len({_texts(row) for row in without})
    full = [*headings, *rows]
    fits = max(map(cell_len, table(_LABELS, full, width=None, color=False))) <= room
    if besides != {""} and (fits or tells_apart):
        return _LABELS, full
    return (*_LABELS[:_BESIDES], *_LABELS[_BESIDES + 1 :]), [
        *map(_without_besides, headings),
        *without,
    ]


def _without_besides(row: Cells) -> Cells:
    return (*row[:_BESIDES], *row[_BESIDES + 1 :])


def _texts(row: Cells) -> tuple[str, ...]:
    return tuple(cell.text for cell in row)


def _label(view: ScheduleView, track: ScheduledSetting, index: int, color: bool) -> Cells:
    setting = view.setting(track)
    return (
        Cell("━" if color else "", curve_style(index)),
        Cell(_short(setting.lr)),
        Cell(_short(setting.weight_decay)),
        Cell(besides_text(setting, view.plan)),
        Cell(str(track.parameters)),
    )


def _points(view: ScheduleView, field: str) -> Iterator[list[Cell]]:
    """For each point its headings and the values of all settings."""
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
