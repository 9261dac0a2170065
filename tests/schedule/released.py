"""The ``param_scheduler`` of released configs, held against the running reference at every step."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from mmengine.registry import DefaultScope

from optplan.config import Config, find_namespace, load_config
from optplan.dialects import find_schedulers, find_training
from optplan.errors import ConfigError
from optplan.schedule import Training, schedule_of
from optplan.schedule.effective_decay import DecayKind, effective_decays
from optplan.schedule.foreign import ForeignBuilder
from tests.schedule.reference import SGD, Table, ours, plan_of_three, stepped, worst

FIELDS = ("lr", "weight_decay")
# The iterations of an epoch, which no config states: long enough that it has a middle.
_PER_EPOCH = 7
_COUNTS = ("begin", "end", "T_max", "milestones", "step_size")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a comparison found."""

    configs: int
    distinct: int
    steps: int
    worst: float


@dataclass(frozen=True, kw_only=True)
class DistinctSchedule:
    """The schedulers of one or several configs, with the scope in which the reference looks their names up."""

    schedulers: list[dict[str, Any]]
    training: Training
    scope: str
    maker: ForeignBuilder


def distinct_schedules(package: str, most: int | None) -> tuple[int, list[DistinctSchedule]]:
    """How many configs a package has, and their distinct schedules.

    Args:
        package: The package.
        most: About how many iterations a training may have: all counts of a longer one are divided;
            None for what the configs say.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module(f"{package}.engine")
    configs = list(_configs(package))
    found: dict[str, DistinctSchedule] = {}
    for config in configs:
        schedulers = _schedulers(config)
        training = find_training(config.data, per_epoch=_PER_EPOCH)
        counted = max(_iterations(one) for one in schedulers)
        if training.by_epoch and counted > training.length * _PER_EPOCH:
            # the training goes on for as long again as what is counted in iterations
            training = replace(training, per_epoch=2 * counted // training.length)
        schedulers, training = _shortened(schedulers, training, most)
        # a part that others inherit from states no scope of its own
        scope = config.data.get("default_scope") or package
        one = DistinctSchedule(
            schedulers=schedulers,
            training=training,
            scope=scope,
            maker=ForeignBuilder(replace(find_namespace(config), scope=scope)),
        )
        found.setdefault(json.dumps([schedulers, training.by_epoch, training.length]), one)
    return len(configs), list(found.values())


def compared(package: str, *, most: int | None = None) -> Compared:
    """Compare every distinct schedule of a package; the arguments are those of :func:`distinct_schedules`."""
    configs, distinct = distinct_schedules(package, most)
    steps, largest = 0, 0.0
    for one in distinct:
        training = one.training
        unit, own = ours(one.schedulers, training, fields=FIELDS, make_foreign=one.maker)
        with DefaultScope.overwrite_default_scope(one.scope):
            theirs = stepped(one.schedulers, training, unit, fields=FIELDS)
        assert len(own["lr"]) == len(theirs["lr"]) == training.steps(unit)
        steps += training.steps(unit)
        largest = max(largest, worst(theirs, own))
    return Compared(configs=configs, distinct=len(distinct), steps=steps, worst=largest)


def decayed(package: str, *, most: int | None = None) -> Compared:
    """Compare what decay leaves with the product of the reference's values, iteration by iteration in float64."""
    configs, distinct = distinct_schedules(package, most)
    steps, largest = 0, 0.0
    for one in distinct:
        section = find_schedulers({"param_scheduler": one.schedulers})
        schedule = schedule_of(plan_of_three(), section, one.training, [dict(SGD)], one.maker)
        kinds = [DecayKind.DECOUPLED] * len(schedule.settings)
        found = effective_decays(schedule, kinds)
        with DefaultScope.overwrite_default_scope(one.scope):
            theirs = stepped(one.schedulers, one.training, schedule.unit, fields=FIELDS)
        iterations = one.training.iterations
        assert iterations is not None
        often = iterations // schedule.length
        for place, effect in enumerate(found):
            assert effect is not None
            left = _left(theirs, place, often)
            largest = max(largest, abs(effect.left - left) / left)
        steps += iterations
    return Compared(configs=configs, distinct=len(distinct), steps=steps, worst=largest)


def _left(table: Table, place: int, often: int) -> float:
    """The share that is left after each step was taken so many times, one multiplication each."""
    left = 1.0
    for lrs, decays in zip(table["lr"], table["weight_decay"], strict=True):
        for _ in range(often):
            left *= 1.0 - lrs[place] * decays[place]
    return left


def _configs(package: str) -> Iterator[Config]:
    """The configs that have schedulers; those that cannot be read have another test."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            pytest.fail(f"{package} is not installed, its configs cannot be compared")
        pytest.skip(f"{package} is not installed")
    folder = Path(spec.submodule_search_locations[0]) / ".mim" / "configs"
    for path in sorted(folder.rglob("*.py")):
        try:
            config = load_config(path)
        except ConfigError:
            continue
        if config.data.get("param_scheduler") and config.data.get("train_cfg"):
            yield config


def _schedulers(config: Config) -> list[dict[str, Any]]:
    found: Any = config.to_dict()["param_scheduler"]
    return [found] if isinstance(found, dict) else list(found)


def _iterations(scheduler: dict[str, Any]) -> int:
    """Up to which iteration a scheduler states anything."""
    if scheduler.get("by_epoch", True):
        return 0
    return int(max(scheduler.get("begin", 0), scheduler.get("end", 0)))


def _shortened(
    schedulers: list[dict[str, Any]], training: Training, most: int | None
) -> tuple[list[dict[str, Any]], Training]:
    if training.by_epoch or most is None or training.length <= most:
        return schedulers, training
    factor = -(-training.length // most)

    def divided(value: Any) -> Any:
        return [divided(one) for one in value] if isinstance(value, list) else value // factor

    shorter = [
        {name: divided(value) if name in _COUNTS else value for name, value in one.items()}
        for one in schedulers
    ]
    return shorter, replace(training, length=training.length // factor)
