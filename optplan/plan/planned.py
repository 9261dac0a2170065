"""A plan together with what it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optplan.config import OptimizerConfig
from optplan.facts import Inventory, ParameterFacts
from optplan.plan.plan import Plan, PlannedParameter
from optplan.rules import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with the facts and options behind it, for those that explain or check it.

    Args:
        plan: The plan.
        inventory: The model's parameters.
        section: The config's optimizer section.
        options: The default constructor's options.
    """

    plan: Plan
    inventory: Inventory
    section: OptimizerConfig
    options: Options

    def pairs(self) -> Iterator[tuple[PlannedParameter, ParameterFacts]]:
        """Every row of the plan with its facts."""
        return zip(self.plan.parameters, self.inventory.parameters, strict=True)
