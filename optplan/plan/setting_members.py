"""The settings of a plan with their members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from optplan.names import Status
from optplan.plan.names.summarize import Summarizer
from optplan.plan.names.tree import branches, module_tree
from optplan.plan.plan import Plan, PlannedParameter, Setting
from optplan.plan.row_kinds import KindOf, RowKind, kinds_by_rule, kinds_of

_MOST_WORK = 40_000  # settings × names, about a second; beyond it modules stand for their names


class Named(Protocol):
    """Some parameters of a plan."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The parameters of one setting, or of one status without a setting.

    Args:
        setting: The setting; ``None`` for what is in no group.
        status: The status of the first.
        kinds: What decided them.
        names: Their names.
        parameters: How many parameters; names of a tensor that is counted elsewhere are not.
        elements: Their elements.
    """

    setting: Setting | None
    status: Status
    kinds: tuple[RowKind, ...]
    names: tuple[str, ...]
    parameters: int
    elements: int


def members_of(plan: Plan, rows: Iterable[PlannedParameter]) -> tuple[Members, ...]:
    """Return the rows by their settings, in the plan's order, then what is in no group by its status."""
    found: dict[int | Status, list[PlannedParameter]] = {}
    for row in rows:
        found.setdefault(row.status if row.setting is None else row.setting, []).append(row)
    settings = {setting.index: setting for setting in plan.settings}
    kind_of = kinds_by_rule()
    return tuple(
        _members(settings.get(key) if isinstance(key, int) else None, found[key], kind_of)
        for key in (*settings, *Status)
        if key in found
    )


def member_patterns(plan: Plan, found: Sequence[Named]) -> list[tuple[str, ...]]:
    """Return for each set of parameters patterns that match exactly their names among all of the plan."""
    if len(found) * len(plan.parameters) > _MOST_WORK:
        return _modules(plan, found)
    summarizer = Summarizer([row.name for row in plan.parameters])
    return [summarizer.patterns(members.names) for members in found]


def _members(setting: Setting | None, rows: Sequence[PlannedParameter], kind_of: KindOf) -> Members:
    counted = [row for row in rows if row.status is not Status.DUPLICATE]
    return Members(
        setting=setting,
        status=rows[0].status,
        kinds=tuple(kinds_of(rows, kind_of).values()),
        names=tuple(row.name for row in rows),
        parameters=len(counted),
        elements=sum(row.elements for row in counted),
    )


def _modules(plan: Plan, found: Sequence[Named]) -> list[tuple[str, ...]]:
    """Return the modules that lie wholly in a set, and the parameters of the others."""
    numbers = {name: number for number, members in enumerate(found) for name in members.names}
    patterns: list[list[str]] = [[] for _ in found]
    tree = module_tree(plan.parameters, lambda row: numbers.get(row.name))
    for branch in branches(tree):
        if len(branch.subtree.kinds) == 1:
            number = numbers.get(next(iter(branch.subtree.kinds.values())).first.name)
            if number is not None:
                patterns[number].append(branch.pattern)
    return [tuple(texts) for texts in patterns]
