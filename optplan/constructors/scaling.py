"""The lr that a training really uses, where that depends on its batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from optplan.config import Scaling
from optplan.constructors.makers import Made, Maker
from optplan.constructors.observing import NamedOptimizers
from optplan.facts import Inventory
from optplan.plan import Assignment, LrScaling, PlannedOptimizer, origin_of


def scaled(maker: Maker, scaling: Scaling | None) -> Maker:
    """A maker whose lrs are multiplied afterwards, as the reference's runner does; itself where they are not."""
    return maker if scaling is None else _ScaledMaker(maker, scaling)


class _ScaledMaker(Maker):
    def __init__(self, maker: Maker, scaling: Scaling) -> None:
        self.name = maker.name
        self.section = maker.section
        self._maker = maker
        self._scaling = scaling

    def plan(self, model: nn.Module, inventory: Inventory) -> Made:
        """As of a maker."""
        made = self._maker.plan(model, inventory)
        return replace(
            made,
            assignments=_times(made.assignments, self._scaling.factor),
            lr_scaling=lr_scaling(self._scaling, made.optimizers),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """As of a maker."""
        made = self._maker.build(model)
        factor = self._scaling.factor
        for _, optimizer in made if factor is not None else ():
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * factor
        return made


def _times(assignments: Mapping[int, Assignment], factor: float | None) -> Mapping[int, Assignment]:
    """The assignments with their lrs multiplied; those that tensors share stay shared."""
    if factor is None:
        return assignments
    known: dict[int, Assignment] = {}
    result = {}
    for tensor, one in assignments.items():
        if id(one) not in known:
            known[id(one)] = replace(
                one,
                lr=None if one.lr is None else one.lr * factor,
                effective_lr=None if one.effective_lr is None else one.effective_lr * factor,
            )
        result[tensor] = known[id(one)]
    return result


def lr_scaling(scaling: Scaling, optimizers: Sequence[PlannedOptimizer]) -> LrScaling:
    """The plan's record of how its lr depends on the batch."""
    base = scaling.base_lr
    if base is None and len(optimizers) == 1:
        base = optimizers[0].lr
    factor = scaling.factor
    return LrScaling(
        source=scaling.source.value,
        rule=scaling.rule.value,
        base_lr=base,
        base_batch=scaling.base_batch,
        batch_size=scaling.batch_size,
        accumulation=scaling.accumulation,
        world_size=scaling.world_size,
        batch=scaling.batch,
        factor=factor,
        lr=None if base is None or factor is None else base * factor,
        final=factor is not None,
        origin=origin_of(scaling.place),
    )
