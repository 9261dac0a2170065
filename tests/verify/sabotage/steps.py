"""Right at first, wrong later, or the other way round."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainLion, PlainSGD, decayed_and_flat


class NoDecayFromThird(PlainAdamW):
    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        if int(self.state[tensor]["step"]) < 3:
            super().decay(tensor, group)


def no_decay_from_third(model: nn.Module) -> Optimizer:
    return NoDecayFromThird(decayed_and_flat(model))


class HalvedFromFourth(torch.optim.AdamW):
    taken = 0

    def step(self, closure: Any = None) -> Any:
        self.taken += 1
        kept = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] *= 0.5 if self.taken >= 4 else 1
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, kept, strict=True):
            group["lr"] = lr
        return loss


def halved_from_fourth(model: nn.Module) -> Optimizer:
    return HalvedFromFourth(model.parameters(), lr=0.01)


class Schedule(PlainAdamW):
    def rate(self, group: dict[str, Any], count: int) -> float:
        rate: float = group["lr"] * 0.9 ** (count - 1)
        return rate


def hidden_schedule(model: nn.Module) -> Optimizer:
    return Schedule(model.parameters())


class WarmUp(torch.optim.SGD):
    taken = 0

    def step(self, closure: Any = None) -> Any:
        self.taken += 1
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None:
                    one.grad.mul_(min(1.0, self.taken / 3))
        return super().step(closure)


def hidden_warm_up(model: nn.Module) -> Optimizer:
    return WarmUp(model.parameters(), lr=0.1)


class EveryThirdSkipped(PlainLion):
    taken = 0

    def step(self, closure: Any = None) -> Any:
        self.taken += 1
        return None if self.taken % 3 == 0 else super().step(closure)


def every_third_skipped(model: nn.Module) -> Optimizer:
    return EveryThirdSkipped(model.parameters())


class FirstSkipped(torch.optim.SGD):
    started = False

    def step(self, closure: Any = None) -> Any:
        if not self.started:
            self.started = True
            return None
        return super().step(closure)


def first_skipped(model: nn.Module) -> Optimizer:
    return FirstSkipped(model.parameters(), lr=0.1)


class PulledBack(PlainSGD):
    """Moves convolutions half the way back to where they began in every fourth step."""

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[tensor]
        start = state.setdefault("start", tensor.clone())
        super().update(tensor, gradient, group)
        state["count"] = state.get("count", 0) + 1
        if state["count"] % 4 == 0 and tensor.ndim == 3:
            tensor.lerp_(start, 0.5)


def pulled_back(model: nn.Module) -> Optimizer:
    return PulledBack(model.parameters())


class MomentumForTwoSteps(PlainSGD):
    """Begins its average anew in every third step, for flat tensors."""

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        count = self.state[tensor]["count"] = self.state[tensor].get("count", 0) + 1
        if tensor.ndim < 2 and count % 3 == 0:
            self.state[tensor].pop("momentum_buffer", None)
        return super().averaged(tensor, gradient, group)


def momentum_for_two_steps(model: nn.Module) -> Optimizer:
    return MomentumForTwoSteps(model.parameters())
