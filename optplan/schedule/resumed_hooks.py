"""What resuming with a hook of mmcv 1.x makes of a checkpoint's groups: one cycle starts from its own arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from optplan.plan import Plan, PlannedParameter
from optplan.plan.saved_groups import SavedGroup
from optplan.schedule.policies import ONE_CYCLE
from optplan.schedule.unread import HOOK_SECTIONS

_KEPT_BY_HOOKS = ("base_momentum", "max_momentum")


def one_cycle_sections(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the sections whose hooks set a setting from their own arguments, whatever a checkpoint says.

    Args:
        data: The entries of a config for mmcv 1.x.
    """
    policies = {name: data.get(name) for name in HOOK_SECTIONS}
    return tuple(
        name
        for name, raw in policies.items()
        if isinstance(raw, Mapping) and raw.get("policy") == ONE_CYCLE
    )


def with_planned_starts(
    plan: Plan, groups: Sequence[SavedGroup], sections: Sequence[str]
) -> tuple[SavedGroup, ...]:
    """Return a checkpoint's groups with the plan's values where hooks set them anew.

    Args:
        plan: The plan of the config that is resumed with.
        groups: The checkpoint's groups.
        sections: The sections of such hooks.
    """
    rows = {row.group: row for row in plan.parameters if row.group is not None}
    found = []
    for number, group in enumerate(groups):
        row = rows.get(number)
        entries = dict(group.entries)
        for section in sections if row is not None else ():
            entries.update(_planned(plan, row, HOOK_SECTIONS[section]))
        if "momentum_config" in sections:
            entries = {name: v for name, v in entries.items() if name not in _KEPT_BY_HOOKS}
        found.append(replace(group, entries=entries))
    return tuple(found)


def _planned(plan: Plan, row: PlannedParameter | None, moved: str) -> dict[str, Any]:
    """Return the plan's values of what a hook moves in the group of a parameter."""
    if row is None:
        return {}
    if moved == "lr":
        return {"lr": row.lr, "initial_lr": row.lr}
    options = {**plan.optimizers[row.optimizer or 0].options, **row.options}
    return {name: options[name] for name in ("momentum", "betas") if name in options}
