"""Plan and build the optimizers that a function makes."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from optplan.config import OptimizerConfig
from optplan.constructors.library_builder import LibraryBuilder
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.dialects.function.run import FunctionRun
from optplan.facts import Inventory
from optplan.planner.builtin_plan import BuildResult


class FunctionBuilder(LibraryBuilder):
    """A function of the user's own, which says itself what it cannot do.

    Args:
        name: What the plan calls it.
        run: Gives the optimizers that it makes of a model.
        section: The optimizer that its groups are for.
    """

    def __init__(self, name: str, run: FunctionRun, section: OptimizerConfig) -> None:
        super().__init__(name, section, run, run.place)
        self._run = run

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Run the function on the model, and plan what it made."""
        result = super().plan(model, inventory)
        return replace(result, needs_world_size=self._run.world_size.is_missed)

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Run the function on the model."""
        return self._run(model)
