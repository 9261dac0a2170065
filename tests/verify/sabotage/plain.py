"""Optimizers that follow their formula, and groups: what the others here depart from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Closure = Callable[[], Any] | None


def decayed_and_flat(model: nn.Module) -> list[dict[str, Any]]:
    """Two groups: what has several dimensions is decayed, the rest is not."""
    parameters = list(model.parameters())
    return [
        {"params": [one for one in parameters if one.ndim > 1], "weight_decay": 0.1},
        {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0},
    ]


class Plain(Optimizer):
    """One tensor after the other."""

    @torch.no_grad()
    def step(self, closure: Closure = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.groups():
            for tensor in self.members(group):
                if tensor.grad is not None:
                    gradient = -tensor.grad if group["maximize"] else tensor.grad
                    self.update(tensor, gradient, group)
        return loss

    def groups(self) -> Iterable[dict[str, Any]]:
        return self.param_groups

    def members(self, group: dict[str, Any]) -> Iterable[Tensor]:
        members: list[Tensor] = group["params"]
        return members

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        raise NotImplementedError


class PlainSGD(Plain):
    """SGD with momentum and coupled decay."""

    def __init__(
        self,
        params: Any,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        values = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, {**values, "maximize": maximize})

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        gradient = self.decayed(tensor, gradient, group)
        tensor.add_(self.averaged(tensor, gradient, group), alpha=-group["lr"])

    def decayed(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        return gradient.add(tensor, alpha=group["weight_decay"])

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        state = self.state[tensor]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.clone(gradient)
            return gradient
        buffer: Tensor = state["momentum_buffer"]
        return buffer.mul_(group["momentum"]).add_(gradient)


class PlainAdamW(Plain):
    """AdamW, with decoupled decay."""

    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        values = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**values, "maximize": maximize})

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.of(tensor)
        state["step"] += 1
        self.decay(tensor, group)
        self.move(tensor, gradient, group, state)

    def of(self, tensor: Tensor) -> dict[str, Any]:
        state: dict[str, Any] = self.state[tensor]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(tensor)
            state["exp_avg_sq"] = torch.zeros_like(tensor)
        return state

    def decay(self, tensor: Tensor, group: dict[str, Any]) -> None:
        tensor.mul_(1 - group["lr"] * group["weight_decay"])

    def move(
        self, tensor: Tensor, gradient: Tensor, group: dict[str, Any], state: dict[str, Any]
    ) -> None:
        (beta1, beta2), count = group["betas"], int(state["step"])
        state["exp_avg"].lerp_(gradient, 1 - beta1)
        state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        root = (state["exp_avg_sq"].sqrt() / (1 - beta2**count) ** 0.5).add_(group["eps"])
        tensor.addcdiv_(state["exp_avg"], root, value=-self.rate(group, count) / (1 - beta1**count))

    def rate(self, group: dict[str, Any], count: int) -> float:
        rate: float = group["lr"]
        return rate


class PlainLion(Plain):
    """Lion: the sign of an interpolated gradient (Chen et al. 2023)."""

    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        values = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, values)

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (beta1, beta2) = self.state[tensor], group["betas"]
        if not state:
            state["exp_avg"] = torch.zeros_like(tensor)
        tensor.mul_(1 - group["lr"] * group["weight_decay"])
        tensor.add_(self.direction(state["exp_avg"].lerp(gradient, 1 - beta1)), alpha=-group["lr"])
        state["exp_avg"].lerp_(gradient, 1 - beta2)

    def direction(self, average: Tensor) -> Tensor:
        return average.sign()
