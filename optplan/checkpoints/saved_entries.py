"""Find the param groups in what a checkpoint holds, as plain data."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any

import torch

from optplan.errors import PlanError, listed
from optplan.plan import plain
from optplan.plan.saved_groups import SavedGroup

_HOMES = ("optimizer", "optimizer_state_dict", "optimizer_states", "optim")
# States that have their parameter's shape, in torch's optimizers and those that follow them.
_LIKE_THEIR_PARAMETER = (
    "exp_avg",
    "momentum_buffer",
    "exp_avg_sq",
    "square_avg",
    "acc_delta",
    "sum",
)
# Values in one entry of a group, each counted as often as it would be shown.
MOST_VALUES = 10_000
_DEEPEST = 64


def saved_optimizers(data: Any, path: str) -> dict[str | int | None, tuple[SavedGroup, ...]]:
    """Return the param groups in what a checkpoint holds, by optimizer: a name or a place; None for the only one.

    Args:
        data: What it holds.
        path: Its path, for messages.

    Raises:
        PlanError: It has no optimizer state, or is damaged.
    """
    try:
        states = _optimizer_states(data, path)
        return {name: _groups(state, path) for name, state in states.items()}
    except RecursionError:
        raise PlanError(f"{path!r} is damaged: its entries are nested too deeply") from None


def _groups(state: Mapping[str, Any], path: str) -> tuple[SavedGroup, ...]:
    groups = state["param_groups"]
    if not all(map(_is_group, groups)):
        raise PlanError(f"{path!r} is damaged: a param group has no parameters")
    return tuple(_group(group, state["state"], path) for group in groups)


def _optimizer_states(data: Any, path: str) -> Mapping[str | int | None, Mapping[str, Any]]:
    if _is_state(data):
        return {None: data}
    if not isinstance(data, Mapping):
        raise PlanError(f"{path!r} holds no optimizer state but a {type(data).__name__}")
    for home in _HOMES:
        found: Any = data.get(home)
        if _is_state(found):
            return {None: found}
        states = _several(found)
        if states and all(map(_is_state, states.values())):
            return {None: states[0]} if list(states) == [0] else states
    keys = list(map(key_text, data))
    raise PlanError(
        f"{path!r} holds no optimizer state: its entries are {listed(keys) or 'none'}",
        hint=f"it is looked for in {', '.join(_HOMES)}",
    )


def _several(found: Any) -> dict[str | int | None, Any]:
    """Return the states of several optimizers: Lightning's in a list, MMEngine's by their names."""
    if isinstance(found, list | tuple):
        return dict(enumerate(found))
    if not isinstance(found, Mapping):
        return {}
    states = {key_text(name): state for name, state in found.items() if isinstance(state, Mapping)}
    # MMEngine writes base_param_settings beside them
    return {name: state for name, state in states.items() if name != "base_param_settings"}


def _is_state(data: Any) -> bool:
    return (
        isinstance(data, Mapping)
        and isinstance(data.get("param_groups"), list)
        and isinstance(data.get("state"), Mapping)
    )


def _is_group(data: Any) -> bool:
    params = data.get("params") if isinstance(data, Mapping) else None
    return isinstance(params, list) and all(isinstance(index, int | str) for index in params)


def _group(group: Mapping[str, Any], states: Mapping[Any, Any], path: str) -> SavedGroup:
    names = group.get("param_names") or group["params"]
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
    """Return a key as text; one that is none may be nested without end."""
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
    """Return a number that was saved as a tensor."""
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
