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
from optplan.dialects import find_training
from optplan.errors import ConfigError
from optplan.schedule import Training
from optplan.schedule.foreign import ForeignBuilder
from tests.schedule.reference import ours, stepped, worst

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


def compared(package: str, *, most: int | None = None) -> Compared:
    """Compare every distinct schedule of a package.

    Args:
        package: The package.
        most: About how many iterations a training may have: all counts of a longer one are divided;
            None for what the configs say.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module(f"{package}.engine")
    configs = list(_configs(package))
    distinct: dict[str, tuple[Config, list[dict[str, Any]], Training]] = {}
    for config in configs:
        schedulers = _schedulers(config)
        training = find_training(config.data, per_epoch=_PER_EPOCH)
        counted = max(_iterations(one) for one in schedulers)
        if training.by_epoch and counted > training.length * _PER_EPOCH:
            # the training goes on for as long again as what is counted in iterations
            training = replace(training, per_epoch=2 * counted // training.length)
        schedulers, training = _shortened(schedulers, training, most)
        key = json.dumps([schedulers, training.by_epoch, training.length])
        distinct.setdefault(key, (config, schedulers, training))
    steps, largest = 0, 0.0
    for config, schedulers, training in distinct.values():
        # a part that others inherit from states no scope of its own
        scope = config.data.get("default_scope") or package
        maker = ForeignBuilder(replace(find_namespace(config), scope=scope))
        unit, own = ours(schedulers, training, fields=FIELDS, make_foreign=maker)
        with DefaultScope.overwrite_default_scope(scope):
            theirs = stepped(schedulers, training, unit, fields=FIELDS)
        assert len(own["lr"]) == len(theirs["lr"]) == training.steps(unit)
        steps += training.steps(unit)
        largest = max(largest, worst(theirs, own))
    return Compared(configs=len(configs), distinct=len(distinct), steps=steps, worst=largest)


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
