"""How the lr of a config depends on the batch that it is trained with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from optplan.errors import ConfigError
from optplan.places import Place


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
    """

    source: ScalingSource
    rule: ScalingRule
    base_lr: float | None
    base_batch: float
    batch_size: float | None
    accumulation: int
    world_size: int | None
    place: Place | None

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


def finite(scaling: Scaling | None) -> Scaling | None:
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
