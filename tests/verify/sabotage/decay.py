"""Weight decay that departs from the group's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainLion, PlainSGD, decayed_and_flat


class OnMatricesOnly(PlainAdamW):
    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        if tensor.ndim > 1:
            super().decay(tensor, group)


def ignored_on_flat(model: nn.Module) -> Optimizer:
    return OnMatricesOnly(model.parameters(), weight_decay=0.1)


class OnMatricesOnlyByTorch(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        flat = [one for group in self.param_groups for one in group["params"] if one.ndim < 2]
        before = [one.detach().clone() for one in flat]
        super().step(closure)
        for one, was in zip(flat, before, strict=True):
            if one.grad is not None:
                one.data.add_(was, alpha=self.defaults["lr"] * self.defaults["weight_decay"])


def ignored_on_flat_by_torch(model: nn.Module) -> Optimizer:
    return OnMatricesOnlyByTorch(model.parameters(), lr=0.01, weight_decay=0.1)


class OnFlatToo(PlainSGD):
    def decayed(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        decay = 0.05 if tensor.ndim == 1 else group["weight_decay"]
        return gradient.add(tensor, alpha=decay)


def put_on_flat(model: nn.Module) -> Optimizer:
    return OnFlatToo(decayed_and_flat(model))


class CoupledForConvolutions(PlainAdamW):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if tensor.ndim < 3:
            return super().update(tensor, gradient, group)
        coupled = gradient.add(tensor, alpha=group["weight_decay"])
        return super().update(tensor, coupled, {**group, "weight_decay": 0.0})


def coupled_for_one(model: nn.Module) -> Optimizer:
    return CoupledForConvolutions(model.parameters(), weight_decay=0.1)


class DecoupledForOne(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            for one in self.param_groups[0]["params"]:
                if one.grad is not None and one.ndim == 3:
                    one.grad.sub_(one, alpha=self.defaults["weight_decay"])
                    one.mul_(1 - self.defaults["lr"] * self.defaults["weight_decay"])
        return super().step(closure)


def decoupled_for_one(model: nn.Module) -> Optimizer:
    return DecoupledForOne(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)


class OfFirstGroup(PlainAdamW):
    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        super().decay(tensor, {**group, "weight_decay": self.param_groups[0]["weight_decay"]})


def of_first_group(model: nn.Module) -> Optimizer:
    return OfFirstGroup(decayed_and_flat(model))


class OfDefaults(PlainSGD):
    def decayed(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        return gradient.add(tensor, alpha=self.defaults["weight_decay"])


def of_defaults(model: nn.Module) -> Optimizer:
    return OfDefaults(decayed_and_flat(model), weight_decay=0.1)


class TimesLrTwice(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        kept = [group["weight_decay"] for group in self.param_groups]
        for group in self.param_groups:
            group["weight_decay"] *= group["lr"]
        loss = super().step(closure)
        for group, decay in zip(self.param_groups, kept, strict=True):
            group["weight_decay"] = decay
        return loss


def times_lr_twice(model: nn.Module) -> Optimizer:
    return TimesLrTwice(decayed_and_flat(model), lr=0.01)


class EverySecondStep(PlainAdamW):
    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        if int(self.state[tensor]["step"]) % 2:
            super().decay(tensor, group)


def every_second_step(model: nn.Module) -> Optimizer:
    return EverySecondStep(decayed_and_flat(model))


class TowardsStart(PlainAdamW):
    """L2-SP for what has three dimensions."""

    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        if tensor.ndim < 3:
            return super().decay(tensor, group)
        start = self.state[tensor].setdefault("start", tensor.clone())
        tensor.add_(tensor - start, alpha=-group["lr"] * group["weight_decay"])
        return None


def towards_start(model: nn.Module) -> Optimizer:
    return TowardsStart(decayed_and_flat(model))


class Bounded(PlainSGD):
    def decayed(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        return gradient.add(tensor, alpha=min(group["weight_decay"], 0.05))


def bounded(model: nn.Module) -> Optimizer:
    return Bounded(decayed_and_flat(model))


class OnEmbeddingsOff(PlainLion):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        is_table = tensor.ndim == 2 and tensor.shape[0] > tensor.shape[1]
        super().update(tensor, gradient, {**group, "weight_decay": 0.0} if is_table else group)


def ignored_on_tall(model: nn.Module) -> Optimizer:
    return OnEmbeddingsOff(model.parameters(), weight_decay=0.1)


class AfterTheMove(PlainAdamW):
    """Decays what the step has left, for tensors of one layer's shape."""

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if tensor.ndim < 3:
            return super().update(tensor, gradient, group)
        super().update(tensor, gradient, {**group, "weight_decay": 0.0})
        return self.decay(tensor, group)


def after_the_move(model: nn.Module) -> Optimizer:
    return AfterTheMove(model.parameters(), weight_decay=0.1)
