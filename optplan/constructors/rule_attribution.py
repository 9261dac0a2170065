"""Find the rule behind each group that other people's code has made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isclose
from typing import Any

from optplan.constructors.built_values import base_options, plain_value, telling_entries
from optplan.constructors.observed_groups import Observation, ObservedGroup, ObservedOptimizer
from optplan.errors import PlanError, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.names import ProblemKind, Rule
from optplan.places import Place
from optplan.plan import Assignment, EmptyParamGroup, hashable, plain
from optplan.plan.compare import differ
from optplan.planner.assign import GroupReader, as_number, refuse_bad_values
from optplan.rules import Decision, Verdict

# What the default rules decide of a tensor, None where they were not asked.
Decide = Callable[[ParameterFacts], Decision | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMaker:
    """The code that made groups, and what is known of its rules.

    Args:
        who: The name of the class or function.
        place: Where it is defined.
        decide: What the default rules decide.
        note: What to say of their decisions.
        bases: The config's own ``lr`` and ``weight_decay``, which the rules multiply.
        as_whole: The default rules count only where a group is theirs entry by entry, for it is not known
            that they were asked; else for its lr and for its weight decay apart.
        leaves_unset: A value that a group does not set is the optimizer's own, no decision of the code.
    """

    who: str
    place: Place | None
    decide: Decide = lambda _: None
    note: str | None = None
    bases: Mapping[str, float | None] = field(default_factory=dict)
    as_whole: bool = True
    leaves_unset: bool = False


def attribute(
    observation: Observation, inventory: Inventory, maker: GroupMaker
) -> dict[int, Assignment]:
    """Return what each tensor gets, by its number, and the rule behind it.

    What the default rules decided is theirs where the code left it alone; all else is the code's, also where
    it changed what the rules multiply.

    Args:
        observation: The groups.
        inventory: The model's parameters, as they were before the code ran.
        maker: What made the groups.

    Raises:
        PlanError: A tensor in several optimizers, none in any, or a value that is no number, negative or
            not finite.
    """
    _refuse_other_models(observation, inventory, maker)
    attribution = _GroupAttribution(maker, inventory)
    for number, optimizer in enumerate(observation.optimizers):
        attribution.take(number, optimizer)
    if attribution.repeated:
        names = [inventory.primary_names[tensor].name for tensor in attribution.repeated]
        raise _repeated(names, maker)
    refuse_bad_values(attribution.assignments, inventory)
    return attribution.assignments


class _GroupAttribution:
    """The assignments of one optimizer's groups after the other.

    Attributes:
        assignments: Those that were made, by the tensor's number.
        repeated: The tensors that are in several groups.
    """

    def __init__(self, maker: GroupMaker, inventory: Inventory) -> None:
        self._maker = maker
        self._names = inventory.primary_names
        self._code = OwnRules(maker.who, maker.place, are_set=maker.leaves_unset)
        self._noted = _Noted(maker.note)
        self.assignments: dict[int, Assignment] = {}
        self.repeated: list[int] = []

    def take(self, number: int, optimizer: ObservedOptimizer) -> None:
        """Take the groups of an optimizer, which has this number."""
        maker = self._maker
        reader = GroupReader(optimizer.optimizer, (group.own for group in optimizer.groups))
        base = base_options(optimizer, is_written=not maker.leaves_unset)
        telling = telling_entries(optimizer.groups, reader.defaults)
        for index, group in enumerate(optimizer.groups):
            _refuse_other_values(group, f"{maker.who}: group {index}", maker.place)
            values = reader.values(group.own, group.final)
            told = {n: v for n, v in values["extra"].items() if n in telling}
            values["options"] = _other_options(group, base)
            code = self._code.of(values, reader, group.own if maker.leaves_unset else None)
            for tensor in group.members:
                decision = maker.decide(self._names[tensor])
                rules = _of_rules(decision, group, values, (maker.bases, reader.bases))
                if maker.as_whole and not _is_theirs(rules, decision, group):
                    rules = None, None
                lr, weight_decay = (
                    own if rule is None else self._noted.of(rule)
                    for rule, own in zip(rules, code, strict=True)
                )
                if tensor in self.assignments:
                    self.repeated.append(tensor)
                self.assignments[tensor] = Assignment(
                    optimizer=number,
                    group=index,
                    lr_verdict=lr,
                    weight_decay_verdict=weight_decay,
                    telling=_without(told, decision) if told else told,
                    **values,
                )


def _refuse_other_models(observation: Observation, inventory: Inventory, maker: GroupMaker) -> None:
    """Refuse optimizers that have parameters, and none of the model's.

    Raises:
        PlanError: They belong to another model, or to a copy of this one.
    """
    groups = [group for optimizer in observation.optimizers for group in optimizer.groups]
    is_others = any(not group.is_empty for group in groups)
    if is_others and inventory.parameters and not any(group.members for group in groups):
        raise PlanError(
            f"{maker.who} makes an optimizer of another model: none of its tensors is a parameter of this one",
            place=maker.place,
            hint="use the parameters of the very model that is planned, and of no copy",
        )


def _refuse_other_values(group: ObservedGroup, what: str, place: Place | None) -> None:
    for name in ("lr", "weight_decay"):
        value = group.final.get(name)
        if value is not None and as_number(value) is None:
            raise PlanError(
                f"{what} has the {name} {plain(value)!r}, which is no number", place=place
            )


def _without(told: Mapping[str, Any], decision: Decision | None) -> dict[str, Any]:
    """Return the entries that the default rules did not decide, which have used theirs up."""
    used = {} if decision is None else decision.entries
    return {name: value for name, value in told.items() if name not in used}


def _other_options(group: ObservedGroup, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a group has otherwise than its optimizer."""
    found = {name: plain_value(group.final[name]) for name in base if name in group.final}
    return {name: value for name, value in found.items() if differ(value, base[name])}


