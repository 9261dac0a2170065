"""Right for one tensor alone, wrong for several at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainSGD, decayed_and_flat


class SecondTwiceAsFast(PlainSGD):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        members = group["params"]
        is_second = len(members) > 1 and tensor is members[1]
        super().update(tensor, gradient, {**group, "lr": group["lr"] * (1 + is_second)})


def second_twice_as_fast(model: nn.Module) -> Optimizer:
    return SecondTwiceAsFast(model.parameters())


class ForeachDecaysAll(PlainAdamW):
    """A branch for many tensors that knows no groups without decay."""

    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        if sum(len(one["params"]) for one in self.param_groups) > 3:
            group = {**group, "weight_decay": 0.1}
        super().decay(tensor, group)


def many_decayed(model: nn.Module) -> Optimizer:
    return ForeachDecaysAll(decayed_and_flat(model))


class WrongForeach(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if group["foreach"] and one.ndim == 3 and one.grad is not None:
                    one.grad.mul_(-1)
        return super().step(closure)


def wrong_foreach(model: nn.Module) -> Optimizer:
    return WrongForeach(model.parameters(), lr=0.01, foreach=True)


class WrongFused(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if group["fused"] and one.grad is not None:
                    one.grad.mul_(1.25)
        return super().step(closure)


def wrong_fused(model: nn.Module) -> Optimizer:
    return WrongFused(model.parameters(), lr=0.1, fused=True)


class StackedInWrongOrder(PlainSGD):
    """Updates tensors of one shape as a stack, which is unstacked backwards."""

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        own = super().averaged(tensor, gradient, group)
        same = [one for one in group["params"] if one.shape == tensor.shape]
        other = same[-1 - [id(one) for one in same].index(id(tensor))]
        return own if other is tensor or other.grad is None else other.grad


def stacked_in_wrong_order(model: nn.Module) -> Optimizer:
    return StackedInWrongOrder(model.parameters(), momentum=0.0)


class LrOfLastGroup(PlainSGD):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        super().update(tensor, gradient, {**group, "lr": self.param_groups[-1]["lr"]})


def lr_of_last_group(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return LrOfLastGroup([{**first, "lr": 0.1}, {**second, "lr": 0.3}])


class LrOfFirstGroup(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        kept = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = kept[0]
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, kept, strict=True):
            group["lr"] = lr
        return loss


def lr_of_first_group(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return LrOfFirstGroup([{**first, "lr": 0.01}, {**second, "lr": 0.03}])


class HiddenClipping(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        nn.utils.clip_grad_norm_([p for g in self.param_groups for p in g["params"]], 1.0)
        return super().step(closure)


def hidden_clipping(model: nn.Module) -> Optimizer:
    return HiddenClipping(model.parameters(), lr=0.1)


class ManyLayers(PlainSGD):
    """Forgets the tensors after the twentieth."""

    def members(self, group: dict[str, Any]) -> Iterable[Tensor]:
        return list(super().members(group))[:20]


def twenty_at_most(model: nn.Module) -> Optimizer:
    return ManyLayers(model.parameters())
