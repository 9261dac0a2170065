"""Compare two rows of one name, and two optimizers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

from optplan.names import Rule, Status
from optplan.plan.changes import ABSENT, Change, ChangeKind
from optplan.plan.plan import PlannedOptimizer, PlannedParameter, RuleUse

# The entries by which a group keeps the multipliers of its custom key, and whose they are.
_KEPT_MULTIPLIERS = {"lr_mult": "lr_rule", "decay_mult": "weight_decay_rule"}
# The entries that a row has as fields, too.
_KEPT_FIELDS = {"lr_scale": "lr_scale", "layer_id": "layer"}
# Words in the names of entries that say which group it is.
_LABELS = ("name", "id", "idx", "index", "layer", "depth", "stage", "num", "number", "rank", "tag")
# Words in the names of entries that say how a group is stepped.
_OPTIONS = ("kind", "type", "algorithm", "method", "mode", "optimizer", "rule", "use")
# Loose enough for what a schedule's arithmetic leaves of a factor.
_TOLERANCE = 1e-6


def identity(value: object) -> Any:
    """Return a key that is equal for equal plain values: numbers by their size, True apart from 1."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int | float):
        return "number", value
    if isinstance(value, Mapping):
        return "mapping", tuple(sorted((key, identity(item)) for key, item in value.items()))
    if isinstance(value, tuple | list):
        return "tuple", tuple(identity(item) for item in value)
    return type(value).__name__, value


def differ(first: object, second: object) -> bool:
    """Return whether two plain values are not the same; 1 and 1.0 are."""
    return first is not second and identity(first) != identity(second)


def is_label(name: str, values: Sequence[object]) -> bool:
    """Return whether an entry of the groups of an optimizer only says which group it is.

    It is called so and holds texts or whole numbers, or it holds the group's number, or a text of its own for
    each group and is not called as an option may be.

    Args:
        name: The entry's name.
        values: The value of each group that has members.
    """
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        return False
    words = set(name.lower().split("_"))
    if words & set(_LABELS) or list(values) == list(range(len(values))):
        return True
    is_own = all(isinstance(value, str) for value in values) and len(set(values)) == len(values)
    return is_own and not words & set(_OPTIONS)


def rule_identity(use: RuleUse | None) -> Any:
    """Return a key that is equal for equal rules, wherever they are written."""
    return None if use is None else (use.rule, use.option, use.key, use.mult)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two rows of one name, with the optimizers that they are in."""

    before: PlannedParameter
    after: PlannedParameter
    optimizer_before: PlannedOptimizer | None
    optimizer_after: PlannedOptimizer | None

    def changes(self) -> Iterator[Change]:
        """Yield what differs.

        The module's class is not compared, since libraries move theirs between versions; neither is
        what follows from other fields: the effective lr, the layer, the group's number.
        """
        before, after = self.before, self.after
        if before.shape != after.shape:
            yield self._parameter("shape")
        if before.dtype != after.dtype:
            yield self._parameter("dtype")
        if before.status is not after.status:
            yield self._parameter("status")
            if before.group is None or after.group is None:
                return  # it has values on one side alone, as the status says
        elif before.status is Status.DUPLICATE:
            if before.requires_grad is not after.requires_grad:
                yield self._parameter("requires_grad")
            if before.aliases != after.aliases:
                yield self._parameter("aliases")
        yield from self._value_changes()
        yield from self._option_changes()
        yield from self._extra_changes()

    def _parameter(self, field: str) -> Change:
        before, after = getattr(self.before, field), getattr(self.after, field)
        return Change(kind=ChangeKind.PARAMETER, field=field, before=before, after=after)

    def _value_changes(self) -> Iterator[Change]:
        for field in ("lr", "weight_decay", "lr_scale"):
            before, after = getattr(self.before, field), getattr(self.after, field)
            if before != after:
                yield Change(kind=ChangeKind.VALUE, field=field, before=before, after=after)

    def _option_changes(self) -> Iterator[Change]:
        """Yield options of the group's own on either side, against the optimizer's where it has none."""
        before, after = self.before.options, self.after.options
        if not before and not after:
            return
        for name in sorted({*before, *after}, key=str):
            values = (
                before.get(name, _option(self.optimizer_before, name)),
                after.get(name, _option(self.optimizer_after, name)),
            )
            if differ(*values):
                yield Change(kind=ChangeKind.OPTION, field=name, before=values[0], after=values[1])

    def _extra_changes(self) -> Iterator[Change]:
        """Yield other entries, but for those that the rules or the row's other fields state already."""
        before, after = self.before.extra, self.after.extra
        if not before and not after:
            return
        for name in sorted({*before, *after}, key=str):
            if states_rule(self.before, name) and states_rule(self.after, name):
                continue
            values = before.get(name, ABSENT), after.get(name, ABSENT)
            if differ(*values):
                yield Change(kind=ChangeKind.EXTRA, field=name, before=values[0], after=values[1])

    def rules(self, change: Change) -> tuple[RuleUse | None, RuleUse | None]:
        """Return the rules behind a change; behind an option or extra entry there can only be a key."""
        if change.kind is ChangeKind.PARAMETER or change.field == "lr_scale":
            return None, None
        if change.kind is ChangeKind.VALUE:
            name = f"{change.field}_rule"
            return getattr(self.before, name), getattr(self.after, name)
        before, after = self.before.lr_rule, self.after.lr_rule
        return _if_key(before), _if_key(after)

    def is_explained(self, change: Change) -> bool:
        """Return whether a value differs only because its base value does."""
        if change.kind is not ChangeKind.VALUE or change.field == "lr_scale":
            return False
        first, second = self.optimizer_before, self.optimizer_after
        if first is None or second is None:
            return False
        base_before, base_after = getattr(first, change.field), getattr(second, change.field)
        if base_before == base_after:
            return False
        rule_before, rule_after = self.rules(change)
        if _are_set(rule_before, rule_after):
            return bool(change.before == base_before and change.after == base_after)
        if change.before is None or change.after is None:
            return _is_whole(change.before, base_before) and _is_whole(change.after, base_after)
        return (
            rule_before is not None
            and rule_after is not None
            and rule_before.mult is not None
            and rule_before.mult == rule_after.mult
            and _is_product(change.before, base_before, rule_before.mult)
            and _is_product(change.after, base_after, rule_after.mult)
        )

    def same_values_by_other_rules(self) -> Iterator[tuple[Change, RuleUse, RuleUse]]:
        """Yield values that another rule or multiplier gives, and that are the same or follow the base."""
        first, second = self.before, self.after
        for field, use, other in (
            ("lr", first.lr_rule, second.lr_rule),
            ("weight_decay", first.weight_decay_rule, second.weight_decay_rule),
        ):
            if use is None or other is None or rule_identity(use) == rule_identity(other):
                continue
            before, after = getattr(first, field), getattr(second, field)
            change = Change(kind=ChangeKind.VALUE, field=field, before=before, after=after)
            if before == after or self.is_explained(change):
                yield change, use, other


