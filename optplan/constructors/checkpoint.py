"""The optimizer state of a training checkpoint, read without running anything in it."""

from __future__ import annotations

import inspect
import zipfile
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import nn

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


class _Inert:
    """Stands for whatever else a checkpoint holds: it takes any data and does nothing with it."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __new__(cls, *_: object) -> Self:
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass


def read_checkpoint(path: str) -> tuple[SavedGroup, ...]:
    """The param groups in a checkpoint.

    Args:
        path: A file that ``torch.save`` wrote.

    Raises:
        PlanError: It cannot be read, or has no optimizer state.
    """
    state = _optimizer_state(_load(path), path)
    states = state["state"]
    groups = state["param_groups"]
    if not all(map(_is_group, groups)):
        raise PlanError(f"{path!r} is damaged: a param group has no parameters")
    return tuple(_group(group, states) for group in groups)


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


def _load(path: str) -> Any:
    try:
        with torch.serialization.safe_globals(_stand_ins(path)):
            mapped = zipfile.is_zipfile(path)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # a damaged or hostile file may raise anything
        raise PlanError(f"{path!r} cannot be read as a checkpoint: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The one line of torch's advice that says what it stumbled on."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    refused = next((line for line in lines if line.startswith(("Trying", "Unsupported"))), None)
    if refused is not None:
        return f"it holds more than plain data ({refused})"
    return lines[0] if lines else type(error).__name__


def _stand_ins(path: str) -> list[Any]:
    """Something inert for each class that is not known to be harmless, such as a logger's history."""
    unsafe = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if unsafe is None or not zipfile.is_zipfile(path):
        return []
    return [(_Inert, name) for name in unsafe(path)]


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
    keys = [str(key) for key in data]
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


def _group(group: Mapping[str, Any], states: Mapping[Any, Any]) -> SavedGroup:
    names = group.get("param_names")
    return SavedGroup(
        entries={
            str(name): plain(_unwrapped(value))
            for name, value in group.items()
            if name not in ("params", "param_names")
        },
        shapes=tuple(_shape(states.get(index)) for index in group["params"]),
        names=tuple(map(str, names)) if isinstance(names, list | tuple) else None,
    )


def _unwrapped(value: Any) -> Any:
    """A number that was saved as a tensor."""
    is_number = isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_meta
    return value.item() if is_number else value


def _shape(state: Any) -> tuple[int, ...] | None:
    if isinstance(state, Mapping):
        for name in _LIKE_THEIR_PARAMETER:
            if isinstance(tensor := state.get(name), torch.Tensor):
                return tuple(tensor.shape)
    return None
