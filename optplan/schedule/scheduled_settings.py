"""The settings of a plan as groups that schedulers can move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optplan.names import Status
from optplan.plan import Plan, PlannedParameter, hashable

# Arguments that may hold a value for each param group.
PER_GROUP = frozenset(
    {
        "eta_max",
        "min_value",
        "max_lr",
        "base_lr",
        "min_lr",
        "lr_lambda",
        "base_momentum",
        "max_momentum",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSetting:
    """Parameters whose values go the same way: those of a setting, as a rule.

    Args:
        setting: The setting's index.
        optimizer: Its optimizer's index.
        group: The first of the groups.
        entries: What the groups hold at step 0.
        names: The names of the parameters.
        parameters, elements: How much of the model this is.
    """

    setting: int
    optimizer: int
    group: int
    entries: Mapping[str, Any]
    names: tuple[str, ...]
    parameters: int
    elements: int


def scheduled_settings(
    plan: Plan, defaults: Sequence[Mapping[str, Any]], lists: Sequence[Sequence[Any]] = ()
) -> tuple[ScheduledSetting, ...]:
    """Return the scheduled settings of all parameters in groups, in the order of their first ones.

    Args:
        plan: The plan.
        defaults: For each optimizer its hyper-parameters' own values, which the config does not state.
        lists: Values for each group, by which a setting has to be taken apart.
    """
    found: dict[Any, list[PlannedParameter]] = {}
    for row in plan.parameters:
        if row.group is not None and row.setting is not None:
            found.setdefault(_moved_alike(row, lists), []).append(row)
    return tuple(_scheduled(plan, rows, defaults) for rows in found.values())


def _moved_alike(row: PlannedParameter, lists: Sequence[Sequence[Any]]) -> Any:
    """Return a key that is equal for rows that schedulers move alike.

    The groups of a setting can still differ in what a scheduler takes for its initial value, and in
    values that are given group by group.
    """
    kept = {name: value for name, value in row.extra.items() if name.startswith("initial_")}
    group = row.group or 0
    own = [values[group] if group < len(values) else None for values in lists]
    return row.setting, hashable(kept), tuple(map(repr, own))


def _scheduled(
    plan: Plan, rows: Sequence[PlannedParameter], defaults: Sequence[Mapping[str, Any]]
) -> ScheduledSetting:
    first = rows[0]
    assert first.setting is not None
    assert first.optimizer is not None
    assert first.group is not None
    counted = [row for row in rows if row.status is not Status.DUPLICATE]
    return ScheduledSetting(
        setting=first.setting,
        optimizer=first.optimizer,
        group=first.group,
        entries=_entries(plan, first, defaults[first.optimizer]),
        names=tuple(row.name for row in rows),
        parameters=len(counted),
        elements=sum(row.elements for row in counted),
    )


def _entries(plan: Plan, row: PlannedParameter, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a group holds: the optimizer's own values, those of the config, its own."""
    assert row.optimizer is not None
    values = {"lr": row.lr, "weight_decay": row.weight_decay, "lr_scale": row.lr_scale}
    return {
        **defaults,
        **plan.optimizers[row.optimizer].options,
        **{name: value for name, value in values.items() if value is not None},
        **row.options,
        **row.extra,
    }
