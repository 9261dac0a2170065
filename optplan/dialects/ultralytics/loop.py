"""The training loop of ultralytics' trainer over batches that are never used, for the warm-up that it does itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import torch

from optplan.dialects.ultralytics.build import trainer_of
from optplan.runtime.stdio import suppress_output

_MOVED = ("lr", "momentum")


class _EndOfEpochError(Exception):
    """The batches of an epoch are over."""


class WarmingLoop:
    """A scheduler that is stepped after each batch, and sets what the loop has set before the next one.

    Args:
        data: The file's entries.
        optimizer: The optimizer.
        epochs: How many epochs the training has.
        batches: How many batches an epoch has.
    """

    def __init__(self, data: Mapping[str, Any], optimizer: Any, epochs: int, batches: int) -> None:
        given = {
            **data,
            "batch": 1,
            "close_mosaic": 0,
            "plots": False,
            "amp": False,
            "compile": False,
        }
        with suppress_output():
            self._trainer = trainer_of(given)
            self._trainer.epochs, self._trainer.optimizer = epochs, optimizer
            self._trainer._setup_scheduler()
        self._trainer.train_loader = self._trainer.test_loader = _Batches(batches)
        _leave_out_training(self._trainer, self._note)
        self._groups = optimizer.param_groups
        self._batches = batches
        self._noted: list[list[dict[str, Any]]] = []
        self._batch = -1
        self.step()

    def step(self) -> None:
        """Go on to the next batch."""
        self._batch += 1
        epoch, batch = divmod(self._batch, self._batches)
        if batch == 0 and epoch < self._trainer.epochs:
            self._run(epoch)
        for group, values in zip(self._groups, self._noted[batch], strict=True):
            group.update(values)

    def _run(self, epoch: int) -> None:
        self._noted = []
        self._trainer.start_epoch, self._trainer.scheduler.last_epoch = epoch, epoch - 1
        with (
            suppress_output(),
            patch("ultralytics.engine.trainer.TQDM", _Bar),
            suppress(_EndOfEpochError),
        ):
            self._trainer._do_train()

    def _note(self) -> None:
        self._noted.append(
            [{name: one[name] for name in _MOVED if name in one} for one in self._groups]
        )


class _Batches:
    """A loader of batches of nothing.

    Args:
        length: How many there are.
    """

    num_workers = 0
    dataset = ()

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        nothing = torch.empty(1, 1)
        for _ in range(self._length):
            yield {"img": nothing}
        raise _EndOfEpochError


class _Bar:
    """A progress bar that shows nothing."""

    def __init__(self, batches: Iterable[Any], **_: Any) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self._batches)

    def set_description(self, _: str) -> None:
        pass


class _NoLoss:
    """A loss that is nothing, and what scales it."""

    def sum(self) -> _NoLoss:
        return self

    def scale(self, loss: _NoLoss) -> _NoLoss:
        return loss

    def backward(self) -> None:
        pass


def _leave_out_training(trainer: Any, note: Callable[[], None]) -> None:
    """Put nothing in the place of what trains: the set-up, the model, its loss and the step."""

    def use(batch: Any) -> Any:
        note()
        return batch

    given: dict[str, Any] = {
        "world_size": 1, "accumulate": 1, "amp": False, "device": torch.device("cpu"), "save_dir": "", "plot_idx": [],
        "loss_names": ("loss",), "scaler": _NoLoss(), "stop": False, "model": lambda _: (_NoLoss(), {}),
        "preprocess_batch": use, "_setup_train": _nothing, "_model_train": _nothing, "optimizer_step": _nothing,
        "_get_memory": lambda *_: 0.0,
    }  # fmt: skip
    for name, value in given.items():
        setattr(trainer, name, value)


def _nothing() -> None:
    pass
