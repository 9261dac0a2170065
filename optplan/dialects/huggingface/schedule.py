"""The schedulers that the library's trainer makes, and how long it trains."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from optplan.constructors.attached import Attachments, attached_to
from optplan.constructors.returned import Returned, ReturnedScheduler
from optplan.dialects.huggingface.arguments import TrainerArgs
from optplan.dialects.huggingface.trainer import made_trainer
from optplan.errors import UsageError
from optplan.schedule import Training


def trainer_attachments(args: TrainerArgs, model: nn.Module, steps: int) -> Attachments:
    """Return the optimizer and the scheduler of a trainer.

    Args:
        args: Its arguments.
        model: The model, which is left as it is.
        steps: The steps of the optimizer that it trains for.

    Raises:
        PlanError: The library is not installed, or refuses the arguments or the model.
    """

    def make() -> Returned:
        with made_trainer(args, model) as trainer:
            trainer.create_optimizer_and_scheduler(steps)
            scheduler = ReturnedScheduler(scheduler=trainer.lr_scheduler, interval="step")
            return Returned(optimizers=[(None, trainer.optimizer)], schedulers=(scheduler,))

    return attached_to(make, model)


def trainer_training(
    args: TrainerArgs, *, epochs: int | None, iters: int | None, per_epoch: int | None
) -> Training:
    """Return how long a trainer trains, counted in steps of its optimizer.

    Args:
        args: Its arguments.
        epochs, iters: A length that counts instead of theirs.
        per_epoch: The batches of an epoch, which the trainer may add up to fewer steps.

    Raises:
        UsageError: Nobody says how long it trains, or two do.
        PlanError: The library is not installed, or refuses the arguments.
    """
    if epochs is not None and iters is not None:
        raise UsageError("--epochs and --iters: give one of them")
    changed: dict[str, Any] = (
        {} if epochs is None else {"num_train_epochs": epochs, "max_steps": -1}
    )
    if iters is not None:
        changed = {"max_steps": iters}
    with made_trainer(args, nn.Linear(1, 1, device="meta"), changed) as trainer:
        steps: int = trainer.args.max_steps
        if per_epoch is None and steps <= 0:
            raise UsageError(
                "how long is the training? its arguments give epochs, and no max_steps",
                hint="give --iters-per-epoch N, the batches of an epoch, or --iters N",
            )
        if per_epoch is None:
            return Training(by_epoch=False, length=steps)
        _, updates, *_, steps = trainer.set_initial_training_values(
            trainer.args, _loader(per_epoch)
        )
    return Training(by_epoch=False, length=steps, per_epoch=updates)


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
