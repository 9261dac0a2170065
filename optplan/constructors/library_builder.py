"""Plan and build the optimizers that a trainer's own code makes when it is run on the model."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from optplan.config import OptimizerConfig
from optplan.constructors.group_builders import GroupBuilder, planned_optimizers
from optplan.constructors.observed_groups import observe, others_code
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.constructors.rule_attribution import GroupMaker, attribute, empty_groups
from optplan.facts import Inventory
from optplan.places import Place
from optplan.planner.builtin_plan import BuildResult


class LibraryBuilder(GroupBuilder):
    """Plans and builds what a library's own code makes.

    Args:
        name: What the plan calls it.
        section: What it was read from.
        make: Gives the optimizers of a model.
        place: Where the file asks for them.
    """

    def __init__(
        self,
        name: str,
        section: OptimizerConfig,
        make: Callable[[nn.Module], NamedOptimizers],
        place: Place | None,
    ) -> None:
        self.name = name
        self.section = section
        self._make = make
        self._place = place

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Run the library's code on the model, and plan what it made."""
        observation = observe(model, inventory, self.build, self._place)
        return BuildResult(
            assignments=attribute(
                observation,
                inventory,
                GroupMaker(who=self.name, place=self._place, leaves_unset=True),
            ),
            optimizers=planned_optimizers(observation, self.section, is_written=False),
            trainable=observation.trainable,
            read=frozenset(),
            empty_groups=empty_groups(observation),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Run the library's code on the model."""
        with others_code(self.name, self._place):
            return self._make(model)
