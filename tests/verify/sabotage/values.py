"""Values of the groups that are ignored, exchanged, bounded or read once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainSGD, decayed_and_flat


class With(torch.optim.SGD):
    """Steps with other values in its groups."""

    other: dict[str, Any] = {}  # noqa: RUF012

    def step(self, closure: Any = None) -> Any:
        kept = [{name: group[name] for name in self.other} for group in self.param_groups]
        for group in self.param_groups:
            group.update(self.other)
        loss = super().step(closure)
        for group, values in zip(self.param_groups, kept, strict=True):
            group.update(values)
        return loss


class NeverMaximizes(With):
    other = {"maximize": False}  # noqa: RUF012


def maximize_ignored(model: nn.Module) -> Optimizer:
    return NeverMaximizes(model.parameters(), lr=0.1, maximize=True)


class FlatMinimized(PlainAdamW):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        sign = -1 if group["maximize"] and tensor.ndim < 2 else 1
        super().update(tensor, sign * gradient, group)


def maximize_ignored_on_flat(model: nn.Module) -> Optimizer:
    return FlatMinimized(model.parameters(), maximize=True)


class NeverNesterov(With):
    other = {"nesterov": False}  # noqa: RUF012


def nesterov_ignored(model: nn.Module) -> Optimizer:
    return NeverNesterov(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)


class NoDampening(With):
    other = {"dampening": 0.0}  # noqa: RUF012


def dampening_ignored(model: nn.Module) -> Optimizer:
    return NoDampening(model.parameters(), lr=0.1, momentum=0.9, dampening=0.5)


class SwappedBetas(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["betas"] = group["betas"][::-1]
        loss = super().step(closure)
        for group in self.param_groups:
            group["betas"] = group["betas"][::-1]
        return loss


def betas_swapped(model: nn.Module) -> Optimizer:
    return SwappedBetas(model.parameters(), lr=0.01, betas=(0.9, 0.95))


class EpsWithinRoot(torch.optim.Adam):
    """Adds eps below the root, for what is flat."""

    def step(self, closure: Any = None) -> Any:
        flat = [p for g in self.param_groups for p in g["params"] if p.ndim < 2]
        before = [one.detach().clone() for one in flat]
        super().step(closure)
        with torch.no_grad():
            for one, was in zip(flat, before, strict=True):
                if one.grad is not None:
                    state, group = self.state[one], self.param_groups[0]
                    (beta1, beta2), count = group["betas"], int(state["step"])
                    root = state["exp_avg_sq"] / (1 - beta2**count) + group["eps"]
                    move = state["exp_avg"] / (1 - beta1**count) / root.sqrt()
                    one.copy_(was - group["lr"] * move)


def eps_within_root(model: nn.Module) -> Optimizer:
    return EpsWithinRoot(model.parameters(), lr=0.01, eps=1e-3)


class BetaAsEps(PlainAdamW):
    def move(
        self, tensor: Tensor, gradient: Tensor, group: dict[str, Any], state: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        if tensor.ndim == 3:
            group = {**group, "betas": (beta1, 1 - group["eps"]), "eps": 1 - beta2}
        super().move(tensor, gradient, group, state)


def eps_and_beta_exchanged(model: nn.Module) -> Optimizer:
    return BetaAsEps(model.parameters())


class AmsgradIgnored(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["amsgrad"] = False
        loss = super().step(closure)
        for group in self.param_groups:
            group["amsgrad"] = True
        return loss


def amsgrad_ignored(model: nn.Module) -> Optimizer:
    return AmsgradIgnored(model.parameters(), lr=0.01, amsgrad=True)


class OwnBetas(PlainAdamW):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        super().update(tensor, gradient, {**group, "betas": self.defaults["betas"]})


def betas_of_defaults(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return OwnBetas([first, {**second, "betas": (0.5, 0.6)}])


class OwnMomentum(PlainSGD):
    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        return super().averaged(tensor, gradient, {**group, "momentum": self.defaults["momentum"]})


def momentum_of_defaults(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return OwnMomentum([first, {**second, "momentum": 0.5}])


class CappedLr(PlainSGD):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        super().update(tensor, gradient, {**group, "lr": min(group["lr"], 0.05)})


def capped_lr(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return CappedLr([{**first, "lr": 0.01}, {**second, "lr": 0.2}])


class SmallLrIsZero(PlainAdamW):
    def rate(self, group: dict[str, Any], count: int) -> float:
        return group["lr"] if group["lr"] > 1e-4 else 0.0


def small_lr_is_zero(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return SmallLrIsZero([{**first, "lr": 0.01}, {**second, "lr": 1e-5}])


class RoundedLr(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        kept = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = round(group["lr"], 2)
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, kept, strict=True):
            group["lr"] = lr
        return loss


def rounded_lr(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return RoundedLr([{**first, "lr": 0.1}, {**second, "lr": 0.125}], lr=0.1)


class LrReadOnce(PlainSGD):
    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, lr=lr)
        self.read = [group["lr"] for group in self.param_groups]

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        place = next(n for n, one in enumerate(self.param_groups) if one is group)
        super().update(tensor, gradient, {**group, "lr": self.read[place]})


def lr_read_once(model: nn.Module) -> Optimizer:
    return LrReadOnce(model.parameters())


class LrOfLastStep(PlainSGD):
    """A change of lr is seen one step late."""

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[tensor]
        known = state.get("lr", group["lr"])
        state["lr"] = group["lr"]
        super().update(tensor, gradient, {**group, "lr": known})


def lr_one_step_late(model: nn.Module) -> Optimizer:
    return LrOfLastStep(model.parameters())


class DecayReadOnce(PlainAdamW):
    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        known = self.state[tensor].setdefault("factor", 1 - group["lr"] * group["weight_decay"])
        tensor.mul_(known)


def decay_of_first_lr(model: nn.Module) -> Optimizer:
    return DecayReadOnce(decayed_and_flat(model))
