"""Which rule stands behind a group that other people's code has made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import isclose
from types import MappingProxyType
from typing import Any

from optplan.constructors.built_values import base_options, plain_value, telling_entries
from optplan.constructors.observed_groups import Observation, ObservedGroup
from optplan.errors import PlanError, Problem, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.names import ProblemKind, Rule
from optplan.places import Place
from optplan.plan import Assignment, EmptyParamGroup, hashable, plain
from optplan.plan.compare import differ
from optplan.planner.assign import GroupReader, as_number, refuse_bad_values
from optplan.rules import Decision, Verdict

# What the default rules decide of a tensor, None where they were not asked.
Decide = Callable[[ParameterFacts], Decision | None]


def attribute(
    observation: Observation,
    inventory: Inventory,
    *,
    who: str,
    place: Place | None,
    decide: Decide = lambda _: None,
    note: str | None = None,
    bases: Mapping[str, float | None] = MappingProxyType({}),
    as_whole: bool = True,
    leaves_unset: bool = False,
) -> dict[int, Assignment]:
    """What each tensor gets, by its number, and the rule behind it.

    What the default rules decided is theirs where the code left it alone; all else is the code's, also where
    it changed what the rules multiply.

    Args:
        observation: The groups.
        inventory: The model's parameters, as they were before the code ran.
        who: The name of the class or function that made the groups.
        place: Where it is defined.
        decide: What the default rules decide.
        note: What to say of their decisions.
        bases: The config's own ``lr`` and ``weight_decay``, which the rules multiply.
        as_whole: The default rules count only where a group is theirs entry by entry, for it is not known
            that they were asked; else for its lr and for its weight decay apart.
        leaves_unset: A value that a group does not set is the optimizer's own, no decision of the code.

    Raises:
        PlanError: A tensor in several optimizers, none in any, or a value that is no number, negative or
            not finite.
    """
    _refuse_other_models(observation, inventory, who, place)
    own_rules = OwnRules(who, place, are_set=leaves_unset)
    noted = _Noted(note)
    assignments: dict[int, Assignment] = {}
    repeated: list[int] = []
    for number, optimizer in enumerate(observation.optimizers):
        reader = GroupReader(optimizer.optimizer, (group.own for group in optimizer.groups))
        base = base_options(optimizer, is_written=not leaves_unset)
        telling = telling_entries(optimizer.groups, reader.defaults)
        for index, group in enumerate(optimizer.groups):
            _refuse_other_values(group, f"{who}: group {index}", place)
            values = reader.values(group.own, group.final)
            told = {n: v for n, v in values["extra"].items() if n in telling}
            values["options"] = _other_options(group, base)
            own = own_rules.of(values, reader, group.own if leaves_unset else None)
            for tensor in group.members:
                decision = decide(inventory.primary_names[tensor])
                rules = _of_rules(decision, group, values, (bases, reader.bases), as_whole)
                lr, weight_decay = (
                    code if rule is None else noted.of(rule)
                    for rule, code in zip(rules, own, strict=True)
                )
                if tensor in assignments:
                    repeated.append(tensor)
                assignments[tensor] = Assignment(
                    optimizer=number,
                    group=index,
                    lr_verdict=lr,
                    weight_decay_verdict=weight_decay,
                    telling=_without(told, decision) if told else told,
                    **values,
                )
    if repeated:
        raise _repeated([inventory.primary_names[tensor].name for tensor in repeated], who, place)
    refuse_bad_values(assignments, inventory)
    return assignments


def _refuse_other_models(
    observation: Observation, inventory: Inventory, who: str, place: Place | None
) -> None:
    """Refuse optimizers that have parameters, and none of the model's.

    Raises:
        PlanError: They belong to another model, or to a copy of this one.
    """
    groups = [group for optimizer in observation.optimizers for group in optimizer.groups]
    is_others = any(not group.is_empty for group in groups)
    if is_others and inventory.parameters and not any(group.members for group in groups):
        raise PlanError(
            f"{who} makes an optimizer of another model: none of its tensors is a parameter of this one",
            place=place,
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
    """The groups that have no parameters at all, not even such as are no part of the model."""
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
    as_whole: bool,
) -> tuple[Verdict | None, Verdict | None]:
    """The default rules' verdicts on the lr and the weight decay of a group; None where the code decided."""
    if decision is None:
        return None, None
    lr, weight_decay = (
        verdict
        if _is_same(decision.entries, group.own, name)
        and _is_product(values[name], verdict, [bases.get(name) for bases in all_bases])
        else None
        for name, verdict in (("lr", decision.lr), ("weight_decay", decision.weight_decay))
    )
    if as_whole and (
        lr is None
        or weight_decay is None
        or hashable(plain(decision.group)) != hashable(plain(group.own))
    ):
        return None, None
    return lr, weight_decay


def _is_same(decided: Mapping[str, Any], own: Mapping[str, Any], name: str) -> bool:
    """Whether a group has the entry that was decided, or has none as was decided."""
    if name not in decided or name not in own:
        return name not in decided and name not in own
    return bool(hashable(plain(decided[name])) == hashable(plain(own[name])))


def _is_product(value: float | None, verdict: Verdict, bases: Iterable[float | None]) -> bool:
    """Whether a value is what its rule says: the base value by the factor."""
    return all(
        isclose(value, base * verdict.mult, rel_tol=1e-12)
        for base in bases
        if value is not None and base is not None and verdict.mult is not None
    )


def _repeated(names: list[str], who: str, place: Place | None) -> PlanError:
    return PlanError(
        [
            Problem(
                message=f"{who} puts parameters into several groups: {listed(names)}",
                place=place,
                kind=ProblemKind.TIED,
                parameters=tuple(names),
            )
        ]
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
        """The verdicts on the lr and on the weight decay of a group, with its entries if they count."""
        lr, weight_decay = (
            self.verdict(values[name], base) if own is None or name in own else self._unset
            for name, base in reader.bases.items()
        )
        return lr, weight_decay

    def verdict(self, value: float | None, base: float | None) -> Verdict:
        """The verdict on one value."""
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
    """By what a base value was multiplied in effect; None where that is not to be told."""
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
        """The verdict with the note."""
        if self._note is None:
            return verdict
        if id(verdict) not in self._known:
            self._known[id(verdict)] = verdict, replace(verdict, note=self._note)
        return self._known[id(verdict)][1]
