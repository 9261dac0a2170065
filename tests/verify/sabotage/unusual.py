"""Sane optimizers of unusual make: several rules in one, wrappers, averages, gradients written over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import Plain, PlainAdamW, PlainSGD, decayed_and_flat


class MuonAndAdamW(PlainAdamW):
    """Orthogonalize the momentum of groups that say so; step the others by AdamW."""

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if not group["use_muon"]:
            return super().update(tensor, gradient, group)
        state = self.state[tensor]
        average = state.setdefault("momentum_buffer", torch.zeros_like(tensor))
        update = gradient.lerp(average.lerp_(gradient, 0.05), 0.95)
        update = update / (update.norm() + 1e-7)
        for _ in range(5):
            square = update @ update.T
            update = 3.4445 * update + (-4.775 * square + 2.0315 * square @ square) @ update
        tensor.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=group["lr"])
        return None


def muon_and_adamw(model: nn.Module) -> Optimizer:
    matrices = [one for one in model.parameters() if one.ndim == 2]
    others = [one for one in model.parameters() if one.ndim != 2]
    first = {"params": matrices, "use_muon": True, "weight_decay": 0.1}
    return MuonAndAdamW([first, {"params": others, "use_muon": False}])


class LionForMatrices(PlainAdamW):
    """Lion for matrices, AdamW for the rest, by their dimensions alone."""

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if tensor.ndim < 2:
            return super().update(tensor, gradient, group)
        average = self.state[tensor].setdefault("exp_avg", torch.zeros_like(tensor))
        tensor.mul_(1 - group["lr"] * group["weight_decay"])
        tensor.sub_(average.lerp(gradient, 0.1).sign(), alpha=group["lr"])
        average.lerp_(gradient, 0.01)
        return None


def lion_for_matrices(model: nn.Module) -> Optimizer:
    return LionForMatrices(decayed_and_flat(model))


class ScheduleFree(Optimizer):
    """Interpolate between a fast sequence and its average (Defazio et al. 2024), always in training."""

    def __init__(self, params: Any, lr: float = 0.1, beta: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "k": 0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["k"] += 1
            for one in group["params"]:
                if one.grad is not None:
                    fast = self.state[one].setdefault("z", one.clone())
                    slow = (one - (1 - group["beta"]) * fast) / group["beta"]
                    fast.sub_(one.grad, alpha=group["lr"])
                    slow.lerp_(fast, 1 / group["k"])
                    one.copy_(fast.lerp(slow, group["beta"]))


def schedule_free(model: nn.Module) -> Optimizer:
    return ScheduleFree(model.parameters())


class Clears(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        self.zero_grad()
        return loss


def clears_after_a_step(model: nn.Module) -> Optimizer:
    return Clears(model.parameters(), lr=0.1)


class FillsWithZero(torch.optim.AdamW):
    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none=False)


def fills_with_zero(model: nn.Module) -> Optimizer:
    return FillsWithZero(model.parameters(), lr=0.01)


class AddsInPlace(PlainSGD):
    def decayed(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        return gradient.add_(tensor, alpha=group["weight_decay"])


def decay_added_in_place(model: nn.Module) -> Optimizer:
    return AddsInPlace(decayed_and_flat(model))


class SkipsInfinite(torch.optim.Adam):
    def step(self, closure: Any = None) -> Any:
        gradients = [one.grad for group in self.param_groups for one in group["params"]]
        if all(one is None or bool(torch.isfinite(one).all()) for one in gradients):
            return super().step(closure)
        return None


def skips_infinite(model: nn.Module) -> Optimizer:
    return SkipsInfinite(model.parameters(), lr=0.01)


class Factored(Plain):
    """Keep sums of rows and columns for matrices, as Adafactor does."""

    def __init__(self, params: Any, lr: float = 0.01, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "maximize": False})

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        mean: Callable[..., Tensor] = gradient.square().mean
        parts = [mean(1, keepdim=True), mean(0, keepdim=True)] if tensor.ndim == 2 else []
        kept = self.state[tensor].setdefault("parts", [one.clone() for one in parts])
        for old, new in zip(kept, parts, strict=True):
            old.lerp_(new, 0.1)
        square = kept[0] * kept[1] / kept[0].mean() if kept else gradient.square().add(1)
        tensor.mul_(1 - group["lr"] * group["weight_decay"])
        tensor.addcdiv_(gradient, square.sqrt() + 1e-8, value=-group["lr"])


def factored(model: nn.Module) -> Optimizer:
    return Factored(decayed_and_flat(model))


class Normalized(Plain):
    """Divide by the norm, which is 0 where the gradient is."""

    def __init__(self, params: Any, lr: float = 0.01) -> None:
        super().__init__(params, {"lr": lr, "maximize": False})

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        tensor.sub_(gradient / gradient.norm(), alpha=group["lr"])


def normalized(model: nn.Module) -> Optimizer:
    return Normalized(model.parameters())


class TwoInOne(Optimizer):
    """Hand matrices to one optimizer and the rest to another."""

    def __init__(self, params: Any, lr: float = 0.01) -> None:
        members = list(params)
        super().__init__(members, {"lr": lr})
        matrices = torch.optim.SGD([one for one in members if one.ndim > 1], lr=lr, momentum=0.9)
        self.parts = (matrices, torch.optim.Adam([one for one in members if one.ndim < 2], lr=lr))

    def step(self, closure: Any = None) -> Any:
        for part in self.parts:
            part.param_groups[0]["lr"] = self.param_groups[0]["lr"]
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, saved in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(saved)
        super().load_state_dict({key: state_dict[key] for key in ("state", "param_groups")})


def two_in_one(model: nn.Module) -> Optimizer:
    return TwoInOne(model.parameters())
