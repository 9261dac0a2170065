"""What each parameter has over the phases of a training, for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from optplan.reporters.schedule.data import schedule_data, schedule_records
from optplan.reporters.schedule.phases import PhasesView


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
                "names": list(lane.names),
                "patterns": list(lane.patterns),
                "phases": [
                    {"status": place.status, "setting": place.track} for place in lane.places
                ],
            }
            for lane in view.lanes
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
