"""OPT501: schedulers that give all groups one lr."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isclose

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import values
from optplan.errors import OptplanError
from optplan.names import Severity
from optplan.schedule import Schedule, Unit, courses_of
from optplan.schedule.catalog import Family
from optplan.schedule.policies import ONE_CYCLE
from optplan.schedule.specs import AnySpec, HookSpec, Spec

# How many steps are looked at, and in what share of them settings have to be equal: many schedulers bring
# all groups to one floor at the very end.
_LOOKS = 200
_SHARE = 0.1
_TOLERANCE = 1e-9


class SchedulerFlattensGroups(Check):
    """A scheduler gives settings that begin with different lr one and the same lr, for a tenth of the training.

    Bad, all groups get the lr of the cycle::

        paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)})
        param_scheduler = dict(type='OneCycleLR', eta_max=0.01)

    Good, a scheduler that starts from the group's own lr::

        param_scheduler = dict(type='CosineAnnealingLR', eta_min_ratio=0.01)
    """

    code = "OPT501"
    name = "scheduler-flattens-groups"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the settings of each optimizer that become equal."""
        schedule = context.schedule
        if schedule is None:
            return
        for index, specs in enumerate(schedule.specs):
            absolute = [spec for spec in specs if _may_flatten(spec)]
            if absolute and (found := _flattened_anyway(context, index)):
                yield self._finding(context, schedule, index, absolute[0], found)

    def _finding(
        self,
        context: Context,
        schedule: Schedule,
        optimizer: int,
        spec: AnySpec,
        starts: tuple[float, ...],
    ) -> Finding:
        peak = next((name for name in ("eta_max", "max_lr") if name in spec.raw), "type")
        names = {
            name
            for setting in schedule.settings
            if setting.optimizer == optimizer and setting.entries.get("lr") in starts
            for name in setting.names
        }
        return self.finding(
            f"{spec.name} gives {len(starts)} settings of different lr ({values(starts)}) one and the same",
            key=f"param_scheduler.{optimizer}.{spec.name}",
            place=spec.at(peak),
            hint="use a scheduler that starts from each group's own lr",
            parameters=tuple(name for name in context.rows if name in names),
        )


def _may_flatten(spec: AnySpec) -> bool:
    """Return whether a scheduler may take no heed of where a group starts."""
    if isinstance(spec, HookSpec):
        return spec.policy == ONE_CYCLE and spec.param == "lr"
    return not isinstance(spec, Spec) or spec.family is Family.ONE_CYCLE


def _flattened_anyway(context: Context, optimizer: int) -> tuple[float, ...]:
    """Return the lr that become equal however many iterations an epoch has."""
    lengths = context.schedulers.lengths if context.schedulers else ()
    found = []
    for per_epoch in lengths:
        schedule = context.schedule_with(per_epoch)
        found.append(set(_flattened(schedule, optimizer)) if schedule else set())
        if schedule and schedule.unit is Unit.EPOCH:
            break  # no iteration is counted
    return tuple(sorted(set.intersection(*found))) if found else ()


def _flattened(schedule: Schedule, optimizer: int) -> tuple[float, ...]:
    """Return the different lr at the start that are equal for long; none where there are none."""
    last = schedule.length - 1
    steps = sorted({last * look // (_LOOKS - 1) for look in range(_LOOKS)})
    try:
        courses = courses_of(schedule, steps)
    except OptplanError:
        return ()  # `optplan schedule` tells what is wrong
    found: dict[float, tuple[float | None, ...]] = {}
    for setting, course in zip(schedule.settings, courses.values["lr"], strict=True):
        start = setting.entries.get("lr")
        if setting.optimizer == optimizer and isinstance(start, int | float):
            found.setdefault(start, course)
    equal: set[float] = set()
    for first, second in pairwise(sorted(found)):
        alike = sum(map(_are_equal, found[first], found[second]))
        if alike > _SHARE * len(steps):
            equal |= {first, second}
    return tuple(sorted(equal))


def _are_equal(first: float | None, second: float | None) -> bool:
    """Return whether two values are the same; what is 0 is not trained at all."""
    return bool(first) and bool(second) and isclose(first or 0, second or 0, rel_tol=_TOLERANCE)
