"""Work out from a plan with its schedulers what weight decay does over the training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optplan.app.schedule import Scheduled
from optplan.plan import Plan, hashable
from optplan.reporters.schedule.decay import DecayRow, DecayView
from optplan.reporters.selection import Narrowing, narrowed
from optplan.schedule import Schedule
from optplan.schedule.effective_decay import DecayKind, effective_decays


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
