"""How the lr of a config depends on the batch that it is trained with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from optplan.config.generation import is_mmcv1
from optplan.config.loading import Config
from optplan.config.paramwise import described, number_problem
from optplan.config.placed import place_of
from optplan.config.timm_args import TimmArgs, is_timm_args, read_timm_args
from optplan.config.timm_batches import average_batch_size
from optplan.errors import ConfigError, Problem
from optplan.places import Place

# The names of optimizers in which timm's train.py looks for a reason to scale by the square root.
_SQRT_NAMES = ("ada", "lamb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is known of the training besides its config.

    Args:
        world_size: In how many processes it runs.
        size: The samples of one process and step, instead of what the config says.
        auto_scale_lr: Scale the lr by the batch, though the config does not switch that on.
    """

    world_size: int | None = None
    size: int | None = None
    auto_scale_lr: bool = False


NO_BATCH = Batch()


class ScalingSource(StrEnum):
    """What makes the lr depend on the batch."""

    AUTO_SCALE_LR = "auto_scale_lr"
    LR_BASE = "lr_base"


class ScalingRule(StrEnum):
    """How the lr grows with the batch."""

    LINEAR = "linear"
    SQRT = "sqrt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The lr of a config as a function of its batch.

    Args:
        source: What makes it one.
        rule: How it grows.
        base_lr: The lr of the base batch, where one value stands for all groups.
        base_batch: The batch that the config's lr is meant for.
        batch_size: The samples of one process and step, on average; None where neither the config nor the user says.
        accumulation: How many steps are added up, as far as the reference counts them.
        world_size: In how many processes it is trained, None where that is not known.
        place: Where it is switched on.
        before_groups: The optimizer's own lr is multiplied before groups are made of it, as trainers for
            mmcv 1.x do; else that of each group is.
    """

    source: ScalingSource
    rule: ScalingRule
    base_lr: float | None
    base_batch: float
    batch_size: float | None
    accumulation: int
    world_size: int | None
    place: Place | None
    before_groups: bool = False

    @property
    def batch(self) -> float | None:
        """The samples of all processes for one update; None where that is not known."""
        if self.batch_size is None or self.world_size is None:
            return None
        return self.batch_size * self.world_size * self.accumulation

    @property
    def factor(self) -> float | None:
        """What the lr is multiplied by, None where the batch is not known."""
        if self.batch is None:
            return None
        ratio = float(self.batch) / float(self.base_batch)
        return ratio**0.5 if self.rule is ScalingRule.SQRT else ratio

    @property
    def missing(self) -> str:
        """What has to be known for a factor, '' for nothing."""
        missing = [
            word
            for word, value in (
                ("world size", self.world_size),
                ("batch size", self.batch_size),
            )
            if value is None
        ]
        return " and the ".join(missing)


def find_scaling(config: Config | Mapping[str, Any], batch: Batch = NO_BATCH) -> Scaling | None:
    """How a config's lr depends on the batch, None where it does not.

    Args:
        config: A loaded config or a dict.
        batch: What is known besides.

    Raises:
        ConfigError: The config says it wrongly, or the lr is to be scaled and the config has no base batch.
    """
    data = config.data if isinstance(config, Config) else config
    if is_timm_args(data):
        if batch.auto_scale_lr:
            raise ConfigError(
                "--auto-scale-lr is for configs with auto_scale_lr, and this is a recipe of timm"
            )
        return _finite(timm_scaling(read_timm_args(data), batch))
    return _finite(_auto_scaling(data, batch))


def _finite(scaling: Scaling | None) -> Scaling | None:
    """Return the scaling.

    Raises:
        ConfigError: Its factor is too large or too small for a number.
    """
    if scaling is None:
        return None
    try:
        if scaling.factor is None or 0 < scaling.factor < math.inf:
            return scaling
    except OverflowError:
        pass
    raise ConfigError(
        "the lr cannot be scaled: the batch divided by the base batch is no finite number above 0",
        place=scaling.place,
        hint="correct the base batch, the batch size or the world size",
    )


def timm_scaling(args: TimmArgs, batch: Batch = NO_BATCH) -> Scaling | None:
    """How a recipe's lr depends on the batch: ``train.py`` works it out where ``lr`` is not set, or 0."""
    if args.value("lr"):
        return None
    return Scaling(
        source=ScalingSource.LR_BASE,
        rule=_timm_rule(args),
        base_lr=args.value("lr_base"),
        base_batch=args.value("lr_base_size"),
        batch_size=batch.size or _whole(average_batch_size(args.written, args.value("batch_size"))),
        accumulation=max(1, args.value("grad_accum_steps")),
        world_size=batch.world_size,
        place=args.place_of("lr_base") or args.place_of("lr"),
    )


def _whole(size: float) -> float:
    """A whole number as such, so that plans of one batch size stay as they are."""
    return int(size) if size == int(size) else size


def _timm_rule(args: TimmArgs) -> ScalingRule:
    written = args.value("lr_base_scale")
    if written:
        return ScalingRule(written)
    name = args.value("opt").lower()
    grows_slowly = any(part in name for part in _SQRT_NAMES)
    return ScalingRule.SQRT if grows_slowly else ScalingRule.LINEAR


def _auto_scaling(data: Mapping[str, Any], batch: Batch) -> Scaling | None:
    section = data.get("auto_scale_lr")
    is_on = batch.auto_scale_lr or (isinstance(section, Mapping) and bool(section.get("enable")))
    if not is_on:
        return None
    if not isinstance(section, Mapping):
        raise ConfigError(
            "the lr cannot be scaled: the config has no auto_scale_lr",
            hint="write auto_scale_lr = dict(base_batch_size=256)",
        )
    is_older = is_mmcv1(data)
    if is_older and section.get("base_batch_size") is None:
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
        base_lr=_own_lr(data) if is_older else None,
        base_batch=section["base_batch_size"],
        batch_size=batch.size or size,
        accumulation=1,  # the reference counts no accumulative_counts
        world_size=batch.world_size,
        place=place_of(section, "enable") or place_of(data, "auto_scale_lr"),
        before_groups=is_older,
    )


def _own_lr(data: Mapping[str, Any]) -> float | None:
    """The lr that the optimizer section of a config for mmcv 1.x sets; what is none is told where it is read."""
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
    """The samples of one process and step, in either generation of the format."""
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
