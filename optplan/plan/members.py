"""The settings of a plan with their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optplan.names import Status
from optplan.plan.kinds import Kind, kinds_of
from optplan.plan.plan import Plan, PlannedParameter, Setting
from optplan.plan.summarize import Summarizer
from optplan.plan.tree import branches, module_tree

_MOST_WORK = 40_000  # settings × names, about a second; beyond it modules stand for their names


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The parameters of one setting, or of one status without a setting.

    Args:
        setting: The setting; ``None`` for what is in no group.
        status: The status of the first.
        kinds: What decided them.
        names: How many names these are.
        parameters: How many parameters; names of a tensor that is counted elsewhere are not.
        elements: Their elements.
        patterns: Match exactly their names among all of the plan.
    """

    setting: Setting | None
    status: Status
    kinds: tuple[Kind, ...]
    names: int
    parameters: int
    elements: int
    patterns: tuple[str, ...]


def members_of(plan: Plan, rows: Sequence[PlannedParameter]) -> tuple[Members, ...]:
    """The rows by their settings, in the plan's order, then what is in no group by its status."""
    found: dict[int | Status, list[PlannedParameter]] = {}
    for row in rows:
        found.setdefault(row.status if row.setting is None else row.setting, []).append(row)
    settings = {setting.index: setting for setting in plan.settings}
    order = [key for key in (*settings, *Status) if key in found]
    patterns = _patterns(plan, [found[key] for key in order])
    return tuple(
        _members(settings.get(key) if isinstance(key, int) else None, found[key], texts)
        for key, texts in zip(order, patterns, strict=True)
    )


def _members(
    setting: Setting | None, rows: list[PlannedParameter], patterns: tuple[str, ...]
) -> Members:
    counted = [row for row in rows if row.status is not Status.DUPLICATE]
    return Members(
        setting=setting,
        status=rows[0].status,
        kinds=tuple(kinds_of(rows).values()),
        names=len(rows),
        parameters=len(counted),
        elements=sum(row.elements for row in counted),
        patterns=patterns,
    )


def _patterns(plan: Plan, sets: list[list[PlannedParameter]]) -> list[tuple[str, ...]]:
    if len(sets) * len(plan.parameters) > _MOST_WORK:
        return _modules(plan, sets)
    summarizer = Summarizer([row.name for row in plan.parameters])
    return [summarizer.patterns([row.name for row in rows]) for rows in sets]


def _modules(plan: Plan, sets: list[list[PlannedParameter]]) -> list[tuple[str, ...]]:
    """The modules that lie wholly in a set, and the parameters of the others."""
    numbers = {row.name: number for number, rows in enumerate(sets) for row in rows}
    marked = [
        replace(
            row,
            status=Status.OPTIMIZED,
            setting=numbers.get(row.name),
            lr_rule=None,
            weight_decay_rule=None,
        )
        for row in plan.parameters
    ]
    found: list[list[str]] = [[] for _ in sets]
    for branch in branches(module_tree(marked)):
        if not branch.subtree.children:
            number = next(iter(branch.subtree.kinds.values())).first.setting
            if number is not None:
                found[number].append(branch.pattern)
    return [tuple(patterns) for patterns in found]
