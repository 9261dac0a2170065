"""Find the step from which two schedules that start alike differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

from optplan.plan import hashable
from optplan.plan.compare import identity
from optplan.schedule.schedule import Schedule
from optplan.schedule.simulation import Simulation
from optplan.schedule.specs import AnySpec, HookSpec, Spec, is_own
from optplan.schedule.training import Unit

_BASIC = ("lr", "weight_decay", "momentum")
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Parameters whose values are the same up to a step.

    Args:
        field: The hyper-parameter.
        step: The first step at which they differ.
        before, after: The values there; None where one depends on a metric.
        names: The parameters.
    """

    field: str
    step: int
    before: float | None
    after: float | None
    names: tuple[str, ...]


def same_unit(first: Schedule, second: Schedule) -> tuple[Schedule, Schedule] | None:
    """Return two schedules whose steps are counted alike; None where that takes the iterations of an epoch."""
    if first.unit is second.unit:
        return first, second
    if first.training.iterations is None or second.training.iterations is None:
        return None
    return replace(first, unit=Unit.ITERATION), replace(second, unit=Unit.ITERATION)


def are_same(first: Schedule, second: Schedule) -> bool:
    """Return whether two schedules have the same schedulers."""
    return bool(_identity(first) == _identity(second))


def partings(first: Schedule, second: Schedule) -> Iterator[Divergence]:
    """Yield where settings part that start alike, in the order of the steps.

    What differs at step 0 already is left out: the plans say so.

    Args:
        first, second: The schedules, whose steps are counted alike.

    Raises:
        ScheduleError: A scheduler cannot be made, or breaks down.
    """
    if first.training == second.training and are_same(first, second):
        return
    motions = Simulation(first), Simulation(second)
    metrics = motions[0].metrics(), motions[1].metrics()
    waiting = list(_alike(first, second))
    for step in range(min(first.length, second.length)):
        if not waiting:
            return
        for motion in motions:
            motion.go(step)
        now = {
            field: (motions[0].values(field), motions[1].values(field))
            for field in {one.field for one in waiting}
        }
        still = []
        for one in waiting:
            values = []
            for side, setting in enumerate((one.first, one.second)):
                schedule = (first, second)[side]
                metric = metrics[side].get((schedule.settings[setting].optimizer, one.field))
                known = metric is None or step < metric.step
                values.append(now[one.field][side][setting] if known else None)
            if _are_equal(*values):
                still.append(one)
            else:
                yield Divergence(
                    field=one.field, step=step, before=values[0], after=values[1], names=one.names
                )
        waiting = still


def starts_alike(first: Schedule, second: Schedule) -> bool:
    """Return whether anything that schedulers move has the same value on both sides at step 0."""
    return any(True for _ in _alike(first, second))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A hyper-parameter of parameters that have one setting on each side."""

    field: str
    first: int
    second: int
    names: tuple[str, ...]


def _alike(first: Schedule, second: Schedule) -> Iterator[_Pair]:
    """Yield what starts with the same value on both sides."""
    settings = {
        name: index for index, setting in enumerate(second.settings) for name in setting.names
    }
    pairs: dict[tuple[int, int], list[str]] = {}
    for index, setting in enumerate(first.settings):
        for name in setting.names:
            if name in settings:
                pairs.setdefault((index, settings[name]), []).append(name)
    for (one, other), names in pairs.items():
        for field in _fields(first, second):
            starts = [
                side.settings[setting].entries.get(field)
                for side, setting in ((first, one), (second, other))
            ]
            if hashable(starts[0]) == hashable(starts[1]):
                yield _Pair(field=field, first=one, second=other, names=tuple(names))


def _fields(*schedules: Schedule) -> tuple[str, ...]:
    specs = [spec for schedule in schedules for spec in schedule.all_specs]
    own = [spec.param for spec in specs if is_own(spec)]
    return tuple(dict.fromkeys([*own, *(_BASIC if len(own) < len(specs) else ())]))


def _are_equal(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return first == second or isclose(first, second, rel_tol=_TOLERANCE)


def _identity(schedule: Schedule) -> Any:
    return [[_of_spec(spec) for spec in specs] for specs in schedule.specs]


def _of_spec(spec: AnySpec) -> Any:
    if isinstance(spec, HookSpec):
        own: Any = (spec.policy, spec.param, spec.counts_epochs, spec.acts, spec.warmup)
        return own, spec.by_epoch, identity(spec.arguments)
    own = (
        (spec.family, spec.param, spec.moves_betas, spec.begin, spec.end, spec.last_step)
        if isinstance(spec, Spec)
        else (str(spec.kind), spec.converted, spec.end)
    )
    return own, spec.by_epoch, identity(spec.arguments)