def _are_set(first: RuleUse | None, second: RuleUse | None) -> bool:
    """Return whether code set both values, of which no base value is multiplied."""
    return first is not None and second is not None and first.rule is second.rule is Rule.SET


def _option(optimizer: PlannedOptimizer | None, name: str) -> Any:
    return ABSENT if optimizer is None else optimizer.options.get(name, ABSENT)


def states_rule(row: PlannedParameter, name: str) -> bool:
    """Return whether an entry is no more than the rule's own multiplier or a field of the row, or missing."""
    if name in _KEPT_FIELDS:
        return bool(row.extra.get(name) == getattr(row, _KEPT_FIELDS[name]))
    if name not in _KEPT_MULTIPLIERS:
        return False
    use: RuleUse | None = getattr(row, _KEPT_MULTIPLIERS[name])
    if name not in row.extra:
        return True
    # what code left to the default or set by itself has no multiplier
    has_factor = use is not None and not (
        use.rule is Rule.SET or (use.rule is Rule.DEFAULT and use.constructor is not None)
    )
    return has_factor and use is not None and bool(row.extra[name] == use.mult)


def _if_key(use: RuleUse | None) -> RuleUse | None:
    return use if use is not None and use.rule is Rule.CUSTOM_KEY else None


def _is_whole(value: float | None, base: float | None) -> bool:
    """Return whether an optimizer has none of a value at all, or the parameter does have it."""
    return (value is None) == (base is None)


def _is_product(value: float, base: float | None, mult: float) -> bool:
    return base is not None and isclose(value, base * mult, rel_tol=_TOLERANCE)


def optimizer_changes(before: PlannedOptimizer, after: PlannedOptimizer) -> Iterator[Change]:
    """Yield what differs between two optimizers as a whole."""
    if _are_other_classes(before, after):
        yield optimizer_change("type", before.type, after.type)
    for field in ("lr", "weight_decay"):
        values = getattr(before, field), getattr(after, field)
        if values[0] != values[1]:
            yield optimizer_change(field, *values)
    for name in sorted({*before.options, *after.options}):
        first, second = before.options.get(name, ABSENT), after.options.get(name, ABSENT)
        if differ(first, second):
            yield Change(kind=ChangeKind.OPTION, field=name, before=first, after=second)


def optimizer_change(field: str, before: object, after: object) -> Change:
    """Return a change of an optimizer's type or base value."""
    return Change(kind=ChangeKind.OPTIMIZER, field=field, before=before, after=after)


def _are_other_classes(before: PlannedOptimizer, after: PlannedOptimizer) -> bool:
    """Return whether the classes differ; one that was moved, or is written in another way, does not."""
    if before.class_name == after.class_name:
        return False
    last = before.class_name.rpartition(".")[2], after.class_name.rpartition(".")[2]
    return before.type != after.type or last[0] != last[1]
