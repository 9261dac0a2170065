"""Plan and build the optimizers that a function makes."""

from __future__ import annotations

from torch import nn

from optplan.config import OptimizerConfig
from optplan.constructors.group_builders import GroupBuilder, planned_optimizers
from optplan.constructors.observed_groups import observe
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.constructors.rule_attribution import GroupMaker, attribute, empty_groups
from optplan.dialects.function.run import FunctionRun
from optplan.facts import Inventory
from optplan.planner.builtin_plan import BuildResult


class FunctionBuilder(GroupBuilder):
    """A function of the user's own.

    Args:
        name: What the plan calls it.
        run: Gives the optimizers that it makes of a model.
        section: The optimizer that its groups are for.
    """

    def __init__(self, name: str, run: FunctionRun, section: OptimizerConfig) -> None:
        self.name = name
        self.section = section
        self._run = run

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Run the function on the model, and plan what it made."""
        run = self._run
        observation = observe(model, inventory, run, run.place)
        return BuildResult(
            assignments=attribute(
                observation,
                inventory,
                GroupMaker(who=self.name, place=run.place, leaves_unset=True),
            ),
            optimizers=planned_optimizers(observation, self.section, is_written=False),
            trainable=observation.trainable,
            read=frozenset(),
            needs_world_size=run.world_size.is_missed,
            empty_groups=empty_groups(observation),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Run the function on the model."""
        return self._run(model)
