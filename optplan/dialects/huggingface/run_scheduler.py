"""The scheduler that the library's trainer makes, and how long it trains."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from optplan.dialects.huggingface.arguments import TrainerArgs
from optplan.dialects.huggingface.trainer import made_trainer
from optplan.errors import UsageError
from optplan.schedule import Training


def trainer_scheduler(args: TrainerArgs, optimizer: Any, training: Training) -> Any:
    """Return the scheduler of a trainer for an optimizer.

    Args:
        args: Its arguments.
        optimizer: The optimizer.
        training: How long it trains, which takes a count of steps.

    Raises:
        PlanError: The library is not installed, or refuses the arguments.
        UsageError: The steps are not known.
    """
    if training.iterations is None:
        raise UsageError(
            "how many steps has the training?", hint="give --iters-per-epoch N or --iters N"
        )
    with made_trainer(args, _no_model()) as trainer:
        return trainer.create_scheduler(training.iterations, optimizer)


def trainer_training(
    args: TrainerArgs, *, epochs: int | None, per_epoch: int | None
) -> Training | None:
    """Return how long a trainer trains, counted in steps of its optimizer; None where its arguments say it.

    Args:
        args: Its arguments.
        epochs: The epochs that count instead of theirs.
        per_epoch: The batches of an epoch, which the trainer may add up to fewer steps.

    Raises:
        UsageError: Nobody says how many steps an epoch has.
        PlanError: The library is not installed, or refuses the arguments.
    """
    if per_epoch is None:
        if epochs is None:
            return None
        raise UsageError(
            "how many steps has an epoch?",
            hint="give --iters-per-epoch N, the batches of an epoch, or --iters N",
        )
    changed = {} if epochs is None else {"num_train_epochs": epochs, "max_steps": -1}
    with made_trainer(args, _no_model(), changed) as trainer:
        found = trainer.set_initial_training_values(trainer.args, _loader(per_epoch))
        _, updates, *_, steps = found
    return Training(by_epoch=False, length=steps, per_epoch=updates)


def _no_model() -> nn.Module:
    return nn.Linear(1, 1, device="meta")


@dataclass(frozen=True, slots=True)
class _Samples(Sized):
    """A data set of which only the length is known."""

    length: int

    def __len__(self) -> int:
        return self.length


def _loader(batches: int) -> Any:
    """Return a loader of so many batches, which is never iterated."""
    samples: Any = _Samples(batches)
    return torch.utils.data.DataLoader(samples, batch_size=1)
