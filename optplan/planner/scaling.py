"""Scale the lr to what a training really uses, where that depends on its batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from optplan.config import OptimizerConfig, Scaling
from optplan.config.placed import placed_dict
from optplan.errors import PlanError
from optplan.plan import Assignment, LrScaling, PlannedOptimizer, origin_of
from optplan.planner.builtin_plan import BuildResult


def scaled_made(made: BuildResult, scaling: Scaling | None) -> BuildResult:
    """Return what was made, with the lrs multiplied as the reference's runner does; as it is without scaling.

    Raises:
        PlanError: A product is too large for a number.
    """
    if scaling is None:
        return made
    if scaling.before_groups:
        return _scaled_before(made, scaling)
    scaled = _times(made.assignments, scaling.factor)
    if any(one.lr is not None and math.isinf(one.lr) for one in scaled.values()):
        message = f"the lr times {scaling.factor:g}, for the batch, is too large for a number"
        raise PlanError(message, place=scaling.place)
    return replace(
        made,
        assignments=scaled,
        empty_groups=tuple(
            replace(group, lr=group.lr * scaling.factor)
            if group.lr is not None and scaling.factor is not None
            else group
            for group in made.empty_groups
        ),
        lr_scaling=lr_scaling(scaling, made.optimizers),
    )


def scaled_section(section: OptimizerConfig, scaling: Scaling | None) -> OptimizerConfig:
    """Return a section with its lr multiplied, where groups are made of the product.

    Raises:
        PlanError: It sets no lr, or the product is too large for a number.
    """
    if scaling is None or not scaling.before_groups or scaling.factor is None:
        return section
    lr = section.base_lr
    if lr is None or math.isinf(lr * scaling.factor):
        problem = "and the optimizer sets none" if lr is None else "which is too large for a number"
        raise PlanError(
            f"the lr is multiplied by {scaling.factor:g}, for the batch, {problem}",
            place=scaling.place,
        )
    entries = [*section.optimizer.items(), ("lr", lr * scaling.factor)]
    places = getattr(section.optimizer, "raw_places", {})
    return replace(section, optimizer=placed_dict(entries, places))


def _scaled_before(made: BuildResult, scaling: Scaling) -> BuildResult:
    """Return what was made of a scaled section; its optimizers are shown with the lr that is written."""
    lr = scaling.base_lr
    optimizers = made.optimizers
    if scaling.factor is not None:
        optimizers = [replace(one, lr=lr) for one in made.optimizers]
    return replace(made, optimizers=optimizers, lr_scaling=lr_scaling(scaling, optimizers))


def _times(assignments: Mapping[int, Assignment], factor: float | None) -> Mapping[int, Assignment]:
    """Return the assignments with their lrs multiplied; those that tensors share stay shared."""
    if factor is None:
        return assignments
    known: dict[int, Assignment] = {}
    result = {}
    for tensor, one in assignments.items():
        if id(one) not in known:
            known[id(one)] = one._replace(
                lr=None if one.lr is None else one.lr * factor,
                effective_lr=None if one.effective_lr is None else one.effective_lr * factor,
            )
        result[tensor] = known[id(one)]
    return result


def lr_scaling(scaling: Scaling, optimizers: Sequence[PlannedOptimizer]) -> LrScaling:
    """Return the plan's record of how its lr depends on the batch."""
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
