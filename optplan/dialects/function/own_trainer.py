"""Trainers of the user's own: a function that returns one, or a subclass of transformers' ``Trainer``."""

from __future__ import annotations

import tempfile
from typing import Any


def is_trainer_class(found: object) -> bool:
    """Return whether something is a class of transformers' trainers."""
    return isinstance(found, type) and any(
        base.__name__ == "Trainer" and base.__module__.startswith("transformers.")
        for base in found.__mro__
    )


class TrainerFunction:
    """A class of trainers, as a function that makes one of a model.

    Args:
        kind: The class, whose ``__init__`` takes ``model`` and ``args``.
    """

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __call__(self, model: Any, **arguments: Any) -> Any:
        """Return a trainer with these ``TrainingArguments``, in a folder that is removed at once."""
        from transformers import TrainingArguments

        with tempfile.TemporaryDirectory() as folder:
            surroundings = {"output_dir": folder, "report_to": "none", "use_cpu": True}
            return self._kind(model=model, args=TrainingArguments(**{**surroundings, **arguments}))


def made_by_trainer(made: Any, steps: int | None) -> Any:
    """Return the optimizer and the scheduler that a trainer makes; anything else as it is.

    Args:
        made: What a function returned.
        steps: The steps of the training; where nobody says them, those of the trainer's arguments.
    """
    if not is_trainer_class(type(made)):
        return made
    optimizer = made.create_optimizer() or made.optimizer
    steps = steps or made.args.max_steps
    if steps <= 0:
        return made.optimizer or optimizer
    made.create_scheduler(num_training_steps=steps, optimizer=made.optimizer)
    scheduler = {"scheduler": made.lr_scheduler, "interval": "step"}
    return {"optimizer": made.optimizer, "lr_scheduler": scheduler}
