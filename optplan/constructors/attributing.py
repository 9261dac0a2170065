"""Which rule stands behind a group that other people's code has made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import isclose
from types import MappingProxyType
from typing import Any

from optplan.constructors.assign import GroupReader, refuse_bad_values
from optplan.constructors.observing import Observation
from optplan.errors import PlanError, Problem, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.names import Mistake, Rule
from optplan.places import Place
from optplan.plan import Assignment, hashable, plain
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
    leaves_unset: bool = False,
) -> dict[int, Assignment]:
    """What each tensor gets, by its number, and the rule behind it.

    Where the group of a parameter holds just what the default rules give, they decided; else the code did.
    It did as well where it changed what the rules multiply.

    Args:
        observation: The groups.
        inventory: The model's parameters, as they were before the code ran.
        who: The name of the class or function that made the groups.
        place: Where it is defined.
        decide: What the default rules decide.
        note: What to say of their decisions.
        bases: The config's own ``lr`` and ``weight_decay``, which the rules multiply.
        leaves_unset: A value that a group does not set is the optimizer's own, no decision of the code.

    Raises:
        PlanError: A tensor in several optimizers, or a value that is negative or not finite.
    """
    own_rules = OwnRules(who, place)
    noted = _Noted(note)
    assignments: dict[int, Assignment] = {}
    repeated: list[int] = []
    for number, optimizer in enumerate(observation.optimizers):
        reader = GroupReader(optimizer.optimizer, (group.own for group in optimizer.groups))
        for index, group in enumerate(optimizer.groups):
            values = reader.values(group.own, group.final)
            entries = hashable(plain(group.own))
            for tensor in group.members:
                decision = decide(inventory.carriers[tensor])
                if (
                    decision is not None
                    and hashable(plain(decision.group)) == entries
                    and _are_products(decision, values, (bases, reader.bases))
                ):
                    verdicts = noted.of(decision.lr), noted.of(decision.weight_decay)
                else:
                    verdicts = own_rules.of(values, reader, group.own if leaves_unset else None)
                if tensor in assignments:
                    repeated.append(tensor)
                assignments[tensor] = Assignment(
                    optimizer=number,
                    group=index,
                    lr_verdict=verdicts[0],
                    weight_decay_verdict=verdicts[1],
                    **values,
                )
    if repeated:
        raise _repeated([inventory.carriers[tensor].name for tensor in repeated], who, place)
    refuse_bad_values(assignments, inventory)
    return assignments


def _are_products(
    decision: Decision, values: Mapping[str, Any], all_bases: Iterable[Mapping[str, float | None]]
) -> bool:
    """Whether the values are what the rules say: the base values by the factors."""
    return all(
        isclose(values[name], base * verdict.mult, rel_tol=1e-12)
        for name, verdict in (("lr", decision.lr), ("weight_decay", decision.weight_decay))
        for base in [bases.get(name) for bases in all_bases]
        if base is not None and verdict.mult is not None and values[name] is not None
    )


def _repeated(names: list[str], who: str, place: Place | None) -> PlanError:
    return PlanError(
        [
            Problem(
                message=f"{who} puts parameters into several groups: {listed(names)}",
                place=place,
                kind=Mistake.TIED,
                parameters=tuple(names),
            )
        ]
    )


class OwnRules:
    """The verdicts of code that decides by itself; parameters with equal ones share them."""

    def __init__(self, who: str, place: Place | None) -> None:
        self._who = who
        self._place = place
        self._known: dict[Any, Verdict] = {}

    def of(
        self, values: Mapping[str, Any], reader: GroupReader, own: Mapping[str, Any] | None
    ) -> tuple[Verdict, Verdict]:
        """The verdicts on the lr and on the weight decay of a group, with its entries if they count."""
        lr, weight_decay = (
            self.verdict(values[name], base) if own is None or name in own else _UNSET
            for name, base in reader.bases.items()
        )
        return lr, weight_decay

    def verdict(self, value: float | None, base: float | None) -> Verdict:
        """The verdict on one value."""
        key = (value, base)
        if key not in self._known:
            self._known[key] = Verdict(
                rule=Rule.CONSTRUCTOR,
                mult=_multiplier(value, base),
                value=value,
                place=self._place,
                constructor=self._who,
            )
        return self._known[key]


_UNSET = Verdict(rule=Rule.DEFAULT)


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
