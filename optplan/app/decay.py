"""Work out from a plan with its schedulers what weight decay does over the training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optplan.app.schedule import Scheduled
from optplan.errors import ScheduleError
from optplan.plan import Plan, hashable
from optplan.reporters.schedule.decay import DecayRow, DecayView
from optplan.reporters.selection import Narrowing, narrowed
from optplan.schedule import Schedule
from optplan.schedule.effective_decay import DecayKind, effective_decays
from optplan.schedule.specs import ForeignSpec


def decay_of(found: Scheduled, *, patterns: Sequence[str] = (), trusted: bool = False) -> DecayView:
    """Return what weight decay does to each setting over the training.

    Args:
        found: The plan with its schedulers.
        patterns: Patterns of parameters whose settings are shown.
        trusted: Whether the user vouches for the code that the config names.

    Raises:
        UsageError: A pattern matches nothing.
        ScheduleError: A scheduler breaks down, or the training is too long to follow.
    """
    plan, schedule = found.plan, found.schedule
    _refuse_accumulation(schedule)
    narrowing = Narrowing(patterns=tuple(patterns))
    names = {row.name for row in narrowed(plan, narrowing)}
    kinds = _decay_kinds(plan, schedule, trusted)
    effects = effective_decays(schedule, kinds)
    rows = tuple(
        DecayRow(
            scheduled=scheduled, setting=plan.settings[scheduled.setting], kind=kind, effect=effect
        )
        for scheduled, kind, effect in zip(schedule.settings, kinds, effects, strict=True)
        if not names.isdisjoint(scheduled.names)
    )
    steps = schedule.training.iterations
    return DecayView(
        plan=plan,
        rows=rows,
        steps=steps,
        depends_on_metric=any(
            row.effect is None and row.is_decayed and steps is not None for row in rows
        ),
        unread=schedule.unread,
        narrowing=narrowing,
    )


def _refuse_accumulation(schedule: Schedule) -> None:
    """Refuse a training whose iterations are not known to be steps: decay acts in each step.

    Raises:
        ScheduleError: It is such.
    """
    for spec in schedule.all_specs:
        library = spec.library if isinstance(spec, ForeignSpec) else None
        if library is not None and library.may_accumulate(spec.raw):
            raise ScheduleError(
                "several iterations may make one step of the optimizer, and decay acts in each step",
                place=spec.place,
                hint="the view takes a training that steps in each iteration: for ultralytics, nbs no larger than batch",
            )


def _decay_kinds(plan: Plan, schedule: Schedule, trusted: bool) -> tuple[DecayKind, ...]:
    """Return how each setting's optimizer applies weight decay, by stepping the classes."""
    from optplan.schedule.foreign.decay_kind import decay_kind

    dimensions = {row.name: len(row.shape) for row in plan.parameters}
    found: dict[Any, DecayKind] = {}
    keys = []
    for scheduled in schedule.settings:
        moved = {"lr", "weight_decay", "lr_scale"}
        entries = {name: value for name, value in scheduled.entries.items() if name not in moved}
        sizes = {dimensions[name] for name in scheduled.names}
        key = scheduled.optimizer, hashable(entries), frozenset(size > 1 for size in sizes)
        if key not in found:
            name = plan.optimizers[scheduled.optimizer].class_name
            found[key] = decay_kind(name, entries, sizes, trusted=trusted)
        keys.append(key)
    return tuple(found[key] for key in keys)
