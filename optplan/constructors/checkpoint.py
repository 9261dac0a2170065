"""A training checkpoint and its optimizer state, read without running anything in it."""

from __future__ import annotations

import inspect
import reprlib
import zipfile
from collections.abc import Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any

import torch
from torch import nn

from optplan.constructors.bounded_unpickling import bounded_unpickling
from optplan.errors import PlanError, listed
from optplan.plan import plain
from optplan.plan.saved_groups import SavedGroup

_HOMES = ("optimizer", "optimizer_state_dict", "optimizer_states")
# States that have their parameter's shape, in torch's optimizers and those that follow them.
_LIKE_THEIR_PARAMETER = (
    "exp_avg",
    "momentum_buffer",
    "exp_avg_sq",
    "square_avg",
    "acc_delta",
    "sum",
)


# What is read into memory at most, by the sizes that an archive declares: everything of one that is packed,
# which torch.save never does, else all but the tensors, which stay on the disk. MMEngine's logs take 100 MiB.
_LARGEST_PACKED = 64 << 20
_LARGEST = 512 << 20
# Values in one entry of a group, each counted as often as it would be shown.
MOST_VALUES = 10_000
_DEEPEST = 64


def read_checkpoint(path: str) -> tuple[SavedGroup, ...]:
    """The param groups in a checkpoint.

    Args:
        path: A file that ``torch.save`` wrote.

    Raises:
        PlanError: It cannot be read, or has no optimizer state.
    """
    return saved_groups(load_checkpoint(path), path)


def saved_groups(data: Any, path: str) -> tuple[SavedGroup, ...]:
    """Return the param groups in what a checkpoint holds.

    Args:
        data: What it holds.
        path: Its path, for messages.

    Raises:
        PlanError: It has no optimizer state, or is damaged.
    """
    try:
        state = _optimizer_state(data, path)
    except RecursionError:
        raise PlanError(f"{path!r} is damaged: its entries are nested too deeply") from None
    states = state["state"]
    groups = state["param_groups"]
    if not all(map(_is_group, groups)):
        raise PlanError(f"{path!r} is damaged: a param group has no parameters")
    return tuple(_group(group, states, path) for group in groups)


def class_defaults(class_name: str) -> dict[str, Any]:
    """The options of one of torch's optimizers with their values; empty for any other class."""
    module, _, name = class_name.rpartition(".")
    found = getattr(torch.optim, name, None) if module.startswith("torch.optim") else None
    if not (inspect.isclass(found) and issubclass(found, torch.optim.Optimizer)):
        return {}
    try:
        make: Any = found
        defaults = make([nn.Parameter(torch.empty(1, device="meta"))]).defaults
    except (TypeError, ValueError):
        return {}
    return {key: plain(value) for key, value in defaults.items() if key != "lr"}


def load_checkpoint(path: str) -> Any:
    """Return what a checkpoint holds, its tensors on the CPU.

    Args:
        path: A file that ``torch.save`` wrote.

    Raises:
        PlanError: It cannot be read.
    """
    try:
        mapped = _may_be_mapped(path)
        with bounded_unpickling():
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except PlanError:
        raise
    except Exception as error:  # a damaged or hostile file may raise anything
        raise PlanError(f"{path!r} cannot be read as a checkpoint: {_reason(error)}") from error


def _may_be_mapped(path: str) -> bool:
    """Whether it is an archive whose tensors can stay on the disk: all are stored as they are.

    Raises:
        PlanError: Reading it would take more memory than any checkpoint's entries do.
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    packed = any(one.compress_type != zipfile.ZIP_STORED for one in members)
    size = sum(one.file_size for one in members if packed or "/data/" not in f"/{one.filename}")
    most, what = (_LARGEST_PACKED, "unpacked") if packed else (_LARGEST, "without its tensors")
    if size > most:
        raise PlanError(
            f"{path!r} is not read: {what} it has {size >> 20} MiB, and at most {most >> 20} are read",
            hint="save the optimizer's state_dict alone, with torch.save",
        )
    return not packed


def _reason(error: Exception) -> str:
    """The one line of torch's advice that says what it stumbled on."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    refused = next((line for line in lines if line.startswith(("Trying", "Unsupported"))), None)
    if refused is not None:
        return f"it holds more than plain data ({refused})"
    return lines[0] if lines else type(error).__name__


