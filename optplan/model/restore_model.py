"""Run third-party code on a model, and restore the model afterwards."""

from __future__ import annotations

import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from operator import is_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

_CONTAINERS = (dict, OrderedDict, defaultdict, list, set)
# Hooks of a tensor are no part of its attributes.
_TENSOR_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")


@contextmanager
def restored_model(model: nn.Module) -> Iterator[None]:
    """Put back afterwards all that makes up a model.

    These are its modules, parameters and buffers, their attributes and values, ``requires_grad``, the
    training mode and the hooks.
    """
    from torch import nn

    modules = [_SavedModule(module) for module in nn.Module.modules(model)]
    tensors = [_SavedTensor(tensor) for tensor in _tensors_of(model)]
    try:
        yield
    finally:
        for module in modules:
            module.restore()
        for tensor in tensors:
            tensor.restore()


def _tensors_of(model: nn.Module) -> Iterator[torch.Tensor]:
    """Yield the gradients that are there already, the parameters and the buffers."""
    from torch import nn

    for tensor in (*nn.Module.parameters(model), *nn.Module.buffers(model)):
        if tensor.is_leaf and tensor.grad is not None:
            yield tensor.grad  # first, for a tensor takes only a gradient of its own dtype back
        yield tensor


class _SavedModule:
    """A module's class and attributes."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._class = type(module)
        self._attributes = _SavedAttributes(module)

    def restore(self) -> None:
        self._module.__class__ = self._class
        self._attributes.restore()


class _SavedTensor:
    """A tensor's flags, hooks, attributes and values."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor
        self._requires_grad = tensor.requires_grad
        self._is_leaf = tensor.is_leaf
        self._grad = tensor.grad if tensor.is_leaf else None
        self._hooks = [(name, _SavedValue(getattr(tensor, name, None))) for name in _TENSOR_HOOKS]
        self._attributes = _SavedAttributes(tensor)
        self._data = _copied_on_write(tensor)

    def restore(self) -> None:
        self._attributes.restore()
        if self._data is not None:
            self._tensor.data = self._data
        for name, saved in self._hooks:
            saved.restore()
            if getattr(self._tensor, name, None) is not saved.value:
                setattr(self._tensor, name, saved.value)
        if self._is_leaf:
            self._tensor.requires_grad_(self._requires_grad)
            self._tensor.grad = self._grad


def _copied_on_write(tensor: torch.Tensor) -> torch.Tensor | None:
    """Return the values of a tensor, and give it a copy of them that is made when it is written to.

    None for subclasses of tensors.
    """
    import torch
    from torch import nn

    if type(tensor) not in (torch.Tensor, nn.Parameter):
        return None
    data = tensor.data
    if not tensor.is_meta:
        # sparse tensors and some storages have no such copies
        with contextlib.suppress(Exception):
            tensor.data = torch._lazy_clone(data)  # noqa: SLF001 - there is no public way to it
    return data


class _SavedAttributes:
    """An object's attributes, and what their plain containers hold."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self._attributes = _SavedValue(owner.__dict__)
        self._values = [
            _SavedValue(value) for value in owner.__dict__.values() if type(value) in _CONTAINERS
        ]

    def restore(self) -> None:
        for value in self._values:
            value.restore()
        self._attributes.restore()
        if self._owner.__dict__ is not self._attributes.value:
            self._owner.__dict__ = self._attributes.value


class _SavedValue:
    """A value with what it holds, if it is a plain container."""

    __slots__ = ("_items", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._items = value.copy() if type(value) in _CONTAINERS else None

    def restore(self) -> None:
        if self._items is None or _is_same(self.value, self._items):
            return
        self.value.clear()
        if isinstance(self.value, list):
            self.value.extend(self._items)
        else:
            self.value.update(self._items)


def _is_same(first: Any, second: Any) -> bool:
    """Return whether both hold the very same objects in the same order; tensors cannot be compared by value."""
    if len(first) != len(second) or not all(map(is_, first, second)):
        return False
    return not isinstance(first, dict) or all(map(is_, first.values(), second.values()))
