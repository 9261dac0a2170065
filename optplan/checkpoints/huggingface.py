"""Folders of the trainer of transformers, and of accelerate: ``checkpoint-500/``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from optplan.checkpoints.torch_files import load_checkpoint
from optplan.errors import PlanError, quoted

_OPTIMIZERS = ("optimizer.pt", "optimizer.bin")
_SCHEDULERS = ("scheduler.pt", "scheduler.bin")
_TRAINER = "trainer_state.json"
_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
_LARGEST_JSON = 64 << 20
_LARGEST_HEADER = 100_000_000  # as safetensors itself has it


def read_folder(folder: str) -> Mapping[str, Any]:
    """Return what a folder holds, as one state dict, with tensors on the meta device.

    Raises:
        PlanError: A file in it cannot be read.
    """
    path = Path(folder)
    data: dict[str, Any] = {"state_dict": _model(path)}
    if not data["state_dict"] and (found := _adapter(path)):
        data |= {"state_dict": found, "is_adapter": True}
    for entry, names in (("optimizer", _OPTIMIZERS), ("lr_scheduler", _SCHEDULERS)):
        file = next((path / name for name in names if (path / name).exists()), None)
        if file is not None:
            data[entry] = load_checkpoint(str(file))
    if (path / _TRAINER).exists():
        data["trainer_state"] = _json(path / _TRAINER)
    return data


def _json(file: Path) -> Mapping[str, Any]:
    """Return a JSON object.

    Raises:
        PlanError: It is none, or too large.
    """
    try:
        found = json.loads(_content(file, _LARGEST_JSON))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PlanError(f"{str(file)!r} is damaged: it is no JSON object")
    return found


def _content(file: Path, most: int) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        PlanError: It is none, or too large.
    """
    try:
        if not file.is_file():
            raise PlanError(f"{str(file)!r} is no regular file")
        with file.open("rb") as opened:
            found = opened.read(most + 1)
    except OSError as error:
        raise PlanError(f"{str(file)!r} cannot be read: {error.strerror or error}") from error
    if len(found) > most:
        raise PlanError(f"{str(file)!r} is not read: it has more than {most >> 20} MiB")
    return found


def _model(folder: Path) -> dict[str, Any]:
    """Return the model's tensors on the meta device."""
    whole = folder / "model.safetensors"
    if whole.exists():
        return dict(_header(whole))
    if (folder / "pytorch_model.bin").exists():
        found = load_checkpoint(str(folder / "pytorch_model.bin"))
        return dict(found) if isinstance(found, Mapping) else {}
    index = next((folder / name for name in _INDICES if (folder / name).exists()), None)
    return {} if index is None else _indexed(folder, index)


def _adapter(folder: Path) -> dict[str, Any]:
    """Return the tensors that peft saves of an adapter, on the meta device."""
    file = next((folder / name for name in _ADAPTERS if (folder / name).exists()), None)
    if file is None:
        return {}
    return dict(_header(file) if file.suffix == ".safetensors" else load_checkpoint(str(file)))


def _indexed(folder: Path, index: Path) -> dict[str, Any]:
    """Return the tensors of a model in several files."""
    names = _json(index).get("weight_map")
    if not isinstance(names, dict):
        raise PlanError(f"{str(index)!r} is damaged: it has no weight_map")
    found: dict[str, Any] = {}
    for name in dict.fromkeys(map(str, names.values())):
        if Path(name).name != name or "\\" in name or "\0" in name:
            raise PlanError(
                f"{str(index)!r} is not read: it names {quoted(name)}, which is no file in the folder"
            )
        file = folder / name
        if name.endswith(".safetensors"):
            found.update(_header(file))
        else:
            found.update(load_checkpoint(str(file)))
    return found


def _header(file: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of a file of safetensors by its header, on the meta device.

    Raises:
        PlanError: It is damaged.
    """
    if not file.is_file():
        raise PlanError(f"{str(file)!r} is no regular file")
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        content = opened.read(length) if length <= _LARGEST_HEADER else b""
    try:
        header = json.loads(content)
        for name, entry in header.items():
            if name != "__metadata__":
                yield name, torch.empty([int(one) for one in entry["shape"]], device="meta")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError, RuntimeError) as error:
        raise PlanError(f"{str(file)!r} is damaged: its header is unreadable") from error
