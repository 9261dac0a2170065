"""Update rules of papers that torch does not have, one tensor at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Lion(Optimizer):
    """Step by the sign of an interpolated momentum (Chen et al. 2023, arXiv:2302.06675, algorithm 2)."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        given = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, given)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        """Take a step."""
        for group, parameter, gradient in _members(self):
            first, second = group["betas"]
            average = self.state[parameter].setdefault("exp_avg", torch.zeros_like(parameter))
            update = (first * average + (1 - first) * gradient).sign()
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.sub_(group["lr"] * update)
            average.mul_(second).add_((1 - second) * gradient)


class Lamb(Optimizer):
    """Scale Adam's step by the norm of the tensor (You et al. 2020, arXiv:1904.00962, algorithm 2).

    The gradients are divided by the norm of all of them first, where that is above ``max_grad_norm``, as
    the implementations of NVIDIA and timm have it; tensors without weight decay keep the step of Adam there.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        bias_correction: bool = True,
        grad_averaging: bool = True,
        max_grad_norm: float | None = 1.0,
        trust_clip: bool = False,
        always_adapt: bool = False,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in _NO_OPTIONS}
        super().__init__(params, given)
        self.norm: float | None = None

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        """Take a step."""
        for group in self.param_groups:
            group["step"] = group.get("step", 0) + 1
        for group, parameter, gradient in _members(self):
            most = group["max_grad_norm"]
            bound = max(1.0, self.norm / most) if most and self.norm is not None else 1.0
            self._move(group, parameter, gradient / bound)

    def _move(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor) -> None:
        (first, second), step = group["betas"], group["step"]
        state = self.state[parameter]
        average = state.setdefault("exp_avg", torch.zeros_like(parameter))
        square = state.setdefault("exp_avg_sq", torch.zeros_like(parameter))
        average.mul_(first).add_((1 - first if group["grad_averaging"] else 1.0) * gradient)
        square.mul_(second).add_((1 - second) * gradient * gradient)
        unbiased, unbiased_square = average, square
        if group["bias_correction"]:
            unbiased = average / (1 - first**step)
            unbiased_square = square / (1 - second**step)
        update = unbiased / (unbiased_square.sqrt() + group["eps"])
        decay = group["weight_decay"]
        if decay:
            update = update + decay * parameter
        if decay or group["always_adapt"]:
            update = update * _trust(parameter, update, clips=group["trust_clip"])
        parameter.sub_(group["lr"] * update)


_NO_OPTIONS = ("self", "params", "__class__")
PAPERS: dict[str, type[Optimizer]] = {"Lion": Lion, "LAMB": Lamb}


def _trust(parameter: Tensor, update: Tensor, *, clips: bool) -> float:
    size, length = float(parameter.norm()), float(update.norm())
    ratio = size / length if size and length else 1.0
    return min(ratio, 1.0) if clips else ratio


def _members(optimizer: Optimizer) -> Any:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                sign = -1.0 if group.get("maximize") else 1.0
                yield group, parameter, sign * parameter.grad