def empty_groups(observation: Observation) -> tuple[EmptyParamGroup, ...]:
    """Return the groups that have no parameters at all, not even such as are no part of the model."""
    return tuple(
        EmptyParamGroup(
            optimizer=number,
            group=index,
            lr=as_number(group.final.get("lr")),
            weight_decay=as_number(group.final.get("weight_decay")),
        )
        for number, optimizer in enumerate(observation.optimizers)
        for index, group in enumerate(optimizer.groups)
        if group.is_empty
    )


def _of_rules(
    decision: Decision | None,
    group: ObservedGroup,
    values: Mapping[str, Any],
    all_bases: Iterable[Mapping[str, float | None]],
) -> tuple[Verdict | None, Verdict | None]:
    """Return the default rules' verdicts on the lr and the weight decay of a group; None where the code decided."""
    if decision is None:
        return None, None
    lr, weight_decay = (
        verdict
        if _is_same(decision.entries, group.own, name)
        and _is_product(values[name], verdict, [bases.get(name) for bases in all_bases])
        else None
        for name, verdict in (("lr", decision.lr), ("weight_decay", decision.weight_decay))
    )
    return lr, weight_decay


def _is_theirs(
    verdicts: tuple[Verdict | None, Verdict | None], decision: Decision | None, group: ObservedGroup
) -> bool:
    """Return whether a group is the default rules', entry by entry."""
    return (
        decision is not None
        and None not in verdicts
        and hashable(plain(decision.group)) == hashable(plain(group.own))
    )


def _is_same(decided: Mapping[str, Any], own: Mapping[str, Any], name: str) -> bool:
    """Return whether a group has the entry that was decided, or has none as was decided."""
    if name not in decided or name not in own:
        return name not in decided and name not in own
    return bool(hashable(plain(decided[name])) == hashable(plain(own[name])))


def _is_product(value: float | None, verdict: Verdict, bases: Iterable[float | None]) -> bool:
    """Return whether a value is what its rule says: the base value by the factor."""
    return all(
        isclose(value, base * verdict.mult, rel_tol=1e-12)
        for base in bases
        if value is not None and base is not None and verdict.mult is not None
    )


def _repeated(names: list[str], maker: GroupMaker) -> PlanError:
    return PlanError(
        f"{maker.who} puts parameters into several groups: {listed(names)}",
        place=maker.place,
        kind=ProblemKind.TIED,
        parameters=tuple(names),
    )


class OwnRules:
    """The verdicts of code that decides by itself; parameters with equal ones share them."""

    def __init__(self, who: str, place: Place | None, *, are_set: bool = False) -> None:
        self._rule = Rule.SET if are_set else Rule.CONSTRUCTOR
        self._who = who
        self._place = place
        self._unset = Verdict(rule=Rule.DEFAULT, constructor=who)
        self._known: dict[Any, Verdict] = {}

    def of(
        self, values: Mapping[str, Any], reader: GroupReader, own: Mapping[str, Any] | None
    ) -> tuple[Verdict, Verdict]:
        """Return the verdicts on the lr and on the weight decay of a group, with its entries if they count."""
        lr, weight_decay = (
            self.verdict(values[name], base) if own is None or name in own else self._unset
            for name, base in reader.bases.items()
        )
        return lr, weight_decay

    def verdict(self, value: float | None, base: float | None) -> Verdict:
        """Return the verdict on one value."""
        key = (value, base)
        if key not in self._known:
            self._known[key] = Verdict(
                rule=self._rule,
                mult=None if self._rule is Rule.SET else _multiplier(value, base),
                value=value,
                place=self._place,
                constructor=self._who,
            )
        return self._known[key]


def _multiplier(value: float | None, base: float | None) -> float | None:
    """Return by what a base value was multiplied in effect; None where that is not to be told."""
    if value is None or base is None:
        return None
    if value == base:
        return 1.0
    return value / base if base else None


class _Noted:
    """Verdicts with a note, each made once."""

    def __init__(self, note: str | None) -> None:
        self._note = note
        self._known: dict[int, tuple[Verdict, Verdict]] = {}

    def of(self, verdict: Verdict) -> Verdict:
        """Return the verdict with the note."""
        if self._note is None:
            return verdict
        if id(verdict) not in self._known:
            self._known[id(verdict)] = verdict, replace(verdict, note=self._note)
        return self._known[id(verdict)][1]
