"""What makes optimizers whose lr depends on the batch."""

from __future__ import annotations

from torch import nn

from optplan.config import Scaling
from optplan.constructors.group_builders import GroupBuilder
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.facts import Inventory
from optplan.planner.builtin_plan import BuildResult
from optplan.planner.scaling import scaled_made


def scaled(maker: GroupBuilder, scaling: Scaling | None) -> GroupBuilder:
    """A maker whose lrs are multiplied afterwards, as the reference's runner does; itself where they are not."""
    return maker if scaling is None else _ScaledBuilder(maker, scaling)


class _ScaledBuilder(GroupBuilder):
    def __init__(self, maker: GroupBuilder, scaling: Scaling) -> None:
        self.name = maker.name
        self.section = maker.section
        self._maker = maker
        self._scaling = scaling

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """As of a maker."""
        return scaled_made(self._maker.plan(model, inventory), self._scaling)

    def build(self, model: nn.Module) -> NamedOptimizers:
        """As of a maker."""
        made = self._maker.build(model)
        factor = self._scaling.factor
        for _, optimizer in made if factor is not None else ():
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * factor
        return made
