"""Find what of a trainer's arguments may move the lr or end the training, and is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from optplan.config import place_of
from optplan.schedule.unread import Unread

# Callbacks of the library that change the lr, the groups, or how many batches a step takes.
_MOVING = frozenset(
    {
        "StochasticWeightAveraging", "GradientAccumulationScheduler", "LearningRateFinder",
        "BackboneFinetuning", "BaseFinetuning",
    }
)  # fmt: skip
# Those that only note it.
_NOTING = frozenset({"LearningRateMonitor"})
_MOVES = re.compile(
    r"lr|learning_?rate|schedul|warm_?up|weight_?decay|fine_?tun|(un)?freez", re.IGNORECASE
)


def unread_of_trainer(trainer: Mapping[str, Any]) -> Iterator[Unread]:
    """Yield it, each with its place."""
    if trainer.get("max_time") is not None:
        yield _unread("trainer.max_time, which may end the training earlier", trainer, "max_time")
    steps = "accumulate_grad_batches"
    if "deepspeed" in str(trainer.get("strategy")) and trainer.get(steps) not in (None, 1):
        yield _unread(f"trainer.{steps}, which DeepSpeed counts itself", trainer, steps)
    callbacks = trainer.get("callbacks")
    for index, one in enumerate(callbacks) if isinstance(callbacks, list | tuple) else ():
        path = one.get("class_path") if isinstance(one, Mapping) else one
        name = str(path).rpartition(".")[2]
        if name in _MOVING or (name not in _NOTING and _MOVES.search(name)):
            yield _unread(f"trainer.callbacks[{index}] {name}", callbacks, index)


def _unread(name: str, container: Any, key: Any) -> Unread:
    from optplan.config.trees import plain

    return Unread(name=name, place=place_of(container, key), written=plain(container[key]))
