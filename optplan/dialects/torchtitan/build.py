"""torchtitan's own containers of optimizers and schedulers, on a model that is on the meta device."""

from __future__ import annotations

from typing import Any

from torch import nn

from optplan.constructors.returned_optimizers import NamedOptimizers, ReturnedScheduler
from optplan.dialects.attachments import Attached, Attachments
from optplan.runtime.stdio import suppress_output


def optimizers_of(training: Any, model: nn.Module) -> NamedOptimizers:
    """Return the optimizers that the library's container makes of a model.

    Args:
        training: The library's config of a training.
        model: The model.
    """
    with suppress_output():
        return [(None, one) for one in training.optimizer.build(model_parts=[model])]


def attachments_of(training: Any, model: nn.Module, steps: int | None) -> Attachments:
    """Return the container's optimizers with their schedulers, which are stepped after each update.

    Args:
        training: The library's config of a training.
        model: The model.
        steps: How many steps the training has; None for the config's.
    """
    with suppress_output():
        optimizers = training.optimizer.build(model_parts=[model])
        schedulers = training.lr_scheduler.build(
            optimizers=optimizers, training_steps=steps or training.training.steps
        )
    said = (ReturnedScheduler(scheduler=one, interval="step") for one in schedulers)
    return Attachments(
        optimizers=tuple(optimizers),
        schedulers=tuple(
            Attached(said=one, optimizer=place, is_timms=False) for place, one in enumerate(said)
        ),
        unread=(),
    )
