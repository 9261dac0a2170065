"""What each setting has over a training, or over its phases, for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from optplan.plan import plain
from optplan.plan.serial import generation_to_dict
from optplan.reporters.schedule.phases import PhasesView
from optplan.reporters.schedule.view import ScheduleView, given_arguments
from optplan.reporters.words import place_data
from optplan.schedule.schedule import Schedule
from optplan.schedule.scheduled_settings import ScheduledSetting
from optplan.schedule.specs import AnySpec, is_own

SCHEDULE_FORMAT_VERSION = "1.1"


def schedule_data(view: ScheduleView) -> dict[str, Any]:
    """Return the values as ``schemas/schedule-1.0.schema.json`` describes them."""
    schedule = view.courses.schedule
    training = schedule.training
    return {
        "format_version": SCHEDULE_FORMAT_VERSION,
        "config": view.plan.config,
        "model": view.plan.model.spec or view.plan.model.class_name,
        **generation_to_dict(view.plan),
        "unit": view.unit.value,
        "length": schedule.length,
        "epochs": training.length if training.by_epoch else None,
        "iters_per_epoch": training.per_epoch,
        "schedulers": [_scheduler(spec, schedule) for spec in schedule.all_specs],
        "scheduled": list(view.moving),
        "metrics": [
            {
                "optimizer": optimizer,
                "field": field,
                "from": metric.step,
                "scheduler": metric.scheduler,
            }
            for (optimizer, field), metric in view.courses.metrics.items()
        ],
        "unread": [{"name": one.name, "origin": place_data(one.place)} for one in schedule.unread],
        "narrowed": str(view.narrowing) or None,
        "points": [
            {"step": step, "epoch": view.epoch(step), "what": list(reasons)}
            for step, reasons in view.points.items()
        ],
        "settings": [
            _setting(view, place, scheduled) for place, scheduled in enumerate(view.settings)
        ],
    }


def _scheduler(spec: AnySpec, schedule: Schedule) -> dict[str, Any]:
    own = is_own(spec)
    return {
        "type": spec.name,
        "optimizers": [
            index for index, specs in enumerate(schedule.specs) if any(one is spec for one in specs)
        ],
        "param": spec.param if is_own(spec) else None,
        "by_epoch": spec.by_epoch,
        "begin": spec.begin if is_own(spec) else None,
        "end": spec.end if is_own(spec) else None,
        "arguments": {
            str(name): plain(value)
            for name, value in given_arguments(spec, with_defaults=True).items()
        },
        "run_for_real": not own,
        "origin": place_data(spec.place),
    }


def _setting(view: ScheduleView, place: int, scheduled: ScheduledSetting) -> dict[str, Any]:
    setting = view.setting(scheduled)
    return {
        "setting": scheduled.setting,
        "optimizer": scheduled.optimizer,
        "lr": setting.lr,
        "weight_decay": setting.weight_decay,
        "lr_scale": setting.lr_scale,
        "options": plain(setting.options),
        "parameters": scheduled.parameters,
        "elements": scheduled.elements,
        "names": list(scheduled.names),
        "values": {
            field: view.at_points(view.courses_of(field)[place]) for field in view.courses.values
        },
    }


def schedule_records(view: ScheduleView) -> Iterator[Sequence[object]]:
    """Yield the headings, then a row per point and setting; what is not known is empty."""
    fields = list(view.courses.values)
    columns = {field: [view.at_points(one) for one in view.courses_of(field)] for field in fields}
    yield ["step", "epoch", "what", "setting", "parameters", *fields]
    for point, (step, reasons) in enumerate(view.points.items()):
        head = [step, view.epoch(step), " | ".join(reasons)]
        for place, scheduled in enumerate(view.settings):
            values = [columns[field][place][point] for field in fields]
            yield [*head, scheduled.setting, scheduled.parameters, *values]


def phases_data(view: PhasesView) -> dict[str, Any]:
    """Return the values as ``schemas/phases-schedule-1.0.schema.json`` describes them."""
    return {
        "format_version": "1.0",
        "unit": view.unit.value,
        "length": view.length,
        "phases": [
            {
                "label": phase.label,
                "begin": phase.begin,
                "end": phase.end,
                "schedule": schedule_data(phase.view),
            }
            for phase in view.phases
        ],
        "parameters": [
            {
                "names": list(own.names),
                "patterns": list(own.patterns),
                "phases": [
                    {"status": place.status, "setting": place.setting} for place in own.places
                ],
            }
            for own in view.members
        ],
    }


def phases_records(view: PhasesView) -> Iterator[Sequence[object]]:
    """Yield the headings, then a row per point and setting of each phase."""
    tables = [list(schedule_records(phase.view)) for phase in view.phases]
    fields = list(dict.fromkeys(name for table in tables for name in table[0]))
    yield ["phase", *map(str, fields)]
    for place, (phase, (own, *rows)) in enumerate(zip(view.phases, tables, strict=True), start=1):
        for row in rows:
            record = dict(zip(own, row, strict=True))
            step = phase.begin + cast(int, record["step"])
            record["step"] = step
            if view.per_epoch is not None:
                record["epoch"] = step // view.per_epoch
            yield [place, *(record.get(field) for field in fields)]
