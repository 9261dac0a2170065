"""The schedulers of a config, for the checks that judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optplan.errors import OptplanError
from optplan.schedule.parsing import parsed
from optplan.schedule.reading import Written, find_schedulers
from optplan.schedule.specs import AnySpec, Spec
from optplan.schedule.training import Training, find_training

if TYPE_CHECKING:
    from optplan.checks.base import Context

# An epoch has at least so many iterations; what is counted in iterations takes half of a training at most.
_LEAST_PER_EPOCH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedulers:
    """What a config says of its schedulers.

    How many iterations an epoch has stands in no config: a number is assumed, on which nothing that is
    reported may depend.

    Args:
        specs: The schedulers that are not wrong, with how the config is to be quoted for each.
        training: How long the training is.
    """

    specs: tuple[tuple[AnySpec, str], ...]
    training: Training

    def limit(self, spec: Spec) -> float | None:
        """How many ticks a scheduler makes in the training; None where that is not known."""
        if spec.by_epoch:
            return self.training.epochs
        if self.training.by_epoch and not spec.converted:
            return None
        return self.training.iterations

    def shown(self, spec: Spec, tick: float) -> str:
        """A tick in what the config counts."""
        return f"{tick / (self.training.per_epoch or 1) if spec.converted else tick:g}"

    def length(self, spec: Spec, limit: float) -> str:
        """How long the training is, in what the config counts: ``80 epochs``."""
        count = self.shown(spec, limit)
        unit = "epoch" if spec.by_epoch or spec.converted else "iteration"
        return f"{count} {unit}{'' if count == '1' else 's'}"


def schedulers_of(data: Mapping[str, Any]) -> Schedulers | None:
    """The schedulers of a config; None where it has none, or no length is known."""
    try:
        section = find_schedulers(data)
        training = find_training(data)
    except OptplanError:
        return None  # `optplan schedule` tells what is wrong with them
    written = {f"param_scheduler[{place}]": one for place, one in enumerate(section.shared)}
    for name, own in section.own.items():
        written |= {f"param_scheduler.{name}[{place}]": one for place, one in enumerate(own)}
    training = Training(
        by_epoch=training.by_epoch,
        length=training.length,
        per_epoch=_per_epoch(list(written.values()), training),
    )
    found = []
    for path, one in written.items():
        try:
            found.append((parsed(one, training), path))
        except OptplanError:
            continue
    return Schedulers(specs=tuple(found), training=training) if found else None


def _per_epoch(written: list[Written], training: Training) -> int:
    """A number of iterations that leaves room for all that is counted in iterations."""
    counted = [
        value
        for one in written
        if not one.raw.get("by_epoch", True)
        for name in ("begin", "end")
        if isinstance(value := one.raw.get(name), int)
    ]
    return max(_LEAST_PER_EPOCH, 2 * max(counted, default=0) // training.epochs)


def groups_of(context: Context) -> list[Mapping[str, Any]]:
    """What the groups hold at step 0: those of the plan, else one of the base values."""
    if context.schedule is not None:
        return [track.entries for track in context.schedule.tracks]
    if context.section is None or context.has_model:
        return []
    return [
        {name: v for name, v in context.section.optimizer.items() if isinstance(v, int | float)}
    ]
