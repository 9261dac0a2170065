"""Registered constructors: what they make, or leave behind, is not what was planned."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from optplan import OPTIMIZER_CONSTRUCTORS, DefaultOptimizerConstructor


def is_real(module: nn.Module) -> bool:
    return not next(module.parameters()).is_meta


def registered(made: type) -> type:
    OPTIMIZER_CONSTRUCTORS.register_module(made.__name__, force=True, module=made)
    return made


@registered
class OtherDecay(DefaultOptimizerConstructor):
    """Decays a norm where there is memory."""

    def __call__(self, model: nn.Module) -> Optimizer:
        optimizer = super().__call__(model)
        for group in optimizer.param_groups:
            if group["params"][0] is model.get_parameter("norm.bias") and is_real(model):
                group["weight_decay"] = 0.02
        return optimizer


@registered
class Leaves(DefaultOptimizerConstructor):
    """Leaves a parameter out where there is memory."""

    def __call__(self, model: nn.Module) -> Optimizer:
        optimizer = super().__call__(model)
        if is_real(model):
            optimizer.param_groups.pop()
        return optimizer


@registered
class Exchanges(DefaultOptimizerConstructor):
    """Exchanges two groups' members."""

    def __call__(self, model: nn.Module) -> Optimizer:
        optimizer = super().__call__(model)
        if is_real(model):
            groups = {id(group["params"][0]): group for group in optimizer.param_groups}
            norm, conv = (model.get_parameter(one) for one in ("norm.weight", "conv.bias"))
            groups[id(norm)]["params"], groups[id(conv)]["params"] = [conv], [norm]
        return optimizer


@registered
class Initializes(DefaultOptimizerConstructor):
    """Gives a layer other values."""

    def __call__(self, model: nn.Module) -> Optimizer:
        nn.init.ones_(model.get_parameter("conv.bias"))
        return super().__call__(model)


def halved(gradient: Tensor) -> Tensor:
    return gradient / 2


@registered
class Hooks(DefaultOptimizerConstructor):
    """Leaves a hook on a tensor."""

    def __call__(self, model: nn.Module) -> Optimizer:
        weight: Any = model.get_parameter("second.weight")
        weight.register_hook(halved)
        return super().__call__(model)


SGD_STEP = SGD.step


def step_of_matrices(optimizer: SGD, closure: Any = None) -> Any:
    for group in optimizer.param_groups:
        for one in group["params"]:
            if one.ndim < 2:
                one.grad = None
    return SGD_STEP(optimizer, closure)


@registered
class Replaces(DefaultOptimizerConstructor):
    """Replaces the step of the instance."""

    def __call__(self, model: nn.Module) -> Optimizer:
        optimizer = super().__call__(model)
        optimizer.step = MethodType(step_of_matrices, optimizer)  # type: ignore[method-assign]
        return optimizer


class Undecayed(SGD):
    """Steps without decay."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None and one.ndim == 3:
                    one.grad.sub_(one, alpha=group["weight_decay"])
        return super().step(closure)


@registered
class Subclasses(DefaultOptimizerConstructor):
    """Makes the optimizer of a class that is derived from the config's."""

    def __call__(self, model: nn.Module) -> Optimizer:
        optimizer = super().__call__(model)
        optimizer.__class__ = Undecayed
        return optimizer


@registered
class Rescales(DefaultOptimizerConstructor):
    """Halves the lr of all groups once they are made with memory."""

    def __call__(self, model: nn.Module) -> Optimizer:
        optimizer = super().__call__(model)
        for group in optimizer.param_groups:
            group["lr"] *= 0.5 if is_real(model) else 1
        return optimizer
