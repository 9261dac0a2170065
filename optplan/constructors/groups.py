"""The default constructor's groups from facts alone."""

from __future__ import annotations

from dataclasses import dataclass

from optplan.constructors.default import refuse_empty
from optplan.errors import PlanError, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.rules import Decision, Options, Skipped, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroup:
    """A param group as the constructor makes it: its members and the decision they share."""

    members: tuple[ParameterFacts, ...]
    decision: Decision

    @property
    def verdicts(self) -> tuple[int, int]:
        """Equal for groups with equal entries: all parameters that a rule decides share its verdict."""
        return id(self.decision.lr), id(self.decision.weight_decay)


def default_groups(inventory: Inventory, options: Options) -> list[PlannedGroup]:
    """The default constructor's groups, in its order.

    Raises:
        PlanError: Tied parameters in several groups, or nothing to optimize.
    """
    groups: list[PlannedGroup] = []
    first_names: dict[int, str] = {}
    repeated: list[str] = []
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
            repeated.append(f"{facts.name} (= {first_names[facts.tensor]})")
    if repeated:
        raise PlanError(
            f"tied parameters would be in several groups, which torch refuses: {listed(repeated)}",
            hint="set bypass_duplicate=True in paramwise_cfg",
        )
    refuse_empty(groups, has_parameters=True)
    if options.is_empty:
        members = tuple(group.members[0] for group in groups)
        return [PlannedGroup(members=members, decision=groups[0].decision)]
    return groups
