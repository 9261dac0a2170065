"""Hooks that are left behind, and methods that are replaced."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.verify.sabotage.plain import PlainSGD, decayed_and_flat


def doubled(gradient: Tensor) -> Tensor:
    return gradient * 2


def convolution_doubled(optimizer: Optimizer, arguments: Any, values: Any) -> None:
    for group in optimizer.param_groups:
        for one in group["params"]:
            if one.ndim == 3 and one.grad is not None:
                one.grad.mul_(2)


def before_step(model: nn.Module) -> Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1)
    optimizer.register_step_pre_hook(convolution_doubled)
    return optimizer


@torch.no_grad()
def flat_shrunk(optimizer: Optimizer, arguments: Any, values: Any) -> None:
    for group in optimizer.param_groups:
        for one in group["params"]:
            if one.ndim == 1:
                one.mul_(0.99)


def after_step(model: nn.Module) -> Optimizer:
    optimizer = AdamW(model.parameters(), lr=0.01)
    optimizer.register_step_post_hook(flat_shrunk)
    return optimizer


def without_state_of_second(optimizer: Optimizer, saved: dict[str, Any]) -> dict[str, Any]:
    return {**saved, "state": {k: v for k, v in saved["state"].items() if k != 1}}


def saved_by_halves(model: nn.Module) -> Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_state_dict_post_hook(without_state_of_second)
    return optimizer


def lr_of_load(optimizer: Optimizer) -> None:
    for group in optimizer.param_groups:
        group["lr"] = 1.0


def after_load(model: nn.Module) -> Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_load_state_dict_post_hook(lr_of_load)
    return optimizer


def on_all_optimizers(model: nn.Module) -> Optimizer:
    register_optimizer_step_post_hook(flat_shrunk)
    return SGD(model.parameters(), lr=0.1)


def on_gradient(model: nn.Module) -> Optimizer:
    weight: Any = model.get_parameter("second.weight")
    weight.register_hook(doubled)
    return AdamW(model.parameters(), lr=0.01)


def gradient_doubled(tensor: Tensor) -> None:
    if tensor.grad is not None:
        tensor.grad.mul_(2)


def after_accumulation(model: nn.Module) -> Optimizer:
    bias: Any = model.get_parameter("norm.bias")
    bias.register_post_accumulate_grad_hook(gradient_doubled)
    return SGD(model.parameters(), lr=0.1)


def on_forward(model: nn.Module) -> Optimizer:
    layer = model.get_submodule("conv")
    layer.register_forward_hook(lambda module, inputs, output: output * 2)
    return SGD(model.parameters(), lr=0.1)


def before_forward(model: nn.Module) -> Optimizer:
    layer = model.get_submodule("norm")
    layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 2,))
    return SGD(model.parameters(), lr=0.1)


def on_backward(model: nn.Module) -> Optimizer:
    layer: Any = model.get_submodule("head")
    layer.register_full_backward_hook(lambda module, inputs, outputs: (outputs[0] * 2,))
    return SGD(model.parameters(), lr=0.1)


SGD_STEP = SGD.step


def step_without_flat(optimizer: Optimizer, closure: Any = None) -> Any:
    for group in optimizer.param_groups:
        for one in group["params"]:
            if one.ndim < 2:
                one.grad = None
    return SGD_STEP(optimizer, closure)  # type: ignore[arg-type]


def step_replaced(model: nn.Module) -> Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1)
    optimizer.step = MethodType(step_without_flat, optimizer)  # type: ignore[method-assign]
    return optimizer


def step_of_class_replaced(model: nn.Module) -> Optimizer:
    SGD.step = step_without_flat  # type: ignore[method-assign,assignment]
    return SGD(model.parameters(), lr=0.1)


class Slower(SGD):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None:
                    one.grad.mul_(0.9)
        return super().step(closure)


def class_exchanged(model: nn.Module) -> Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1)
    optimizer.__class__ = Slower
    return optimizer


def of_the_same_name(model: nn.Module) -> Optimizer:
    same = type("SGD", (Slower,), {"__module__": SGD.__module__})
    made: Optimizer = same(model.parameters(), lr=0.1)
    return made


class GroupsAdded(PlainSGD):
    """Keeps a group's decay for its first member only."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        self.first = {id(group["params"][0]) for group in self.param_groups}

    def decayed(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        if id(tensor) not in self.first:
            return gradient
        return super().decayed(tensor, gradient, group)


def group_taken_apart(model: nn.Module) -> Optimizer:
    return GroupsAdded(decayed_and_flat(model))


def none(model: nn.Module) -> Optimizer:
    return SGD(model.parameters(), lr=0.1)
