"""The courses of a plan's settings as one page with charts."""

from __future__ import annotations

from optplan.reporters.formats.html_page import page_html
from optplan.reporters.formats.page import (
    Chart,
    ChartCurve,
    Heading,
    Page,
    Sheet,
    Value,
    count_value,
    name_value,
    without_empty,
)
from optplan.reporters.formats.page_values import number_value
from optplan.reporters.formats.plot import axis_for
from optplan.reporters.plan_summary import model_name, model_text, optimizer_texts, setting_text
from optplan.reporters.schedule.text import closing_lines
from optplan.reporters.schedule.view import (
    ScheduleView,
    arguments_text,
    length_text,
    param_text,
    place_text,
    span_text,
    word_of,
)
from optplan.reporters.words import plural


def schedule_html(view: ScheduleView) -> str:
    """The whole page: a chart and a table for each hyper-parameter that is scheduled."""
    plan = view.plan
    sheets = [_schedulers(view), *(_sheet(view, field) for field in view.moving)]
    return page_html(
        Page(
            title=model_name(plan),
            view="schedule",
            facts=(
                *([plan.config] if plan.config is not None else []),
                model_text(plan),
                *optimizer_texts(plan),
                length_text(view),
            ),
            charts=tuple(_chart(view, field) for field in view.moving),
            sheets=tuple(sheets),
            closing=closing_lines(view),
            narrowing=str(view.narrowing),
        )
    )


def _label(view: ScheduleView, index: int) -> str:
    track = view.tracks[index]
    return (
        f"{setting_text(view.setting(track), view.plan)} · {plural(track.parameters, 'parameter')}"
    )


def _chart(view: ScheduleView, field: str) -> Chart:
    courses = view.courses_of(field)
    axis = axis_for([value for course in courses for value in course])
    training = view.courses.schedule.training
    return Chart(
        title=field,
        unit=view.unit.value,
        per_epoch=training.per_epoch if view.epoch(0) is not None else None,
        steps=view.courses.steps,
        ticks=tuple(view.points),
        curves=tuple(
            ChartCurve(label=_label(view, index), values=course)
            for index, course in enumerate(courses)
        ),
        is_log=axis is not None and axis.is_log,
    )


def _schedulers(view: ScheduleView) -> Sheet:
    names = ("scheduler", "moves", "acts", "arguments", "place")
    specs = view.courses.schedule.all_specs
    return without_empty(
        Sheet(
            title=plural(len(specs), "scheduler"),
            headings=tuple(Heading(text=name) for name in names),
            rows=tuple(
                (
                    name_value(spec.name),
                    name_value(param_text(spec)),
                    Value(lines=(span_text(spec),)),
                    name_value(arguments_text(spec)),
                    name_value(place_text(spec)),
                )
                for spec in specs
            ),
        )
    )


def _sheet(view: ScheduleView, field: str) -> Sheet:
    points = [
        Heading(text=" ".join((str(step), word_of(reasons))).strip(), is_number=True)
        for step, reasons in view.points.items()
    ]
    rows = []
    for index, course in enumerate(view.courses_of(field)):
        track = view.tracks[index]
        metric = view.courses.metrics.get((track.optimizer, field))
        values = [
            Value(lines=("metric",), tone="quiet")
            if metric is not None and step >= metric.step
            else number_value(value)
            for step, value in zip(view.points, view.at_points(course), strict=True)
        ]
        name = name_value(setting_text(view.setting(track), view.plan))
        rows.append((name, count_value(track.parameters), *values))
    return Sheet(
        title=f"{field} by {view.unit}",
        headings=(Heading(text="setting"), Heading(text="parameters", is_number=True), *points),
        rows=tuple(rows),
    )
