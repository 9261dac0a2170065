"""What every setting has at the steps that matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType

from optplan.reporters.formats.plot import curve_style
from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.formats.terminal import Table
from optplan.reporters.formats.visible import cell_len
from optplan.reporters.formats.wide_table import WideTable
from optplan.reporters.plan_summary import besides_text
from optplan.reporters.schedule.view import ScheduleView, word_of
from optplan.schedule.scheduled_settings import ScheduledSetting

_LABELS = (
    Column(),
    Column(is_number=True),
    Column(is_number=True),
    Column(),
    Column(is_number=True),
)
_BESIDES = 3  # its place among these
_HEADINGS = ("", "lr", "weight_decay", "", "parameters")
_GAP = 2
# Without what settings are besides lr and weight decay, where fewer points than these would stand side by side.
_LEAST_POINTS = 3

Cells = tuple[Cell, ...]


class PointTable:
    """A row per setting and a column per point, in as many parts as the terminal's width asks for.

    Args:
        view: What to show.
        field: The hyper-parameter.
    """

    def __init__(self, view: ScheduleView, field: str) -> None:
        self.view, self.points = view, list(_points(view, field))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        width, points = options.max_width, self.points
        wide = [max(cell_len(cell.text) for cell in column) + _GAP for column in points]
        has_color = console.color_system is not None
        shape, labels = _labels(self.view, width - sum(wide[:_LEAST_POINTS]), has_color)
        rows = [
            (*label, *cells) for label, cells in zip(labels, zip(*points, strict=True), strict=True)
        ]
        columns = (*shape, *[Column(is_number=True)] * len(points))
        yield WideTable(columns, rows, labels=len(shape))


def _labels(view: ScheduleView, room: int, has_color: bool) -> tuple[list[Column], list[Cells]]:
    """Return the columns before the points, with their headings."""
    rows = [
        _label(view, scheduled, index, has_color) for index, scheduled in enumerate(view.settings)
    ]
    heads = [(Cell(),) * len(_LABELS)] * (1 if view.epoch(0) is None else 2)
    heads.append(tuple(Cell(heading, "dim") for heading in _HEADINGS))
    without = [at for at in range(len(_LABELS)) if at != _BESIDES]
    tells_apart = len(_distinct(rows, range(len(_LABELS)))) > len(_distinct(rows, without))
    is_kept = tells_apart or Table(_LABELS, [*heads, *rows]).width() <= room
    kept = range(len(_LABELS)) if is_kept and any(row[_BESIDES].text for row in rows) else without
    return [_LABELS[at] for at in kept], [tuple(row[at] for at in kept) for row in (*heads, *rows)]


def _distinct(rows: Iterable[Cells], kept: Iterable[int]) -> set[tuple[str, ...]]:
    return {tuple(row[at].text for at in kept) for row in rows}


def _label(view: ScheduleView, scheduled: ScheduledSetting, index: int, color: bool) -> Cells:
    setting = view.setting(scheduled)
    return (
        Cell("━" if color else "", curve_style(index)),
        Cell(_short(setting.lr)),
        Cell(_short(setting.weight_decay)),
        Cell(besides_text(setting, view.plan)),
        Cell(str(scheduled.parameters)),
    )


def _points(view: ScheduleView, field: str) -> Iterator[list[Cell]]:
    """Yield for each point its headings and the values of all settings."""
    values = [view.at_points(course) for course in view.courses_of(field)]
    metrics = view.courses.metrics
    for place, (step, reasons) in enumerate(view.points.items()):
        epoch = view.epoch(step)
        cells = [Cell(str(step), "bold")]
        cells += [Cell(f"ep {epoch}", "dim")] if epoch is not None else []
        cells.append(Cell(word_of(reasons), "dim"))
        for scheduled, own in zip(view.settings, values, strict=True):
            metric = metrics.get((scheduled.optimizer, field))
            unknown = metric is not None and step >= metric.step
            cells.append(Cell("metric", "dim") if unknown else Cell(_short(own[place])))
        yield cells


def _short(value: float | None) -> str:
    """Return a value in four digits; the other formats have all of them."""
    return "–" if value is None else f"{value:.4g}"
