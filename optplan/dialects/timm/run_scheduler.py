"""The scheduler of a training script of timm, by its ``args.yaml``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.config import place_of
from optplan.errors import ScheduleError


def timm_scheduler(
    arguments: Mapping[str, Any], optimizer: Optimizer, per_epoch: int | None
) -> tuple[Any, int]:
    """Return what timm's factory makes of the arguments, and how many epochs it says to train.

    Args:
        arguments: The entries of ``args.yaml``; what is missing has timm's own default.
        optimizer: The optimizer.
        per_epoch: How many updates one epoch has, which ``sched_on_updates`` needs.

    Returns:
        The scheduler, None for ``sched: none``; and the number of epochs.
    """
    from timm.scheduler import create_scheduler_v2
    from timm.scheduler.scheduler_factory import scheduler_kwargs

    given = SimpleNamespace(**{str(name): value for name, value in arguments.items()})
    kwargs = scheduler_kwargs(given)
    found: tuple[Any, int] = create_scheduler_v2(
        optimizer, **kwargs, updates_per_epoch=per_epoch or 0
    )
    return found[0], int(found[1])


def timm_epochs(arguments: Mapping[str, Any], per_epoch: int | None) -> int:
    """Return how many epochs timm trains, cycles, cool-down and a warm-up before them among these.

    Raises:
        ScheduleError: timm refuses the arguments.
    """
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return timm_scheduler(arguments, optimizer, per_epoch)[1]
    except Exception as error:  # timm has no error of its own for what is wrong
        text = " ".join(str(error).split()) or type(error).__name__
        raise ScheduleError(
            f"timm refuses its scheduler: {text}", place=place_of(arguments, "sched")
        ) from error
