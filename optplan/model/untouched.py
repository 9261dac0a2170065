"""Running other people's code on a model, and leaving the model as it was."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

_CONTAINERS = (dict, OrderedDict, list, set)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Put back afterwards all that makes up a model, but for the values inside its tensors.

    These are its modules, parameters and buffers, their attributes, ``requires_grad``, the training mode
    and the hooks.
    """
    modules = [(module, type(module), _State(module)) for module in model.modules()]
    tensors = [
        (tensor, tensor.requires_grad, tensor.grad if tensor.is_leaf else None, _State(tensor))
        for tensor in (*model.parameters(), *model.buffers())
    ]
    try:
        yield
    finally:
        for module, kind, state in modules:
            module.__class__ = kind
            state.restore()
        for tensor, requires_grad, grad, state in tensors:
            state.restore()
            if tensor.is_leaf:
                tensor.requires_grad_(requires_grad)
                tensor.grad = grad


class _State:
    """An object's attributes, and what their plain containers hold."""

    def __init__(self, owner: Any) -> None:
        self._attributes = owner.__dict__
        self._values = dict(self._attributes)
        self._held = [
            (value, value.copy()) for value in self._values.values() if type(value) in _CONTAINERS
        ]

    def restore(self) -> None:
        for container, held in self._held:
            if isinstance(container, list):
                container[:] = held
            elif not _is_same(container, held):
                container.clear()
                container.update(held)
        if not _is_same(self._attributes, self._values):
            self._attributes.clear()
            self._attributes.update(self._values)


def _is_same(first: Any, second: Any) -> bool:
    """Whether both hold the very same objects in the same order; tensors cannot be compared by value."""
    if len(first) != len(second) or any(a is not b for a, b in zip(first, second, strict=True)):
        return False
    return not isinstance(first, dict) or all(first[name] is second[name] for name in first)
