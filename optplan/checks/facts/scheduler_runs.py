"""What stops schedulers on the way: groups that they are not made for, and steps without a value."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import fields, replace

from optplan.checks.facts.config_schedulers import Schedulers, schedulers_of
from optplan.checks.facts.context import Context
from optplan.checks.facts.torch_signatures import torch_optimizer
from optplan.config import Config
from optplan.dialects import find_schedulers
from optplan.errors import OptplanError, Problem, ScheduleError, did_you_mean, listed, quoted
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedule import per_group_lists, schedulers_for
from optplan.schedule.scheduler_stepper import SchedulerStepper, TooFarError
from optplan.schedule.schedulers import may_break_down
from optplan.schedule.simulation import Simulation
from optplan.schedule.specs import AnySpec, ForeignSpec, Spec
from optplan.schedule.training import Training, Unit
from optplan.schedule.type_names import is_torch

# Schedulers that were stepped to their end, with their trainings: many configs have the same, and long ones.
_SOUND: set[str] = set()
_MOST_SOUND, _LONGEST_KEY = 256, 2_000


def problems_of_run(context: Context) -> tuple[Problem, ...]:
    """Return what the groups are refused for, or what breaks down on the way, whatever an epoch has of iterations.

    Nothing is said of other packages' classes, which may not be installed here, but for torch's.
    """
    found = context.schedulers
    if found is None or not found.is_whole or not all(_is_here(spec) for spec, _ in found.specs):
        return ()
    told: list[tuple[Problem, ...]] = []
    for per_epoch in found.lengths:
        try:
            _start(context, found, per_epoch)
        except ScheduleError as error:
            told.append(error.problems)
        except OptplanError:
            return ()
    if len(told) == len(found.lengths):
        return told[0]
    return tuple(_breakdowns(context.config, found))


def _is_here(spec: AnySpec) -> bool:
    return not isinstance(spec, ForeignSpec) or is_torch(spec.kind)


def _start(context: Context, found: Schedulers, per_epoch: int) -> None:
    """Put the schedulers to the plan's groups; without a model, look at the names alone.

    Raises:
        ScheduleError: The groups are refused.
    """
    if context.planned is not None and context.make_schedule is not None:
        Simulation(context.make_schedule(context.config, context.planned.plan, per_epoch))
        return
    if context.raw is not None and "constructor" not in context.raw.outer:
        schedulers_for(find_schedulers(context.config), None)
    known = _group_names(context)
    for spec, _ in found.specs:
        is_param = isinstance(spec, Spec) and "param_name" in spec.raw
        if isinstance(spec, Spec) and is_param and known and spec.param not in known:
            raise ScheduleError(
                f"{spec.name} moves {quoted(spec.param)}, which the optimizer does not have",
                place=spec.at("param_name"),
                hint=did_you_mean(spec.param, known) or f"it has {listed(sorted(known), most=12)}",
            )


def _breakdowns(config: Config, found: Schedulers) -> Iterator[Problem]:
    """Yield what schedulers break down at, each by itself, however many iterations an epoch has."""
    for spec, path in found.specs:
        if not isinstance(spec, Spec) or not may_break_down(spec):
            continue
        told = []
        for per_epoch in _telling_lengths(config, path, found):
            other, training = _assumed(config, path, per_epoch)
            told.append(_breakdown(other, training) if isinstance(other, Spec) else None)
        if problems := [one for one in told if one]:
            start = problems[0].message.partition(" at ")[0]
            if len({one.message for one in problems}) > 1:
                problems[0] = replace(problems[0], message=f"{start} during the training")
            yield from problems[:1] if len(problems) == len(told) else ()


def _telling_lengths(config: Config, path: str, found: Schedulers) -> tuple[int, ...]:
    """Return the assumed lengths of an epoch, and before them the least by which a scheduler can be made."""
    if len(found.lengths) == 1:
        return found.lengths
    smaller = range(1, found.lengths[0])
    made = bisect_left(smaller, True, key=lambda n: _assumed(config, path, n)[0] is not None)
    return made + 1, *found.lengths


def _assumed(config: Config, path: str, per_epoch: int) -> tuple[AnySpec | None, Training]:
    """Return a scheduler, None where it is refused, and the training with epochs of some length."""
    found = schedulers_of(config, per_epoch)
    assert found is not None
    return {path: spec for spec, path in found.specs}.get(path), found.training


def _breakdown(spec: Spec, training: Training) -> Problem | None:
    """Return at what a scheduler breaks down, whatever the values are that it moves; None for nothing."""
    if spec.last_step != -1 or per_group_lists((spec,)):
        return None
    known = repr([getattr(spec, one.name) for one in fields(spec) if one.name != "place"])
    key = f"{known} {training}"
    if key in _SOUND:
        return None
    entries = {spec.param: 1.0, "momentum": 1.0}
    table = ParamGroupTable([entries], frozenset(entries), numbers=(0,), total=1)
    unit = Unit.EPOCH if training.by_epoch and spec.by_epoch else Unit.ITERATION
    try:
        SchedulerStepper((spec,), table, training, unit).go(training.steps(unit))
    except TooFarError:
        return None
    except ScheduleError as error:
        return error.problems[0]
    if len(_SOUND) == _MOST_SOUND:
        _SOUND.clear()
    if len(key) <= _LONGEST_KEY:
        _SOUND.add(key)
    return None


def _group_names(context: Context) -> frozenset[str]:
    """Return the entries of the groups of one of torch's optimizers; empty where they are not known."""
    raw = context.raw
    found = torch_optimizer(raw.optimizer_type) if raw is not None else None
    if raw is None or found is None:
        return frozenset()
    return (found.group_names | raw.optimizer.keys()) - {"type"}
