"""Find the groups, schedulers, names and progress in a checkpoint of any format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from optplan.checkpoints.dcp import read_dcp
from optplan.checkpoints.huggingface import read_folder
from optplan.checkpoints.recognition import Layout, layout_of
from optplan.checkpoints.saved_entries import key_text, saved_optimizers
from optplan.checkpoints.saved_schedulers import saved_schedulers
from optplan.checkpoints.torch_files import load_checkpoint
from optplan.plan.saved_groups import SavedTraining, Shape, is_number

Data = Mapping[Any, Any]
_READERS: Mapping[Layout, Callable[[str], Any]] = {
    Layout.TORCH_FILE: load_checkpoint,
    Layout.HUGGING_FACE: read_folder,
    Layout.DCP: read_dcp,
}
_MODELS = ("state_dict", "model", "model_state_dict")
# Where trainers note how far they are, and what each calls it.
_PROGRESS_HOMES = (None, "meta", "trainer_state", "train_state")
_PROGRESS = {"epoch": "epoch", "iter": "iteration", "global_step": "step", "step": "step"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainerLayout:
    """A trainer, and how it loads a checkpoint.

    Args:
        title: What it is called.
        wrote: Whether it wrote this.
        needs_all, refuses_more, is_by_name: As in ``SavedTraining``.
    """

    title: str
    wrote: Callable[[Layout, Data], bool]
    needs_all: bool = False
    refuses_more: bool = False
    is_by_name: bool = False


def _has_meta(entry: str, data: Data) -> bool:
    meta = data.get("meta")
    return isinstance(meta, Mapping) and entry in meta


# The first that wrote a checkpoint; the last one wrote any.
_TRAINERS = (
    _TrainerLayout(
        title="torchtitan",
        wrote=lambda layout, data: layout is Layout.DCP and "train_state" in data,
        needs_all=True,
        is_by_name=True,
    ),
    _TrainerLayout(
        title="torch.distributed.checkpoint",
        wrote=lambda layout, _: layout is Layout.DCP,
        needs_all=True,
        is_by_name=True,
    ),
    _TrainerLayout(title="Hugging Face", wrote=lambda layout, _: layout is Layout.HUGGING_FACE),
    _TrainerLayout(
        title="Lightning",
        wrote=lambda _, data: "pytorch-lightning_version" in data,
        needs_all=True,
        refuses_more=True,
    ),
    _TrainerLayout(title="MMEngine", wrote=lambda _, data: _has_meta("mmengine_version", data)),
    _TrainerLayout(title="mmcv 1.x", wrote=lambda _, data: _has_meta("mmcv_version", data)),
    _TrainerLayout(
        title="timm",
        wrote=lambda _, data: {"state_dict", "epoch", "version"} <= data.keys(),
        needs_all=True,
        refuses_more=True,
    ),
    _TrainerLayout(title="torch", wrote=lambda *_: True),
)


def read_training(path: str) -> SavedTraining:
    """Return what a checkpoint holds of a training.

    Args:
        path: A file or a folder.

    Raises:
        PlanError: It cannot be read, or has no optimizer state.
    """
    layout = layout_of(Path(path)) or Layout.TORCH_FILE
    data = _READERS[layout](path)
    optimizers = saved_optimizers(data, path)
    found: Data = data if isinstance(data, Mapping) else {}
    trainer = next(one for one in _TRAINERS if one.wrote(layout, found))
    names = [
        name for groups in optimizers.values() for group in groups for name in group.names or ()
    ]
    return SavedTraining(
        title=trainer.title,
        optimizers=optimizers,
        schedulers=saved_schedulers(data, path),
        progress=dict(_progress(found)),
        model=dict(_model(found)),
        needs_all=trainer.needs_all,
        refuses_more=trainer.refuses_more,
        is_by_name=trainer.is_by_name and bool(names),
        is_adapter=found.get("is_adapter") is True and layout is Layout.HUGGING_FACE,
    )


def _progress(data: Data) -> Iterator[tuple[str, int | float]]:
    for home in _PROGRESS_HOMES:
        noted: Any = data if home is None else data.get(home)
        for entry, name in _PROGRESS.items() if isinstance(noted, Mapping) else ():
            value = noted.get(entry)
            if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_meta:
                value = value.item()
            if is_number(value):
                yield name, value


def _model(data: Data) -> Iterator[tuple[str, Shape]]:
    """Yield the shapes of the model's tensors by name, as far as the checkpoint has such."""
    found = next((data[home] for home in _MODELS if isinstance(data.get(home), Mapping)), None)
    tensors = data if found is None else found
    for name, tensor in tensors.items():
        if isinstance(tensor, torch.Tensor):
            yield key_text(name), tuple(tensor.shape)
