"""What each setting has over a training, declared once for all formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optplan.errors import listed
from optplan.plan.setting_members import member_patterns
from optplan.reporters.formats.plot import axis_for
from optplan.reporters.formats.report import (
    Cell,
    Chart,
    ChartCurve,
    Column,
    Field,
    Only,
    Report,
    Sheet,
    count_cell,
    sheet_of,
)
from optplan.reporters.plan_summary import (
    head_blocks,
    model_name,
    model_text,
    optimizer_texts,
    setting_text,
)
from optplan.reporters.schedule.data import schedule_data, schedule_records
from optplan.reporters.schedule.view import (
    ScheduleView,
    arguments_text,
    length_text,
    metric_notes,
    param_text,
    span_text,
    unread_notes,
    word_of,
)
from optplan.reporters.words import number, place_text, plural
from optplan.schedule.specs import AnySpec

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_PATTERNS = 3
SPEC_FIELDS: tuple[Field[AnySpec], ...] = (
    Field("scheduler", lambda spec: Cell(spec.name, "cyan"), is_name=True),
    Field("moves", lambda spec: Cell(param_text(spec)), is_name=True),
    Field("acts", lambda spec: Cell(span_text(spec))),
    Field("arguments", lambda spec: Cell(arguments_text(spec), "dim"), is_name=True, shrink_to=16),
    Field("place", lambda spec: Cell(place_text(spec.place), "dim"), is_name=True, optional=1),
)


def schedule_report(view: ScheduleView) -> Report:
    """Return what each setting has over the training: a chart and a table per hyper-parameter."""
    plan = view.plan
    config = [plan.config] if plan.config is not None else []
    return Report(
        title=model_name(plan),
        view="schedule",
        text=lambda: _blocks(view),
        data=lambda: schedule_data(view),
        records=lambda: schedule_records(view),
        facts=(*config, model_text(plan), *optimizer_texts(plan), length_text(view)),
        charts=lambda: [_chart(view, field) for field in view.moving],
        sheets=lambda: [_schedulers(view), *(_sheet(view, field) for field in view.moving)],
        closing=_closing_lines(view),
        narrowing=str(view.narrowing),
    )


def _blocks(view: ScheduleView) -> Iterator[RenderableType]:
    from optplan.reporters.formats.plot import Plot
    from optplan.reporters.formats.terminal import Blank, Paragraph, Table
    from optplan.reporters.schedule.table import PointTable

    yield from head_blocks(view.plan)
    yield Paragraph(length_text(view))
    schedulers = _schedulers(view, Only.TEXT)
    yield Table(schedulers.columns, schedulers.rows, indent=2, gap=3)
    for field in view.moving:
        yield Blank()
        yield Paragraph(f"{field} by {view.unit}", style="bold")
        yield Plot(view.courses.steps, view.courses_of(field), list(view.points))
        yield PointTable(view, field)
    yield Blank()
    yield from map(Paragraph, _closing_lines(view))
    if view.narrowing:
        settings = f"{len(view.chosen)} of {len(view.courses.schedule.settings)} settings shown"
        yield Paragraph(f"{settings}: {view.narrowing}", style="bold")


def summary_blocks(view: ScheduleView) -> Iterator[RenderableType]:
    """Yield what moves the settings and how far, without the values."""
    from optplan.reporters.formats.terminal import Paragraph, Table

    yield from head_blocks(view.plan)
    yield Paragraph(length_text(view))
    schedulers = _schedulers(view, Only.TEXT)
    yield Table(schedulers.columns, schedulers.rows, indent=2, gap=3)
    yield from map(Paragraph, _closing_lines(view))


def _closing_lines(view: ScheduleView) -> tuple[str, ...]:
    """Return what moves, and what cannot be told."""
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


def _schedulers(view: ScheduleView, only: Only = Only.PAGE) -> Sheet:
    """Return the schedulers, in the order in which they act."""
    specs: Sequence[AnySpec] = view.courses.schedule.all_specs
    return sheet_of(plural(len(specs), "scheduler"), SPEC_FIELDS, specs, only)


def _chart(view: ScheduleView, field: str) -> Chart:
    courses = view.courses_of(field)
    axis = axis_for([value for course in courses for value in course])
    training = view.courses.schedule.training
    patterns, ranks = member_patterns(view.plan, view.settings), _ranks(view)
    return Chart(
        title=field,
        unit=view.unit.value,
        per_epoch=training.per_epoch if view.epoch(0) is not None else None,
        steps=view.courses.steps,
        ticks=tuple(view.points),
        curves=tuple(
            ChartCurve(
                label=_label(view, index),
                values=course,
                names=listed(patterns[index], most=_MOST_PATTERNS),
                rank=ranks[index],
            )
            for index, course in enumerate(courses)
        ),
        is_log=axis is not None and axis.is_log,
    )


def _ranks(view: ScheduleView) -> list[float]:
    """Return the place of each setting among all by its layer, else by its number."""
    layers = {row.name: row.layer for row in view.plan.parameters}
    keys = []
    for number_, scheduled in enumerate(view.settings):
        known = [layer for name in scheduled.names if (layer := layers[name]) is not None]
        keys.append(float(min(known)) if known else float(number_))
    distinct = sorted(set(keys))
    return [distinct.index(key) / max(1, len(distinct) - 1) for key in keys]


def _label(view: ScheduleView, index: int) -> str:
    scheduled = view.settings[index]
    setting = setting_text(view.setting(scheduled), view.plan)
    return f"{setting} · {plural(scheduled.parameters, 'parameter')}"


def _sheet(view: ScheduleView, field: str) -> Sheet:
    """Return a row per setting and a column per point."""
    points = [" ".join((str(step), word_of(why))).strip() for step, why in view.points.items()]
    rows = []
    for scheduled, course in zip(view.settings, view.courses_of(field), strict=True):
        metric = view.courses.metrics.get((scheduled.optimizer, field))
        values = [
            Cell("metric", "quiet")
            if metric is not None and step >= metric.step
            else Cell(number(value), order=value)
            for step, value in zip(view.points, view.at_points(course), strict=True)
        ]
        name = Cell(setting_text(view.setting(scheduled), view.plan))
        rows.append((name, count_cell(scheduled.parameters), *values))
    numbers = [Column(heading, is_number=True) for heading in ("parameters", *points)]
    return Sheet(
        title=f"{field} by {view.unit}",
        columns=(Column("setting", is_name=True), *numbers),
        rows=tuple(rows),
    )
