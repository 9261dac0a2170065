"""Schedulers together with what they are to move."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optplan.errors import Problem, ScheduleError, listed, quoted
from optplan.plan import Plan, PlannedOptimizer
from optplan.schedule.parsing import IsReplaced, parsed
from optplan.schedule.policy_parsing import spec_of_optimizer
from optplan.schedule.running_scheduler import MakeForeign
from optplan.schedule.scheduled_settings import PER_GROUP, ScheduledSetting, scheduled_settings
from optplan.schedule.specs import AnySpec, HookSpec
from optplan.schedule.training import Training, Unit
from optplan.schedule.unread import SECTION, Unread
from optplan.schedule.written import Section, Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Schedulers and what they are to move.

    Args:
        training: How long the training is.
        unit: What its steps are counted in.
        optimizers: The optimizers.
        specs: The schedulers of each.
        settings: What they move.
        defaults: For each optimizer its hyper-parameters' own values.
        totals: How many groups each optimizer has.
        make_foreign: Makes a scheduler that is run for real.
        unread: What else may move the settings, and is not read.
    """

    training: Training
    unit: Unit
    optimizers: tuple[PlannedOptimizer, ...]
    specs: tuple[tuple[AnySpec, ...], ...]
    settings: tuple[ScheduledSetting, ...]
    defaults: tuple[Mapping[str, Any], ...]
    totals: tuple[int, ...]
    make_foreign: MakeForeign | None = None
    unread: tuple[Unread, ...] = ()

    @property
    def length(self) -> int:
        """How many steps there are."""
        return self.training.steps(self.unit)

    @property
    def all_specs(self) -> tuple[AnySpec, ...]:
        """The schedulers, each once: optimizers may share them."""
        return tuple({id(spec): spec for own in self.specs for spec in own}.values())


def schedule_of(
    plan: Plan,
    section: Section,
    training: Training,
    defaults: Sequence[Mapping[str, Any]],
    make_foreign: MakeForeign | None = None,
    is_replaced: IsReplaced = lambda _: False,
) -> Schedule:
    """Return the schedulers of a config for the settings of a plan.

    Args:
        plan: The plan.
        section: The schedulers.
        training: How long the training is.
        defaults: For each optimizer its hyper-parameters' own values.
        make_foreign: Makes a scheduler that is run for real.
        is_replaced: Whether a class of somebody's own is registered under the name of one of mmengine's.

    Raises:
        ScheduleError: A scheduler is wrong.
    """
    specs = _specs(plan, section, training, is_replaced)
    lists = [values for own in specs for values in per_group_lists(own)]
    unread = list(section.unread)
    for written in (*section.shared, *itertools.chain(*section.own.values())):
        if written.library is not None:
            unread += written.library.unread(written.raw, training)
            lists += [_entry_by_group(plan, name) for name in (written.library.looks_at,) if name]
    return assembled(
        plan, specs, training, defaults, make_foreign, lists=lists, unread=tuple(unread)
    )


def _entry_by_group(plan: Plan, name: str) -> list[Any]:
    """Return what each group has of an entry that is no hyper-parameter."""
    found = {row.group: row.extra.get(name) for row in plan.parameters if row.group is not None}
    return [found.get(number) for number in range(max(found, default=-1) + 1)]


def assembled(
    plan: Plan,
    specs: tuple[tuple[AnySpec, ...], ...],
    training: Training,
    defaults: Sequence[Mapping[str, Any]],
    make_foreign: MakeForeign | None,
    *,
    lists: Sequence[Sequence[Any]],
    unread: tuple[Unread, ...] = (),
) -> Schedule:
    """Return the schedule of schedulers that are known.

    Args:
        plan, training, defaults, make_foreign: As for :func:`schedule_of`.
        specs: The schedulers of each optimizer.
        lists: Values for each group, by which settings have to be taken apart.
        unread: What may move the lr besides and was not read.

    Raises:
        ScheduleError: Schedulers count iterations, and nobody says how many an epoch has.
    """
    return Schedule(
        training=training,
        unit=_unit(specs, training),
        optimizers=plan.optimizers,
        specs=specs,
        settings=scheduled_settings(plan, defaults, lists),
        defaults=tuple(defaults),
        totals=_totals(plan),
        make_foreign=make_foreign,
        unread=unread,
    )


def per_group_lists(specs: Iterable[AnySpec]) -> list[Sequence[Any]]:
    """Return values that schedulers are given group by group."""
    return [
        value
        for spec in specs
        for name, value in spec.arguments.items()
        if name in PER_GROUP and isinstance(value, list | tuple)
    ]


def _specs(
    plan: Plan, section: Section, training: Training, is_replaced: IsReplaced
) -> tuple[tuple[AnySpec, ...], ...]:
    """Return the schedulers of each optimizer; every mistake in them is told at once."""
    known: dict[int, AnySpec] = {}
    problems: list[Problem] = []
    chosen = [schedulers_for(section, optimizer.name) for optimizer in plan.optimizers]
    for written in {id(one): one for own in chosen for one in own}.values():
        try:
            known[id(written)] = parsed(written, training, is_replaced)
        except ScheduleError as error:
            problems += error.problems
    if problems:
        raise ScheduleError(problems)
    return tuple(
        tuple(_for_optimizer(known[id(written)], optimizer) for written in own)
        for own, optimizer in zip(chosen, plan.optimizers, strict=True)
    )


def _for_optimizer(spec: AnySpec, optimizer: PlannedOptimizer) -> AnySpec:
    """Return a scheduler with what is meant for one optimizer."""
    if not isinstance(spec, HookSpec):
        return spec
    return spec_of_optimizer(spec, optimizer.name, optimizer.class_name)


def schedulers_for(section: Section, optimizer: str | None) -> tuple[Written, ...]:
    """Return the schedulers of one optimizer, by its name; None where it is the only one.

    Raises:
        ScheduleError: They are written by names, and it has none or another.
    """
    if not section.own:
        return section.shared
    if optimizer is not None and optimizer in section.own:
        return section.own[optimizer]
    names = listed([quoted(name) for name in section.own])
    if optimizer is None:
        raise ScheduleError(
            f"{SECTION} has entries by optimizers' names ({names}), but the only optimizer has no name",
            place=section.place,
            hint="write a list of dict(type=...)",
        )
    raise ScheduleError(
        f"{SECTION} has no entry for the optimizer {quoted(optimizer)}, only for {names}",
        place=section.place,
    )


def _unit(specs: Sequence[Sequence[AnySpec]], training: Training) -> Unit:
    """Return epochs, where nothing happens within one; else iterations."""
    if not training.by_epoch:
        return Unit.ITERATION
    spec = next((one for own in specs for one in own if not one.by_epoch), None)
    if spec is None:
        return Unit.EPOCH
    if training.per_epoch is None:
        raise ScheduleError(
            f"{spec.name} counts iterations, and the training epochs: how many iterations has one?",
            place=spec.at("by_epoch"),
            hint="give --iters-per-epoch N",
        )
    return Unit.ITERATION


def _totals(plan: Plan) -> tuple[int, ...]:
    """Return how many groups each optimizer has."""
    highest = [-1] * len(plan.optimizers)
    for row in plan.parameters:
        if row.optimizer is not None and row.group is not None:
            highest[row.optimizer] = max(highest[row.optimizer], row.group)
    return tuple(last + 1 for last in highest)
