"""The batch that timm's ``train.py`` scales the lr by, where the size of batches changes from one to the next.

As timm's ``ScheduledBatchSampler`` averages it: each batch draws one of ``train_img_sizes`` with the batch
size beside it in ``train_batch_sizes``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from optplan.config import Batch
from optplan.config.batch import Scaling, ScalingRule, ScalingSource
from optplan.dialects.timm.arguments import TimmArgs

_EPOCHS = 300
_SPREAD = 0.65
_RANDOM_MIX = 0.1
# The names of optimizers in which train.py looks for a reason to scale by the square root.
_SQRT_NAMES = ("ada", "lamb")


def timm_scaling(args: TimmArgs, batch: Batch) -> Scaling | None:
    """Return how a recipe's lr depends on the batch: it is worked out where ``lr`` is not set, or 0."""
    if args.value("lr"):
        return None
    return Scaling(
        source=ScalingSource.LR_BASE,
        rule=_rule_of(args),
        base_lr=args.value("lr_base"),
        base_batch=args.value("lr_base_size"),
        batch_size=batch.size or _whole(average_batch_size(args.written, args.value("batch_size"))),
        accumulation=max(1, args.value("grad_accum_steps")),
        world_size=batch.world_size,
        place=args.place_of("lr_base") or args.place_of("lr"),
    )


def _whole(size: float) -> float:
    """Return a whole number as such, so that plans of one batch size stay as they are."""
    return int(size) if size == int(size) else size


def _rule_of(args: TimmArgs) -> ScalingRule:
    written = args.value("lr_base_scale")
    if written:
        return ScalingRule(written)
    name = args.value("opt").lower()
    grows_slowly = any(part in name for part in _SQRT_NAMES)
    return ScalingRule.SQRT if grows_slowly else ScalingRule.LINEAR


def average_batch_size(args: Mapping[str, Any], batch_size: int) -> float:
    """Return the samples of one process and step that ``train.py`` works the lr out with.

    Args:
        args: The entries of ``args.yaml``.
        batch_size: ``batch_size``, which holds for every image size without ``train_batch_sizes``.

    Returns:
        ``batch_size`` itself where no image sizes are scheduled, as ``train_batch_sizes`` is then read by nobody.
    """
    images = args.get("train_img_sizes")
    if images is None:
        return batch_size
    sizes: Sequence[float] = args.get("train_batch_sizes") or [batch_size] * len(images)
    weights = _shares(args.get("train_size_probs") or [1.0] * len(sizes))
    if args.get("train_size_schedule") != "progressive":
        return _dot(weights, sizes)
    epochs = args.get("epochs") or _EPOCHS
    means = [_dot(_weights_of(epoch, epochs, weights, args), sizes) for epoch in range(epochs)]
    return sum(means) / epochs


def _weights_of(
    epoch: int, epochs: int, base: Sequence[float], args: Mapping[str, Any]
) -> Sequence[float]:
    """Return how often each size is drawn in an epoch of a progressive schedule."""
    progress = 1.0 if epochs == 1 else epoch / (epochs - 1)
    center = progress * (len(base) - 1)
    weights = [
        near * share for near, share in zip(_nearness(center, len(base), args), base, strict=True)
    ]
    if sum(weights) <= 0:
        active = [index for index, share in enumerate(base) if share > 0]
        nearest = min(active, key=lambda index: abs(index - center))
        weights = [float(index == nearest) for index in range(len(base))]
    mix = args.get("train_size_random_mix", _RANDOM_MIX)
    uniform = _shares([float(share > 0) for share in base])
    mixed = [
        (1.0 - mix) * one + mix * other
        for one, other in zip(_shares(weights), uniform, strict=True)
    ]
    return _shares(mixed)


def _nearness(center: float, count: int, args: Mapping[str, Any]) -> Sequence[float]:
    spread = args.get("train_size_schedule_spread", _SPREAD)
    distances = [abs(index - center) for index in range(count)]
    if spread == 0:
        return [float(one == min(distances)) for one in distances]
    return [exp(-0.5 * (one / spread) ** 2) for one in distances]


def _shares(weights: Sequence[float]) -> Sequence[float]:
    total = sum(weights)
    return [one / total for one in weights]


def _dot(weights: Sequence[float], sizes: Sequence[float]) -> float:
    return sum(weight * size for weight, size in zip(weights, sizes, strict=True))
