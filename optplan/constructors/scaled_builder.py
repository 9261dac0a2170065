"""Build optimizers whose lr is multiplied by a factor of the batch, around any other builder."""

from __future__ import annotations

from torch import nn

from optplan.config import Scaling
from optplan.constructors.group_builders import GroupBuilder
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.facts import Inventory
from optplan.planner.builtin_plan import BuildResult
from optplan.planner.scaling import scaled_made


def scaled(builder: GroupBuilder, scaling: Scaling | None) -> GroupBuilder:
    """Return a builder whose lrs are multiplied as the trainer does; the builder itself where they are not.

    Args:
        builder: The builder, of a scaled section where the lr is multiplied before groups are made.
        scaling: How the lr depends on the batch.
    """
    return builder if scaling is None else _ScaledBuilder(builder, scaling)


class _ScaledBuilder(GroupBuilder):
    def __init__(self, builder: GroupBuilder, scaling: Scaling) -> None:
        self.name = builder.name
        self.section = builder.section
        self._builder = builder
        self._scaling = scaling

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Plan as the inner builder, and multiply the planned lrs."""
        return scaled_made(self._builder.plan(model, inventory), self._scaling)

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Build as the inner builder, and multiply the lr of each group."""
        made = self._builder.build(model)
        factor = None if self._scaling.before_groups else self._scaling.factor
        for _, optimizer in made if factor is not None else ():
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * factor
        return made
