"""``auto_scale_lr``: the lr of OpenMMLab's configs as a function of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.config import Batch, Scaling, place_of
from optplan.config.batch import ScalingRule, ScalingSource
from optplan.config.paramwise import described, number_problem
from optplan.errors import ConfigError, Problem


def auto_scaling(data: Mapping[str, Any], batch: Batch, *, before_groups: bool) -> Scaling | None:
    """Return how the lr depends on the batch, None where it is not scaled.

    Args:
        data: The config's top level.
        batch: What is known besides.
        before_groups: The optimizer's own lr is multiplied before groups are made, as mmdet 2 does.

    Raises:
        ConfigError: ``auto_scale_lr`` is wrong, or the lr is to be scaled and it is missing.
    """
    section = data.get("auto_scale_lr")
    is_on = batch.auto_scale_lr or (isinstance(section, Mapping) and bool(section.get("enable")))
    if not is_on:
        return None
    if not isinstance(section, Mapping):
        raise ConfigError(
            "the lr cannot be scaled: the config has no auto_scale_lr",
            hint="write auto_scale_lr = dict(base_batch_size=256)",
        )
    if before_groups and section.get("base_batch_size") is None:
        return None  # mmdet 2 goes on without
    problems = list(_base_problems(data, section))
    size, size_problems = _batch_size(data)
    if batch.size is None:
        problems += size_problems
    if problems:
        raise ConfigError(problems)
    return Scaling(
        source=ScalingSource.AUTO_SCALE_LR,
        rule=ScalingRule.LINEAR,
        base_lr=_own_lr(data) if before_groups else None,
        base_batch=section["base_batch_size"],
        batch_size=batch.size or size,
        accumulation=1,  # the reference counts no accumulative_counts
        world_size=batch.world_size,
        place=place_of(section, "enable") or place_of(data, "auto_scale_lr"),
        before_groups=before_groups,
    )


def _own_lr(data: Mapping[str, Any]) -> float | None:
    """Return the lr that the optimizer section of a config for mmcv 1.x sets; what is none is told where it is read."""
    section = data.get("optimizer")
    found = section.get("lr") if isinstance(section, Mapping) else None
    return found if isinstance(found, int | float) else None


def _base_problems(data: Mapping[str, Any], section: Mapping[str, Any]) -> Iterator[Problem]:
    if section.get("base_batch_size") is None:
        yield Problem(
            message="auto_scale_lr has no base_batch_size",
            place=place_of(data, "auto_scale_lr"),
            hint="write the batch that the lr is meant for: base_batch_size=256",
        )
    elif problem := number_problem(section, "base_batch_size"):
        yield problem
    elif section["base_batch_size"] <= 0:
        yield Problem(
            message=f"base_batch_size must be above 0, got {section['base_batch_size']}",
            place=place_of(section, "base_batch_size"),
        )


def _batch_size(data: Mapping[str, Any]) -> tuple[int | None, list[Problem]]:
    """Return the samples of one process and step, in either generation of the format."""
    loaders = data.get("data")
    own = loaders.get("train_dataloader") if isinstance(loaders, Mapping) else None
    for section, name in (
        (data.get("train_dataloader"), "batch_size"),
        (own, "samples_per_gpu"),
        (loaders, "samples_per_gpu"),
    ):
        if not isinstance(section, Mapping) or section.get(name) is None:
            continue
        size = section[name]
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            return size, []
        problem = Problem(
            message=f"{name} must be a whole number above 0, got {described(size)}",
            place=place_of(section, name),
        )
        return None, [problem]
    return None, []
