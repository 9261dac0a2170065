"""OPT502: floors at or above the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.config_schedulers import Schedulers, schedulers_of
from optplan.checks.facts.wording import number, parameters, values
from optplan.errors import OptplanError
from optplan.names import Severity
from optplan.schedule.catalog import Family
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.scheduler_stepper import SchedulerStepper
from optplan.schedule.simulation import Simulation
from optplan.schedule.specs import AnySpec, HookSpec, Spec, is_own
from optplan.schedule.training import Unit
from optplan.schedule.type_names import is_torch

_WITH_FLOOR = frozenset({Family.COSINE_ANNEALING, Family.COSINE_RESTART, Family.POLY})
_ROUNDING = 1e-9
_FLOORS = ("eta_min", "min_lr")


class FloorAboveStart(Check):
    """A scheduler's absolute floor is at or above the value that groups start with: they go up, not down.

    Nothing is reported of groups that another scheduler brings below their start in the end.

    Bad, the backbone starts at 1e-5::

        optimizer=dict(type='AdamW', lr=1e-3)
        paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.01)})
        param_scheduler = dict(type='CosineAnnealingLR', eta_min=1e-4)

    Good, a share of each group's own lr::

        param_scheduler = dict(type='CosineAnnealingLR', eta_min_ratio=0.1)
    """

    code = "OPT502"
    name = "floor-above-start"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield each floor with the groups that start no higher."""
        if context.schedulers is None:
            return
        groups = groups_of(context)
        for spec, path in context.schedulers.specs:
            floor = _floor(spec)
            if floor is None:
                continue
            value = floor[1]
            param = spec.param if is_own(spec) else "lr"
            low = [at for at, group in enumerate(groups) if _starts_below(group, param, value)]
            low = _kept_up(context, spec, param, low, groups)
            if low:
                yield self._finding(context, spec, path, floor, param, low, groups)

    def _finding(
        self,
        context: Context,
        spec: AnySpec,
        path: str,
        floor: tuple[str, float],
        param: str,
        low: list[int],
        groups: list[Mapping[str, Any]],
    ) -> Finding:
        schedule, (name, value) = context.schedule, floor
        names = (
            ()
            if schedule is None
            else tuple(name for at in low for name in schedule.settings[at].names)
        )
        whose = f" of {parameters(len(names))}" if names else ""
        return self.finding(
            f"{name} {number(value)} is not below the starting {param}{whose}"
            f" ({values(groups[at][param] for at in low)})",
            key=f"{path}.{name}",
            place=spec.at(name),
            hint=_hint(spec),
            parameters=tuple(row for row in context.rows if row in set(names)),
        )


def _kept_up(
    context: Context, spec: AnySpec, param: str, low: list[int], groups: list[Mapping[str, Any]]
) -> list[int]:
    """Return those that do not end below their start, as the schedulers together move them."""
    schedulers = context.schedulers
    if not low or schedulers is None:
        return []
    if isinstance(spec, Spec):
        limit = schedulers.limit(spec)
        if limit is not None and schedulers.span(spec)[0] >= limit:
            return []  # it never acts
        if _goes_to_floor_alone(spec, schedulers.specs, groups):
            return low
    if context.schedule is None and not all(is_own(one) for one, _ in schedulers.specs):
        return low if len(schedulers.specs) == 1 else []
    lasts = list(last_values(context, param))
    return [at for at in low if lasts and all(_is_up(one, at, groups[at][param]) for one in lasts)]


def _goes_to_floor_alone(
    spec: Spec, specs: Iterable[tuple[AnySpec, str]], groups: Iterable[Mapping[str, Any]]
) -> bool:
    """Return whether values stay between their start and the floor, which needs no simulation to be known."""
    rivals = [one for one, _ in specs if not isinstance(one, Spec) or one.param == spec.param]
    resumes = spec.last_step != -1 or any(f"initial_{spec.param}" in group for group in groups)
    span = spec.end - spec.begin
    if rivals != [spec] or resumes or spec.moves_betas or span != int(span):
        return False
    if spec.family is Family.POLY:
        return bool(spec.arguments["power"] >= 0)
    is_plain = spec.arguments["eta_min_ratio"] is None and spec.family is Family.COSINE_ANNEALING
    return is_plain and bool((spec.arguments["T_max"] or span) >= span)


def _is_up(last: list[float | None], at: int, start: float) -> bool:
    value = last[at] if at < len(last) else None
    return value is not None and value >= start * (1 - _ROUNDING)


def _hint(spec: AnySpec) -> str | None:
    """Return the argument that is a floor for each group."""
    if isinstance(spec, HookSpec):
        ratio = f"min_{spec.param}_ratio"
        return (
            f"{ratio} gives each group a floor of its own"
            if "min_ratio" in spec.arguments
            else None
        )
    shares = isinstance(spec, Spec) and "eta_min_ratio" in spec.arguments
    return "eta_min_ratio gives each group a floor of its own" if shares else None


def _floor(spec: AnySpec) -> tuple[str, float] | None:
    """Return the argument that is a floor for all groups, and its value; a floor of 0 lifts nothing."""
    if isinstance(spec, HookSpec):
        least = spec.arguments.get("min")
        return (f"min_{spec.param}", least) if least else None
    if isinstance(spec, Spec):
        known = spec.family in _WITH_FLOOR
    else:  # what other packages' schedulers move is not known
        known = is_torch(spec.kind) or spec.library is not None
    if not known:
        return None
    for name in _FLOORS:
        value = spec.arguments.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return name, value
    return None


def _starts_below(group: Mapping[str, Any], param: str, floor: float) -> bool:
    start = group.get(param)
    return isinstance(start, int | float) and not isinstance(start, bool) and start <= floor


def groups_of(context: Context) -> list[Mapping[str, Any]]:
    """Return what the groups hold at step 0: those of the plan, else one of the base values."""
    if context.schedule is not None:
        return [setting.entries for setting in context.schedule.settings]
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
    stepper = SchedulerStepper(specs, table, training, unit)
    stepper.go(training.steps(unit) - 1)
    return table.value(param) or []
