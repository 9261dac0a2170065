"""Compare two plans: a pure function of the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from optplan.names import Rule
from optplan.plan.changes import ABSENT, Change, ChangeKind, OptimizerChange, PlanDiff, all_names
from optplan.plan.compare import Pair, optimizer_change, optimizer_changes
from optplan.plan.names.clusters import Clusters, Patterns
from optplan.plan.plan import Plan, PlannedOptimizer, PlannedParameter


def diff_plans(before: Plan, after: Plan) -> PlanDiff:
    """Return what changes from one plan to the other.

    A parameter whose value follows a change of the base value alone is told by that change, and is in
    no cluster. Another rule for the same value is no difference, as are other versions.
    """
    names = all_names(before, after)
    optimizers = _Optimizers(before, after)
    rows_before = {row.name: row for row in before.parameters}
    rows_after = {row.name: row for row in after.parameters}
    clusters, rules = Clusters(), Clusters()
    reached: dict[tuple[int | None, str], int] = {}
    changed: set[str] = set()
    common = [name for name in names if name in rows_before and name in rows_after]
    for name in common:
        pair = optimizers.pair(rows_before[name], rows_after[name])
        for change in optimizers.changes(pair):
            changed.add(name)
            if pair.is_explained(change):
                key = pair.before.optimizer, change.field
                reached[key] = reached.get(key, 0) + 1
            else:
                clusters.add(pair, change, pair.rules(change))
        for other in pair.same_values_by_other_rules():
            rules.add(pair, other[0], other[1:])
    patterns = Patterns(names)
    return PlanDiff(
        before=before,
        after=after,
        clusters=clusters.as_tuple(patterns),
        optimizers=tuple(optimizers.as_changes(reached)),
        only_before=patterns.one_sided(name for name in names if name not in rows_after),
        only_after=patterns.one_sided(name for name in names if name not in rows_before),
        rules=rules.as_tuple(patterns),
        versions=_versions(before, after),
        remarks=tuple(_not_final(before, after)),
        common=len(common),
        changed=len(changed),
    )


def _not_final(before: Plan, after: Plan) -> Iterator[str]:
    """Yield a line on the lrs that are not those of a training."""
    sides = [side for side, plan in (("first", before), ("second", after)) if not plan.is_final]
    if sides:
        plans = "both plans" if len(sides) == 2 else f"the {sides[0]} plan"
        yield f"the lr of {plans} is not final: it depends on the batch (--world-size, --batch-size)"


def _versions(before: Plan, after: Plan) -> dict[str, tuple[str | None, str | None]]:
    packages = sorted({*before.versions, *after.versions})
    pairs = {name: (before.versions.get(name), after.versions.get(name)) for name in packages}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


class _Optimizers:
    """The optimizers of both plans, paired by their names, else by their places."""

    def __init__(self, before: Plan, after: Plan) -> None:
        self._plans = before, after
        self._before, self._after = before.optimizers, after.optimizers
        keys_before, keys_after = _keys(self._before), _keys(self._after)
        partners = {key: index for index, key in enumerate(keys_after)}
        self._partners = [partners.pop(key, None) for key in keys_before]
        self._unpaired = tuple(partners.values())

    def pair(self, before: PlannedParameter, after: PlannedParameter) -> Pair:
        """Return the rows of one name, with their optimizers."""
        first, second = before.optimizer, after.optimizer
        return Pair(
            before=before,
            after=after,
            optimizer_before=None if first is None else self._before[first],
            optimizer_after=None if second is None else self._after[second],
        )

    def changes(self, pair: Pair) -> Iterator[Change]:
        """Yield what changes for one name, the optimizer that it is in among them."""
        yield from pair.changes()
        first, second = pair.before.optimizer, pair.after.optimizer
        if first is not None and second is not None and self._partners[first] != second:
            names = self._before[first].name or first, self._after[second].name or second
            yield Change(
                kind=ChangeKind.PARAMETER, field="optimizer", before=names[0], after=names[1]
            )

    def _is_unused(self, change: Change, index: int) -> bool:
        """Return whether a base value that reaches no parameter decides nothing, where code sets values itself."""
        if change.before is None or change.after is None:
            return True
        plans = zip(self._plans, (index, self._partners[index]), strict=True)
        return any(
            use is not None and use.rule is Rule.SET
            for plan, place in plans
            for row in plan.parameters
            if row.optimizer == place
            for use in (row.lr_rule, row.weight_decay_rule)
        )

    def as_changes(self, reached: dict[tuple[int | None, str], int]) -> Iterator[OptimizerChange]:
        """Yield the changes that are no single parameter's."""
        first, second = (plan.constructor for plan in self._plans)
        if first != second:
            change = optimizer_change("constructor", first, second)
            yield OptimizerChange(optimizer=None, change=change)
        for index, before in enumerate(self._before):
            partner = self._partners[index]
            if partner is None:
                change = optimizer_change("type", before.type, ABSENT)
                yield OptimizerChange(optimizer=before.name or str(index), change=change)
                continue
            for change in optimizer_changes(before, self._after[partner]):
                is_base = change.kind is ChangeKind.OPTIMIZER and change.field != "type"
                count = reached.get((index, change.field), 0) if is_base else None
                if count == 0 and self._is_unused(change, index):
                    continue
                yield OptimizerChange(optimizer=before.name, change=change, parameters=count)
        for index in self._unpaired:
            after = self._after[index]
            change = optimizer_change("type", ABSENT, after.type)
            yield OptimizerChange(optimizer=after.name or str(index), change=change)


def _keys(optimizers: Sequence[PlannedOptimizer]) -> list[Any]:
    names = [optimizer.name for optimizer in optimizers]
    are_names = None not in names and len(set(names)) == len(names)
    return list(names) if are_names else list(range(len(names)))
