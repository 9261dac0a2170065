"""Wrong for tensors of one size or shape, or for some of their elements."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainLion, PlainSGD

LARGE = 2**16


class LargeNotDecayed(PlainAdamW):
    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        if tensor.numel() <= LARGE:
            super().decay(tensor, group)


def large_not_decayed(model: nn.Module) -> Optimizer:
    return LargeNotDecayed(model.parameters(), weight_decay=0.1)


class OneBlock(PlainSGD):
    """Updates the first block of elements only."""

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        update = super().averaged(tensor, gradient, group).clone()
        update.view(-1)[LARGE:] = 0
        return update


def one_block(model: nn.Module) -> Optimizer:
    return OneBlock(model.parameters())


class LargeInHalf(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if one.numel() > LARGE and one.grad is not None:
                    one.grad.copy_(one.grad.bfloat16())
                    one.grad.mul_(1.03)
        return super().step(closure)


def large_scaled(model: nn.Module) -> Optimizer:
    return LargeInHalf(model.parameters(), lr=0.01, eps=0.1)


class SmallLeftOut(PlainLion):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if tensor.numel() != 4:
            super().update(tensor, gradient, group)


def small_left_out(model: nn.Module) -> Optimizer:
    return SmallLeftOut(model.parameters())


class Pairs(PlainSGD):
    """Updates elements in pairs: the last of an odd number is left."""

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        update = super().averaged(tensor, gradient, group).clone()
        if tensor.numel() % 2 and tensor.numel() > 1:
            update.view(-1)[-1] = 0
        return update


def odd_element(model: nn.Module) -> Optimizer:
    return Pairs(model.parameters())


class SquareTransposed(PlainSGD):
    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        is_square = tensor.ndim == 2 and tensor.shape[0] == tensor.shape[1]
        update = super().averaged(tensor, gradient, group)
        return update.T if is_square else update


def square_transposed(model: nn.Module) -> Optimizer:
    return SquareTransposed(model.parameters())


class OneElement(PlainSGD):
    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        update = super().averaged(tensor, gradient, group).clone()
        if tensor.ndim == 3:
            update[2, 3, 1] *= 1.01
        return update


def one_element(model: nn.Module) -> Optimizer:
    return OneElement(model.parameters())


class LastRow(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        for one in self.param_groups[0]["params"]:
            if one.shape[:1] == (7,) and one.ndim == 2 and one.grad is not None:
                one.grad[-1] = 0
        return super().step(closure)


def last_row(model: nn.Module) -> Optimizer:
    return LastRow(model.parameters(), lr=0.1, momentum=0.9)


class OneElementOfLarge(PlainAdamW):
    def move(
        self, tensor: Tensor, gradient: Tensor, group: dict[str, Any], state: dict[str, Any]
    ) -> None:
        kept = tensor.view(-1)[-1].clone()
        super().move(tensor, gradient, group, state)
        if tensor.numel() > LARGE:
            tensor.view(-1)[-1] = kept


def one_element_of_large(model: nn.Module) -> Optimizer:
    return OneElementOfLarge(model.parameters())


class PositiveDecayed(PlainAdamW):
    """Decays positive elements of matrices only."""

    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        before = tensor.clone()
        super().decay(tensor, group)
        if tensor.ndim == 3:
            tensor.copy_(torch.where(before > 0, tensor, before))


def negative_not_decayed(model: nn.Module) -> Optimizer:
    return PositiveDecayed(model.parameters(), weight_decay=0.1)


class SmallGradientsIgnored(PlainSGD):
    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        kept = gradient.where(gradient.abs() > 0.75, torch.zeros_like(gradient))
        return super().averaged(tensor, kept if tensor.ndim == 3 else gradient, group)


def small_gradients_ignored(model: nn.Module) -> Optimizer:
    return SmallGradientsIgnored(model.parameters())
