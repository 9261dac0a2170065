"""OPT506: schedulers that cannot be made."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import fields, replace

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import certain_name, renamed
from optplan.checks.facts.config_schedulers import Schedulers, schedulers_of
from optplan.checks.facts.torch_signatures import torch_optimizer
from optplan.config import Config, find_namespace, place_of
from optplan.config.edits import Fix
from optplan.dialects import dialect_of, find_schedulers, find_training
from optplan.errors import (
    OptplanError,
    Problem,
    ScheduleError,
    close_matches,
    did_you_mean,
    listed,
    quoted,
)
from optplan.names import Severity
from optplan.plan.key_hints import near
from optplan.registries import RegistryKind, is_replaced
from optplan.schedule.catalog import KNOWN
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedule import per_group_lists, schedulers_for
from optplan.schedule.scheduler_stepper import SchedulerStepper, TooFarError
from optplan.schedule.schedulers import may_break_down
from optplan.schedule.simulation import Simulation
from optplan.schedule.specs import AnySpec, ForeignSpec, Spec
from optplan.schedule.training import Training, Unit
from optplan.schedule.type_names import TORCH_PREFIX, is_torch
from optplan.schedule.unread import SECTION


class SchedulerRefused(Check):
    """A scheduler that cannot be made or breaks down on the way, or a training of no length.

    Bad::

        param_scheduler = dict(type='MultiStepLR', millestones=[8, 11])

    Good::

        param_scheduler = dict(type='MultiStepLR', milestones=[8, 11])

    A section of a misspelt name, ``param_schedulers``, is reported too: nothing reads it. What takes the
    iterations of an epoch to decide is left to ``optplan schedule --iters-per-epoch``.
    """

    code = "OPT506"
    name = "scheduler-refused"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every mistake that ``optplan schedule`` would stop at."""
        dialect, data = dialect_of(context.config), context.config.data
        for name in dialect.misspelt_schedulers(data):
            yield self.finding(
                f"{name!r} is read by nobody: no scheduler moves the lr",
                key=name,
                place=place_of(data, name),
                hint=f"did you mean {SECTION!r}?",
                fix=renamed(place_of(data, name), name, certain_name(name, [SECTION])),
            )
        lengths = ((problem, "train_cfg") for problem in dialect.length_problems(data))
        for problem, path in (*lengths, *_problems(context)):
            yield replace(self.of_problem(problem, key=path), fix=_fix(problem))


# How close a name must be to one of MMEngine's where the scope's package, which is not imported, may have others.
_SURE = 0.93
_LIKELY = 0.85
# Schedulers that were stepped to their end, with their trainings: many configs have the same, and long ones.
_SOUND: set[str] = set()
_MOST_SOUND, _LONGEST_KEY = 256, 2_000

_NAME = re.compile(r"""['"]?(\w+)""")


def _fix(problem: Problem) -> Fix | None:
    """Return the fix of an argument that is misspelt for certain."""
    if problem.place is None:
        return None
    line = problem.place.source.line(problem.place.line)
    if (word := _NAME.match(line, problem.place.column - 1)) is None:
        return None
    return renamed(problem.place, word[1], certain_name(word[1], problem.known))


def _problems(context: Context) -> Iterator[tuple[Problem, str]]:
    found = context.schedulers
    if found is None:
        yield from _unread(context.config)
        return
    yield from found.problems
    for spec, path in found.specs:
        yield from ((problem, path) for problem in _of_type(context, spec))
    if not found.problems:
        yield from ((problem, SECTION) for problem in problems_of_run(context))


def _unread(config: Config) -> Iterator[tuple[Problem, str]]:
    """Yield what keeps the section, or the length of the training, from being read."""
    try:
        is_empty = find_schedulers(config).is_empty
        if not is_empty or dialect_of(config).states_length(config.data):
            find_training(config)
    except ScheduleError as error:
        yield from ((problem, SECTION) for problem in error.problems)
    except OptplanError:
        return  # no length is stated, which only the command line may know


def _of_type(context: Context, spec: AnySpec) -> Iterator[Problem]:
    """Yield a name that nothing provides and that is close to one of MMEngine's."""
    if not isinstance(spec, ForeignSpec) or not isinstance(spec.kind, str):
        return
    if "." in spec.kind or spec.kind.startswith(TORCH_PREFIX):
        return
    data = context.config.data
    cutoff = _SURE if data.get("default_scope") else _LIKELY
    if not data.get("custom_imports") and close_matches(spec.kind, KNOWN, cutoff=cutoff):
        namespace = find_namespace(context.config)
        if not is_replaced(RegistryKind.SCHEDULERS, spec.kind, namespace):
            yield Problem(
                message=f"there is no scheduler {spec.kind!r}",
                place=spec.place,
                hint=near(spec.kind, KNOWN),
            )


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
