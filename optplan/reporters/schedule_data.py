"""The courses of a plan's settings for programs: JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from optplan.places import Place
from optplan.plan import plain
from optplan.plan.serial import generation_to_dict
from optplan.reporters.csv_text import csv_text
from optplan.reporters.schedule_view import ScheduleView, given_arguments
from optplan.schedule.schedule import Schedule
from optplan.schedule.specs import AnySpec, is_own
from optplan.schedule.tracks import Track

SCHEDULE_FORMAT_VERSION = "1.1"


def schedule_json(view: ScheduleView) -> str:
    """The courses as ``schemas/schedule-1.0.schema.json`` describes them."""
    schedule = view.courses.schedule
    training = schedule.training
    data = {
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
        "unread": [{"name": one.name, "origin": _origin(one.place)} for one in schedule.unread],
        "narrowed": str(view.narrowing) or None,
        "points": [
            {"step": step, "epoch": view.epoch(step), "what": list(reasons)}
            for step, reasons in view.points.items()
        ],
        "settings": [_setting(view, place, track) for place, track in enumerate(view.tracks)],
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


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
        "origin": _origin(spec.place),
    }


def _origin(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"file": place.source.name, "line": place.line, "column": place.column}


def _setting(view: ScheduleView, place: int, track: Track) -> dict[str, Any]:
    setting = view.setting(track)
    return {
        "setting": track.setting,
        "optimizer": track.optimizer,
        "lr": setting.lr,
        "weight_decay": setting.weight_decay,
        "lr_scale": setting.lr_scale,
        "options": plain(setting.options),
        "parameters": track.parameters,
        "elements": track.elements,
        "names": list(track.names),
        "values": {
            field: [_finite(value) for value in view.at_points(view.courses_of(field)[place])]
            for field in view.courses.values
        },
    }


def _finite(value: float | None) -> float | None:
    """JSON has no word for what is not finite."""
    return value if value is not None and isfinite(value) else None


def schedule_csv(view: ScheduleView) -> str:
    """A line per point and setting, after a line of headings; what is not known is empty."""
    fields = list(view.courses.values)
    columns = {field: [view.at_points(one) for one in view.courses_of(field)] for field in fields}
    rows: list[Sequence[object]] = [["step", "epoch", "what", "setting", "parameters", *fields]]
    for point, (step, reasons) in enumerate(view.points.items()):
        head = [step, view.epoch(step), " | ".join(reasons)]
        for place, track in enumerate(view.tracks):
            values = [columns[field][place][point] for field in fields]
            rows.append([*head, track.setting, track.parameters, *values])
    return csv_text(rows)
