"""The values that param groups start with, and those that schedulers leave them with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from optplan.checks.facts.config_schedulers import Schedulers, schedulers_of
from optplan.checks.facts.context import Context
from optplan.errors import OptplanError
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.scheduler_stepper import SchedulerStepper
from optplan.schedule.simulation import Simulation
from optplan.schedule.training import Unit


def groups_of(context: Context) -> list[Mapping[str, Any]]:
    """Return what the groups hold at step 0: those of the plan, else one of the base values."""
    if context.schedule is not None:
        return [track.entries for track in context.schedule.tracks]
    if context.section is None or context.has_model:
        return []
    return [
        {name: v for name, v in context.section.optimizer.items() if isinstance(v, int | float)}
    ]


def last_values(context: Context, param: str) -> Iterator[list[float | None]]:
    """Yield the values of the groups in the last step of the training, for each assumed length of an epoch.

    Without a model, where no other package's class is run, it is the base values that are moved. Nothing is
    given where schedulers cannot be run.
    """
    found = context.schedulers
    if found is None:
        return
    for per_epoch in found.lengths:
        try:
            yield _last(context, found, param, per_epoch)
        except OptplanError:
            continue


def _last(context: Context, found: Schedulers, param: str, per_epoch: int) -> list[float | None]:
    schedule = context.schedule_with(per_epoch)
    if schedule is not None:
        motion = Simulation(schedule)
        motion.go(schedule.length - 1)
        return motion.values(param)
    training = replace(found.training, per_epoch=per_epoch)
    groups = groups_of(context)
    table = ParamGroupTable(
        groups,
        frozenset(name for group in groups for name in group),
        numbers=range(len(groups)),
        total=len(groups),
    )
    longer = schedulers_of(context.config, per_epoch) or found
    specs = [spec for spec, _ in longer.specs]
    by_epoch = training.by_epoch and all(spec.by_epoch for spec in specs)
    unit = Unit.EPOCH if by_epoch else Unit.ITERATION
    clock = SchedulerStepper(specs, table, training, unit)
    clock.go(training.steps(unit) - 1)
    return table.value(param) or []
