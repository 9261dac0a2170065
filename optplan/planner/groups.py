"""Make the groups of a built-in constructor, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from optplan.errors import PlanError, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.names import ProblemKind
from optplan.rules import BYPASS, Decision, Options, RuleSet, Skipped, decide


class PlannedGroup(NamedTuple):
    """A param group as the constructor makes it.

    Args:
        members: Its members.
        decision: The decision that they share.
        verdicts: Equal for groups with equal entries, but for their names: all parameters that a rule
            decides share its verdict.
    """

    members: tuple[ParameterFacts, ...]
    decision: Decision
    verdicts: tuple[int, int]


def default_groups(inventory: Inventory, options: Options) -> list[PlannedGroup]:
    """Return the groups of a built-in constructor, in its order.

    Args:
        inventory: The model's parameters, with their layers where the rules ask for them.
        options: The constructor's options.

    Raises:
        PlanError: Tied parameters in several groups, or nothing to optimize.
    """
    groups: list[PlannedGroup] = []
    first_names: dict[int, str] = {}
    repeated: list[tuple[str, int]] = []
    for facts in inventory.parameters:
        if not facts.visited:
            continue
        decision = decide(facts, options, in_group=facts.tensor in first_names)
        if isinstance(decision, Skipped):
            continue
        if facts.tensor not in first_names:
            first_names[facts.tensor] = facts.name
            groups.append(_group((facts,), decision))
        elif not options.is_empty:
            repeated.append((facts.name, facts.tensor))
    if repeated:
        raise tied_error(
            [f"{name} (= {first_names[tensor]})" for name, tensor in repeated],
            tuple(name for name, _ in repeated),
            options.rules,
        )
    refuse_empty(groups, has_parameters=True)
    if options.is_empty:
        members = tuple(group.members[0] for group in groups)
        return [_group(members, groups[0].decision)]
    return groups


def _group(members: tuple[ParameterFacts, ...], decision: Decision) -> PlannedGroup:
    return PlannedGroup(members, decision, (id(decision.lr), id(decision.weight_decay)))


def tied_error(descriptions: Sequence[str], names: tuple[str, ...], rules: RuleSet) -> PlanError:
    """Return what to say of tensors that would be in several groups."""
    return PlanError(
        f"tied parameters would be in several groups, which torch refuses: {listed(descriptions)}",
        hint=f"set {BYPASS}=True in paramwise_cfg"
        if BYPASS in rules.options
        else f"{rules.constructor} takes each name as a parameter of its own",
        kind=ProblemKind.TIED,
        parameters=names,
    )


def refuse_empty(parameters: list[Any], *, has_parameters: bool) -> None:
    """Refuse an optimizer without parameters: torch takes no empty list.

    Raises:
        PlanError: There is nothing to optimize.
    """
    if not parameters:
        raise PlanError(
            "every parameter is frozen, the optimizer would get none"
            if has_parameters
            else "the model has no parameters for the optimizer"
        )
