"""ultralytics' trainer, as far as it makes the optimizer and its scheduler: no data is read for it."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Any

from torch import nn

from optplan.config.placed import place_of
from optplan.config.trees import plain
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.dialects.ultralytics.entries import IMAGES
from optplan.errors import PlanError
from optplan.model.ultralytics_models import imported_ultralytics
from optplan.runtime.stdio import suppress_output

_AUTO = "auto"


@dataclass(frozen=True, slots=True)
class _Images(Sized):
    """A data set of which only the length is known, and its loader and sampler."""

    length: int
    batch_size: int
    drop_last: bool = False

    @property
    def dataset(self) -> _Images:
        return _Images(self.length, 1)

    sampler = dataset

    def __len__(self) -> int:
        return (self.length + self.batch_size - 1) // self.batch_size


def trainer_of(data: Mapping[str, Any]) -> Any:
    """Return the library's trainer with the arguments of a file, before any set-up.

    Raises:
        PlanError: The library is not installed, or the batch is left to a GPU's memory.
    """
    imported_ultralytics()
    from ultralytics.cfg import DEFAULT_CFG_DICT, get_cfg
    from ultralytics.engine.trainer import BaseTrainer

    trainer = BaseTrainer.__new__(BaseTrainer)
    given = {name: value for name, value in plain(data).items() if name in DEFAULT_CFG_DICT}
    trainer.args = get_cfg(overrides={**given, "device": "cpu"})
    trainer.epochs = trainer.args.epochs
    trainer.batch_size = trainer.args.batch
    trainer.start_epoch = 0
    trainer.callbacks = {}
    if not isinstance(trainer.batch_size, int) or trainer.batch_size < 1:
        raise PlanError(
            "batch is left to the memory of a GPU, and the weight decay is scaled by it",
            place=place_of(data, "batch"),
            hint="give it: --set batch=16",
        )
    return trainer


def optimizers_of(data: Mapping[str, Any], model: nn.Module) -> NamedOptimizers:
    """Return the optimizer that the library's trainer makes of a file for a model.

    Args:
        data: The file's entries.
        model: The model.

    Raises:
        PlanError: As :func:`trainer_of`; the number of images is not known and decides the optimizer.
    """
    images = data.get(IMAGES)
    if str(data.get("optimizer")).lower() == _AUTO and not isinstance(images, int):
        raise PlanError(
            "optimizer 'auto' is MuSGD or AdamW by the number of updates, for which the images of an epoch count",
            place=place_of(data, "optimizer"),
            hint=f"give it: --set {IMAGES}=118287",
        )
    length = images if isinstance(images, int) else 1
    with suppress_output():
        trainer = trainer_of(data)
        trainer.model, trainer.optimizer = model, None
        trainer.world_size, trainer.stride = 1, 32
        classes = getattr(model, "yaml", {}).get("nc", 80)
        trainer.data = {"train": "", trainer.args.split: "", "nc": classes}
        trainer.get_dataloader = lambda *_, batch_size, **__: _Images(length, batch_size)
        trainer._build_train_pipeline()
    return [(None, trainer.optimizer)]


def scheduler_of(data: Mapping[str, Any], optimizer: Any, epochs: int) -> Any:
    """Return the scheduler that the library's trainer makes.

    Args:
        data: The file's entries.
        optimizer: The optimizer.
        epochs: How many epochs the training has.
    """
    with suppress_output():
        trainer = trainer_of({**data, "batch": 1})
        trainer.epochs, trainer.optimizer = epochs, optimizer
        trainer._setup_scheduler()
    return trainer.scheduler
