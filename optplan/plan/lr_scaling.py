"""Hold how the lr of a plan depends on the batch of the training, and where values are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from optplan.plan.codec import Above


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value is written; ``file`` is relative to the entry config's folder."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LrScaling:
    """How the lr depends on the batch of the training.

    Args:
        source: What makes it depend: ``auto_scale_lr`` or ``lr_base``.
        rule: How it grows with the batch: ``linear`` or ``sqrt``.
        base_lr: The lr for the base batch; ``None`` where optimizers have different ones.
        base_batch: The batch that it is meant for.
        batch_size: The samples of one process and step, on average.
        accumulation: How many steps are added up, as far as the trainer counts them.
        world_size: In how many processes it is trained.
        batch: All three multiplied, ``None`` where one is not known.
        factor: What every lr is multiplied by, ``None`` where the batch is not known.
        lr: The base lr with the factor.
        final: The factor is known, and is in every lr of the plan; else they are those of the base batch.
        origin: Where it is switched on.
    """

    source: Annotated[str, ("auto_scale_lr", "lr_base")]
    rule: Annotated[str, ("linear", "sqrt")]
    base_lr: float | None
    base_batch: Annotated[float, Above(0)]
    batch_size: Annotated[float | None, 1]
    accumulation: Annotated[int, 1]
    world_size: Annotated[int | None, 1]
    batch: Annotated[float | None, 1]
    factor: float | None
    lr: float | None
    final: bool
    origin: Origin | None
