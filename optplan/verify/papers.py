"""Update rules of papers that torch does not have, one tensor at a time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer


class PaperRule(Optimizer):
    """An update rule of a paper.

    Args:
        params: The tensors, or their groups.
        options: Values other than those of ``OPTIONS``.

    Attributes:
        OPTIONS: What it takes, with the defaults.
    """

    OPTIONS: ClassVar[Mapping[str, Any]]

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, {**self.OPTIONS, **options})


class Lion(PaperRule):
    """Step by the sign of an interpolated momentum (Chen et al. 2023, arXiv:2302.06675, algorithm 2)."""

    OPTIONS = MappingProxyType(
        {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0, "maximize": False}
    )

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


class Lamb(PaperRule):
    """Scale Adam's step by the norm of the tensor (You et al. 2020, arXiv:1904.00962, algorithm 2).

    The gradients are divided by the norm of all of them first, where that is above ``max_grad_norm``, as
    the implementations of NVIDIA and timm have it; tensors without weight decay keep the step of Adam there.
    """

    OPTIONS = MappingProxyType(
        {
            "lr": 1e-3,
            "betas": (0.9, 0.999),
            "eps": 1e-6,
            "weight_decay": 0.01,
            "bias_correction": True,
            "grad_averaging": True,
            "max_grad_norm": 1.0,
            "trust_clip": False,
            "always_adapt": False,
        }
    )
    norm: float | None = None

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


PAPERS: dict[str, type[PaperRule]] = {"Lion": Lion, "LAMB": Lamb}


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
