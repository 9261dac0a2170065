"""Tiny models: tensors of equal and of other shapes, flat and not, large, tied, with a buffer and hooks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Every kind of tensor, most shapes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 6)
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.conv = nn.Conv1d(6, 4, 3)
        self.head = nn.Linear(6, 7)
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros(3))

    def forward(self, words: Tensor) -> Tensor:
        hidden: Tensor = self.norm(self.second(self.first(self.embed(words))))
        out: Tensor = self.scale * self.head(hidden)
        return out


class Tied(Net):
    """The head's weight is the embedding's."""

    def __init__(self) -> None:
        super().__init__()
        self.head.weight = self.embed.weight


class PartlyFrozen(Net):
    """The first layer is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first.requires_grad_(False)


class Wide(nn.Module):
    """One tensor of more than 2 ** 16 elements between small ones."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 300)
        self.large = nn.Linear(300, 240)
        self.head = nn.Linear(240, 3)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.head(self.large(self.first(values)))
        return out


class Strided(nn.Module):
    """A matrix whose memory is that of its transpose."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.turned = nn.Parameter(torch.randn(6, 5).t())
        self.head = nn.Linear(6, 3)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.head(self.first(values))
        return out


class Deep(nn.Module):
    """Twelve layers of one shape."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(12))

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.layers:
            values = layer(values)
        return values


class Matrices(nn.Module):
    """Two-dimensional parameters only."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6, bias=False)
        self.second = nn.Linear(6, 6, bias=False)
        self.head = nn.Linear(6, 4, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.head(self.second(self.first(values)))
        return out


def doubled(gradient: Tensor) -> Tensor:
    return gradient * 2


class ScaledGradient(Net):
    """A gradient that its own hook doubles."""

    def __init__(self) -> None:
        super().__init__()
        self.second.weight.register_hook(doubled)  # type: ignore[no-untyped-call]


class ForwardHook(Net):
    """A layer whose output a hook replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.conv.register_forward_hook(lambda module, inputs, output: output * 0)


class ForwardPreHook(Net):
    """A layer whose values a hook changes before each forward."""

    def __init__(self) -> None:
        super().__init__()
        self.norm.register_forward_pre_hook(self.shrink)

    @staticmethod
    def shrink(module: nn.Module, inputs: Any) -> None:
        module.get_parameter("weight").data.mul_(0.9)


class BackwardHook(Net):
    """A layer whose gradients a hook replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.head.register_full_backward_hook(lambda module, grads, outputs: grads)
