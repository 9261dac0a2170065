"""Gradients that are 0, that a step or the constructor leaves behind, that ``zero_grad`` does not clear."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, decayed_and_flat


class SkipsZero(PlainAdamW):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if gradient.any():
            super().update(tensor, gradient, group)


def zero_skipped(model: nn.Module) -> Optimizer:
    return SkipsZero(model.parameters(), weight_decay=0.1)


class SkipsZeroElements(PlainAdamW):
    def move(
        self, tensor: Tensor, gradient: Tensor, group: dict[str, Any], state: dict[str, Any]
    ) -> None:
        before = tensor.clone()
        super().move(tensor, gradient, group, state)
        if tensor.ndim == 3:
            tensor.copy_(torch.where(gradient == 0, before, tensor))


def zero_elements_skipped(model: nn.Module) -> Optimizer:
    return SkipsZeroElements(model.parameters())


class SkipsSmall(PlainAdamW):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if tensor.ndim != 2 or gradient.norm() >= 0.05:
            super().update(tensor, gradient, group)


def small_skipped(model: nn.Module) -> Optimizer:
    return SkipsSmall(model.parameters(), weight_decay=0.1)


class Halves(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for one in self.param_groups[0]["params"]:
            if one.ndim == 3 and one.grad is not None:
                one.grad.mul_(0.5)
        return loss


def changed_by_a_step(model: nn.Module) -> Optimizer:
    return Halves(model.parameters(), lr=0.01)


def left_by_the_constructor(model: nn.Module) -> Optimizer:
    weight = model.get_parameter("head.weight")
    weight.grad = torch.ones_like(weight)
    return torch.optim.SGD(model.parameters(), lr=0.1)


class ClearsNothing(torch.optim.SGD):
    def zero_grad(self, set_to_none: bool = True) -> None:
        pass


def never_cleared(model: nn.Module) -> Optimizer:
    return ClearsNothing(model.parameters(), lr=0.1)


class ClearsFirstGroup(torch.optim.SGD):
    def zero_grad(self, set_to_none: bool = True) -> None:
        for one in self.param_groups[0]["params"]:
            one.grad = None


def cleared_in_part(model: nn.Module) -> Optimizer:
    return ClearsFirstGroup(decayed_and_flat(model), lr=0.1)


def clipped_by_a_hook(model: nn.Module) -> Optimizer:
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    made.register_step_pre_hook(clip)
    return made


def clip(optimizer: Optimizer, *_: Any) -> None:
    nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
