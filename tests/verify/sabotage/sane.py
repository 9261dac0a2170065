"""What does as it says, in its own words: `verify` must not blame it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LinearLR

from tests.verify.sabotage.plain import Plain, PlainAdamW, PlainLion, PlainSGD, decayed_and_flat


def sgd(model: nn.Module) -> Optimizer:
    return PlainSGD(decayed_and_flat(model))


def adamw(model: nn.Module) -> Optimizer:
    return PlainAdamW(decayed_and_flat(model))


def lion(model: nn.Module) -> Optimizer:
    return PlainLion(decayed_and_flat(model))


def maximizing(model: nn.Module) -> Optimizer:
    return PlainSGD(model.parameters(), maximize=True)


class Counting(torch.optim.AdamW):
    """Counts its steps, and no more."""

    taken = 0

    def step(self, closure: Any = None) -> Any:
        self.taken += 1
        return super().step(closure)


def counting(model: nn.Module) -> Optimizer:
    return Counting(decayed_and_flat(model), lr=0.01)


class Cubic(Plain):
    """A formula of its own: the third power of the gradient."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "maximize": False})

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        tensor.mul_(1 - group["lr"] * group["weight_decay"])
        tensor.add_(gradient**3, alpha=-group["lr"])


def own_formula(model: nn.Module) -> Optimizer:
    return Cubic(decayed_and_flat(model))


def warmed_up(model: nn.Module) -> Optimizer:
    optimizer = torch.optim.SGD(decayed_and_flat(model), lr=0.1, momentum=0.9)
    LinearLR(optimizer, 0.1, total_iters=5)
    return optimizer


def three_rates(model: nn.Module) -> Optimizer:
    (first, second), one = decayed_and_flat(model), model.get_parameter("head.weight")
    first["params"] = [tensor for tensor in first["params"] if tensor is not one]
    groups = [{**first, "lr": 0.01}, {**second, "lr": 0.1}, {"params": [one], "lr": 0.0}]
    return torch.optim.SGD(groups, lr=0.1, nesterov=True, momentum=0.9)


def foreach(model: nn.Module) -> Optimizer:
    return torch.optim.NAdam(decayed_and_flat(model), lr=0.01, foreach=True)


def fused(model: nn.Module) -> Optimizer:
    return torch.optim.AdamW(decayed_and_flat(model), lr=0.01, fused=True, amsgrad=True)


def tensor_lr(model: nn.Module) -> Optimizer:
    return torch.optim.Adam(decayed_and_flat(model), lr=torch.tensor(0.01), foreach=False)


def two(model: nn.Module) -> list[Optimizer]:
    first, second = decayed_and_flat(model)
    return [torch.optim.RMSprop([first], lr=0.01), torch.optim.Adagrad([second], lr=0.02)]


def orthogonalized(model: nn.Module) -> Optimizer:
    return torch.optim.Muon(model.parameters(), lr=0.02, weight_decay=0.1)


class Signs(Plain):
    """The sign of the gradient."""

    def __init__(self, params: Any, lr: float = 0.01) -> None:
        super().__init__(params, {"lr": lr, "maximize": False})

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        tensor.add_(gradient.sign(), alpha=-group["lr"])


def signs(model: nn.Module) -> Optimizer:
    return Signs(model.parameters())


class Centralized(PlainSGD):
    """Takes the mean off the gradients of matrices (Yong et al. 2020)."""

    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if gradient.ndim > 1:
            gradient = gradient - gradient.mean(tuple(range(1, gradient.ndim)), keepdim=True)
        super().update(tensor, gradient, group)


def centralized(model: nn.Module) -> Optimizer:
    return Centralized(decayed_and_flat(model))


class LayerRates(PlainSGD):
    """Scales what a tensor of several dimensions moves by its norm (You et al. 2017)."""

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        update = super().averaged(tensor, gradient, group)
        return update * (tensor.norm() / update.norm()) if tensor.ndim > 1 else update


def layer_rates(model: nn.Module) -> Optimizer:
    return LayerRates(decayed_and_flat(model))


class TwoRules(PlainLion):
    """Signs for matrices, and plain steps for what is flat."""

    def direction(self, average: Tensor) -> Tensor:
        return average.sign() if average.ndim > 1 else average


def two_rules(model: nn.Module) -> Optimizer:
    return TwoRules(decayed_and_flat(model))
