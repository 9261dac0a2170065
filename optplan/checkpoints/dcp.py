"""Folders of ``torch.distributed.checkpoint``: one state dict over many files, described by ``.metadata``.

The metadata is a pickle. torch loads it with ``pickle``, which would run what a stranger wrote there; here it is read
as records (``plain_pickle``). Tensors are known by their shapes alone; small values are read from where it says.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from optplan.checkpoints.plain_pickle import Record, plain_unpickled
from optplan.checkpoints.torch_files import load_checkpoint, load_part
from optplan.errors import PlanError

_METADATA = ".metadata"
_LARGEST_METADATA = 512 << 20
# One value that is no tensor, and all of them: an option of a group takes about 1 KiB.
_LARGEST_PART = 4 << 20
_LARGEST_PARTS = 512 << 20
_STATE = "state"
_GROUPS = "param_groups"


def read_dcp(folder: str) -> Mapping[str, Any]:
    """Return what a folder holds, nested as it was saved, with tensors on the meta device.

    Raises:
        PlanError: It cannot be read.
    """
    path = str(Path(folder, _METADATA))
    try:
        metadata = _metadata(path)
        kept: Mapping[Any, Any] = metadata.state["state_dict_metadata"]
        paths: Mapping[Any, Any] = metadata.state.get("planner_data") or {}
        parts = _Parts(folder, metadata.state["storage_data"])
        data: dict[str, Any] = {}
        for key, what in kept.items():
            _put(data, _path(key, paths.get(key)), parts.value(key, what))
        return _listed({**_beside(folder), **_unwrapped(data)})
    except PlanError:
        raise
    except Exception as error:  # a damaged or hostile file may raise anything
        text = str(error) or type(error).__name__
        raise PlanError(
            f"{path!r} cannot be read as the metadata of a checkpoint: {text}"
        ) from error


def _beside(folder: str) -> Mapping[str, Any]:
    """Return what Lightning saves beside the state dict."""
    file = Path(folder, "meta.pt")
    found = load_checkpoint(str(file)) if file.exists() else {}
    return found if isinstance(found, Mapping) else {}


def _unwrapped(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a state dict without an object around it, as torch's own example has one: ``app``."""
    values = list(data.values())
    return values[0] if len(values) == 1 and isinstance(values[0], Mapping) else data


def _metadata(path: str) -> Record:
    size = Path(path).stat().st_size
    if size > _LARGEST_METADATA:
        raise PlanError(
            f"{path!r} is not read: it has {size >> 20} MiB, and at most {_LARGEST_METADATA >> 20} are read"
        )
    found = plain_unpickled(Path(path).read_bytes())
    if not isinstance(found, Record):
        raise TypeError(f"it holds a {type(found).__name__}")
    return found


def _path(key: str, given: object) -> tuple[str | int, ...]:
    """Return where an entry stood in the nested state dict."""
    if isinstance(given, tuple) and all(isinstance(one, str | int) for one in given) and given:
        return given
    return (key,)


class _Parts:
    """The values in the files of a folder."""

    def __init__(self, folder: str, storage: Mapping[Any, Any]) -> None:
        self._folder = folder
        self._left = _LARGEST_PARTS
        self._known: dict[bytes, Any] = {}
        self._places = {index.state["fqn"]: place.state for index, place in storage.items()}

    def value(self, key: str, what: Record) -> Any:
        """Return a value; a tensor of several elements without them."""
        size = what.state.get("size")
        if size is None:
            return self._read(key)
        shape = tuple(int(one) for one in _items(size))
        if shape and (shape != (1,) or f".{_STATE}." in key):
            return torch.empty(shape, device="meta")
        return torch.empty(shape, device="meta") if f".{_STATE}." in key else self._read(key)

    def _read(self, key: str) -> Any:
        place = self._places[key]
        name, offset, length = place["relative_path"], place["offset"], place["length"]
        if not _is_plain_name(name):
            raise PlanError(
                f"{self._folder!r} is not read: its metadata names {name!r}, which is no file in it"
            )
        self._left -= length
        if not 0 <= length <= _LARGEST_PART or self._left < 0 or offset < 0:
            raise PlanError(f"{self._folder!r} is not read: {key!r} takes {length >> 20} MiB")
        content = self._content(Path(self._folder, name), offset, length)
        if content not in self._known:  # the groups of parameters have the same few values
            self._known[content] = load_part(io.BytesIO(content), str(Path(self._folder, name)))
        return self._known[content]

    def _content(self, path: Path, offset: int, length: int) -> bytes:
        if not path.is_file():
            raise PlanError(f"{str(path)!r}, which {_METADATA} names, is no regular file")
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


def _items(size: object) -> Sequence[Any]:
    """Return the items of a size, which is pickled as a call with them."""
    found = size.arguments[0] if isinstance(size, Record) and size.arguments else size
    if not isinstance(found, list | tuple):
        raise TypeError("the size of a tensor is no list")
    return found


def _is_plain_name(name: object) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\\", "\0"} & {*name}


def _put(data: dict[str, Any], path: Sequence[str | int], value: Any) -> None:
    """Put a value at its place in nested mappings."""
    here: Any = data
    for step in path[:-1]:
        here = here.setdefault(step, {})
    here[path[-1]] = value


def _listed(data: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a state dict whose optimizers have the form of torch's own, with lists of groups."""
    found = {
        name: _with_groups(value) if isinstance(value, Mapping) else value
        for name, value in data.items()
    }
    several = [found[name] for name in sorted(found, key=str) if str(name).startswith("optimizer_")]
    return {**found, "optimizer_states": several} if several else found


def _with_groups(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    if any(isinstance(key, str) and key.startswith(f"{_GROUPS}.") for key in value):
        return unflattened(value)
    groups = value.get(_GROUPS)
    if isinstance(groups, Mapping):
        return {_STATE: {}, **value, _GROUPS: [groups[at] for at in sorted(groups)]}
    return {_STATE: {}, **value} if isinstance(groups, list) else value


def unflattened(flat: Mapping[Any, Any]) -> dict[str, Any]:
    """Return an optimizer's state that was flattened by parameters: ``param_groups.head.weight.lr``.

    Each parameter becomes a group of its own, since what they shared is not kept.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {_STATE: {}, _GROUPS: {}}
    for section, name, entry, value in _entries(flat):
        found[section].setdefault(name, {})[entry] = value
    groups = [{**entries, "params": [name]} for name, entries in found[_GROUPS].items()]
    return {_STATE: found[_STATE], _GROUPS: groups}


def _entries(flat: Mapping[Any, Any]) -> Iterator[tuple[str, str, str, Any]]:
    for key, value in flat.items():
        section, _, rest = str(key).partition(".")
        name, _, entry = rest.rpartition(".")
        if section in (_STATE, _GROUPS) and name:
            yield section, name, entry, value
