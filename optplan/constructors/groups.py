"""The groups of a built-in constructor from facts alone."""

from __future__ import annotations

from dataclasses import dataclass

from optplan.constructors.default import refuse_empty, tied_error
from optplan.facts import Inventory, ParameterFacts
from optplan.rules import Decision, Options, Skipped, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroup:
    """A param group as the constructor makes it: its members and the decision they share."""

    members: tuple[ParameterFacts, ...]
    decision: Decision

    @property
    def verdicts(self) -> tuple[int, int]:
        """Equal for groups with equal entries, but for their names: all parameters that a rule decides
        share its verdict."""
        return id(self.decision.lr), id(self.decision.weight_decay)


def default_groups(inventory: Inventory, options: Options) -> list[PlannedGroup]:
    """The groups of a built-in constructor, in its order.

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
            groups.append(PlannedGroup(members=(facts,), decision=decision))
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
        return [PlannedGroup(members=members, decision=groups[0].decision)]
    return groups
