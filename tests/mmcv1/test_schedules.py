"""Schedules of mmcv 1.x, equal to what the hooks of mmcv 1.7.2 set when they were run."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from optplan.app.config_schedule import schedule_of_plan
from optplan.app.planning import make_plan
from optplan.config import Config, PlacedDict
from optplan.errors import OptplanError
from optplan.places import Source
from optplan.plan import Plan
from optplan.schedule.simulation import Simulation
from optplan.schedule.training import Unit
from tests.mmcv1.common import (
    RECORDED,
    Scheduled,
    courses_hash,
    looked_at,
    marks_of,
    scheduled_section,
    total_of,
)

_FOUND = json.loads(RECORDED.read_text())
_RELEASED = _FOUND["released"]["schedules"]
_PARTS = 8


@cache
def _plan(name: str) -> Plan:
    section = {"optimizer": scheduled_section(name), "lr_config": {"policy": "fixed"}}
    return make_plan(Scheduled(), section)


@pytest.mark.parametrize("part", range(_PARTS))
def test_schedules_are_those_of_mmcv(part: int) -> None:
    """Every recorded training, at the steps that were recorded, to the last bit."""
    differ = []
    for case in _FOUND["schedules"][part::_PARTS]:
        config = ast.literal_eval(case["config"])
        for key, answer in case["answers"].items():
            name, _, length = key.partition(" ")
            per_epoch = None if length == "None" else int(length)
            expected = "refused" if answer.endswith("Error") else answer
            if (found := _answer(config, name, per_epoch)) != expected:
                differ.append((case["config"], key, found, answer))
    assert differ == []


def _answer(config: dict[str, Any], name: str, per_epoch: int | None) -> str:
    data = PlacedDict({"optimizer": scheduled_section(name), **config})
    source = Source(name="config.py", path="config.py")
    loaded = Config(data=data, entry=source, sources=(source,))
    try:
        schedule = schedule_of_plan(loaded, _plan(name), per_epoch)
        motion = Simulation(replace(schedule, unit=Unit.ITERATION))
        where = {name: at for at, setting in enumerate(schedule.settings) for name in setting.names}
        settings = [where[f"{name}.weight"] for name in ("first", "a", "b", "last")]
        rows = []
        for step in looked_at(total_of(config, per_epoch), marks_of(config, per_epoch)):
            motion.go(step)
            rows.append(
                [motion.values(field)[at] for field in ("lr", "momentum") for at in settings]
            )
        motion.go(schedule.length if schedule.unit is Unit.ITERATION else 0)
    except OptplanError:
        return "refused"
    return courses_hash(rows)