def _optimizer_state(data: Any, path: str) -> Mapping[str, Any]:
    if _is_state(data):
        return data  # type: ignore[no-any-return]
    if not isinstance(data, Mapping):
        raise PlanError(f"{path!r} holds no optimizer state but a {type(data).__name__}")
    for home in _HOMES:
        found = data.get(home)
        states: Any = found if isinstance(found, list | tuple) else [found]
        if len(states) > 1 or _has_several(found):
            raise PlanError(f"{path!r} holds the states of several optimizers")
        if states and _is_state(states[0]):
            return states[0]  # type: ignore[no-any-return]
    keys = list(map(key_text, data))
    raise PlanError(
        f"{path!r} holds no optimizer state: its entries are {listed(keys) or 'none'}",
        hint=f"it is looked for in {', '.join(_HOMES)}",
    )


def _is_state(data: Any) -> bool:
    return (
        isinstance(data, Mapping)
        and isinstance(data.get("param_groups"), list)
        and isinstance(data.get("state"), Mapping)
    )


def _is_group(data: Any) -> bool:
    params = data.get("params") if isinstance(data, Mapping) else None
    return isinstance(params, list) and all(isinstance(index, int | str) for index in params)


def _has_several(found: Any) -> bool:
    """Whether these are states by their optimizers' names."""
    return isinstance(found, Mapping) and any(_is_state(value) for value in found.values())


def _group(group: Mapping[str, Any], states: Mapping[Any, Any], path: str) -> SavedGroup:
    names = group.get("param_names")
    return SavedGroup(
        entries={
            key_text(name): plain_entry(value, key_text(name), "a param group", path)
            for name, value in group.items()
            if name not in ("params", "param_names")
        },
        shapes=tuple(_shape(states.get(index)) for index in group["params"]),
        names=tuple(names)
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
        else None,
    )


def key_text(name: Any) -> str:
    """A key as text; one that is none may be nested without end."""
    return name if isinstance(name, str) else reprlib.repr(name)


def plain_entry(value: Any, name: str, whose: str, path: str) -> Any:
    """Return an entry as plain data.

    Args:
        value: The entry.
        name: Its name.
        whose: What it is an entry of: ``a param group``.
        path: The checkpoint.

    Raises:
        PlanError: It holds itself, or more than any entry does.
    """
    value = _unwrapped(value)
    left = MOST_VALUES
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise PlanError(
                f"{path!r} is damaged: {name!r} of {whose} holds itself or too many values"
            )
        items = one.values() if isinstance(one, Mapping) else one
        if isinstance(items, ValuesView | list | tuple | AbstractSet):
            waiting += [(item, depth + 1) for item in items]
    try:
        return plain(value)
    except Exception as error:  # a tensor of a kind that has no values
        raise PlanError(f"{path!r} is damaged: {name!r} of {whose} is unreadable") from error


def _unwrapped(value: Any) -> Any:
    """A number that was saved as a tensor."""
    if not isinstance(value, torch.Tensor):
        return value
    if value.numel() != 1 or value.is_meta or value.layout != torch.strided:
        return f"tensor of shape {tuple(value.shape)}"
    return value.item()


def _shape(state: Any) -> tuple[int, ...] | None:
    if isinstance(state, Mapping):
        for name in _LIKE_THEIR_PARAMETER:
            if isinstance(tensor := state.get(name), torch.Tensor):
                return tuple(tensor.shape)
    return None
