"""How two plans differ: a pure function of the two."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from optplan.plan.changes import (
    ABSENT,
    Change,
    Cluster,
    Kind,
    OneSided,
    OptimizerChange,
    PlanDiff,
    all_names,
)
from optplan.plan.compare import (
    Pair,
    identity,
    optimizer_change,
    optimizer_changes,
    rule_identity,
)
from optplan.plan.patterns import escape
from optplan.plan.plan import Plan, PlannedOptimizer, PlannedParameter, RuleUse
from optplan.plan.summarize import Summarizer

# So many sets × names are summarized in a third of a second; sets beyond that are spelled out.
_MOST_WORK = 400_000


def diff_plans(before: Plan, after: Plan) -> PlanDiff:
    """What changes from one plan to the other.

    A parameter whose value follows a change of the base value alone is told by that change, and is in
    no cluster. Another rule for the same value is no difference, as are other versions.
    """
    names = all_names(before, after)
    optimizers = _Optimizers(before, after)
    rows_before = {row.name: row for row in before.parameters}
    rows_after = {row.name: row for row in after.parameters}
    clusters, rules = _Clusters(), _Clusters()
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
    patterns = _Patterns(names)
    return PlanDiff(
        before=before,
        after=after,
        clusters=clusters.as_tuple(patterns),
        optimizers=tuple(optimizers.as_changes(reached)),
        only_before=patterns.one_sided(name for name in names if name not in rows_after),
        only_after=patterns.one_sided(name for name in names if name not in rows_before),
        rules=rules.as_tuple(patterns),
        versions=_versions(before, after),
        common=len(common),
        changed=len(changed),
    )


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
        """The rows of one name, with their optimizers."""
        first, second = before.optimizer, after.optimizer
        return Pair(
            before=before,
            after=after,
            optimizer_before=None if first is None else self._before[first],
            optimizer_after=None if second is None else self._after[second],
        )

    def changes(self, pair: Pair) -> Iterator[Change]:
        """What changes for one name, the optimizer that it is in among them."""
        yield from pair.changes()
        first, second = pair.before.optimizer, pair.after.optimizer
        if first is not None and second is not None and self._partners[first] != second:
            names = self._before[first].name or first, self._after[second].name or second
            yield Change(kind=Kind.PARAMETER, field="optimizer", before=names[0], after=names[1])

    def as_changes(self, reached: dict[tuple[int | None, str], int]) -> Iterator[OptimizerChange]:
        """The changes that are no single parameter's."""
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
                is_base = change.kind is Kind.OPTIMIZER and change.field != "type"
                count = reached.get((index, change.field), 0) if is_base else None
                yield OptimizerChange(optimizer=before.name, change=change, parameters=count)
        for index in self._unpaired:
            after = self._after[index]
            change = optimizer_change("type", ABSENT, after.type)
            yield OptimizerChange(optimizer=after.name or str(index), change=change)


def _keys(optimizers: Sequence[PlannedOptimizer]) -> list[Any]:
    names = [optimizer.name for optimizer in optimizers]
    are_names = None not in names and len(set(names)) == len(names)
    return list(names) if are_names else list(range(len(names)))


@dataclass(slots=True)
class _Members:
    change: Change
    rules: tuple[RuleUse | None, RuleUse | None]
    names: list[str] = field(default_factory=list)
    elements_before: int = 0
    elements_after: int = 0


class _Clusters:
    """Gathers the parameters that change alike."""

    def __init__(self) -> None:
        self._found: dict[Any, _Members] = {}

    def add(self, pair: Pair, change: Change, rules: tuple[RuleUse | None, RuleUse | None]) -> None:
        """Put one change of a parameter to those that are like it."""
        key = (
            change.kind,
            change.field,
            identity(change.before),
            identity(change.after),
            rule_identity(rules[0]),
            rule_identity(rules[1]),
        )
        members = self._found.get(key)
        if members is None:
            members = self._found[key] = _Members(change, rules)
        members.names.append(pair.before.name)
        members.elements_before += pair.before.elements
        members.elements_after += pair.after.elements

    def as_tuple(self, patterns: _Patterns) -> tuple[Cluster, ...]:
        """The clusters, the largest first, and in the names' order where they are alike."""
        found = sorted(
            self._found.values(),
            key=lambda members: (
                -len(members.names),
                patterns.places[members.names[0]],
                members.change.kind,
                members.change.field,
            ),
        )
        return tuple(
            Cluster(
                change=members.change,
                rule_before=members.rules[0],
                rule_after=members.rules[1],
                names=tuple(members.names),
                patterns=patterns.of(members.names),
                elements=max(members.elements_before, members.elements_after),
            )
            for members in found
        )


class _Patterns:
    """Patterns of sets of names; a set that comes up twice is summarized once."""

    def __init__(self, names: list[str]) -> None:
        self.places = {name: place for place, name in enumerate(names)}
        self._sorted = sorted(names)
        self._summarizer = Summarizer(names)
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._left = _MOST_WORK // max(1, len(names))

    def of(self, names: Sequence[str]) -> tuple[str, ...]:
        """Patterns that match exactly these."""
        key = tuple(names)
        if key not in self._known:
            self._known[key] = self._subtree(key) or self._summarized(key)
        return self._known[key]

    def _subtree(self, names: Sequence[str]) -> tuple[str, ...]:
        """``blocks.3.*``, which is cheap to find; nothing where the names are not all below one."""
        if len(names) == 1:
            return ()
        pairs = zip(min(names).split("."), max(names).split("."), strict=False)
        shared = takewhile(lambda pair: pair[0] == pair[1], pairs)
        prefix = "".join(f"{word}." for word, _ in shared)
        first = bisect_left(self._sorted, prefix)
        below = bisect_left(self._sorted, f"{prefix[:-1]}/", lo=first) - first  # . is before /
        return (f"{escape(prefix)}*",) if prefix and below == len(names) else ()

    def _summarized(self, names: Sequence[str]) -> tuple[str, ...]:
        self._left -= len(names) > 1
        if len(names) > 1 and self._left < 0:
            return tuple(map(escape, names))
        return self._summarizer.patterns(names)

    def one_sided(self, names: Iterable[str]) -> OneSided:
        """The parameters that one plan alone has."""
        found = tuple(names)
        return OneSided(names=found, patterns=self.of(found) if found else ())
