"""Functions that change the model, or make other groups with memory than without."""

from __future__ import annotations

from itertools import count
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from tests.verify.sabotage.plain import decayed_and_flat

calls = count()


def is_real(model: nn.Module) -> bool:
    return not next(model.parameters()).is_meta


def drops_one(model: nn.Module) -> Optimizer:
    kept = [p for n, p in model.named_parameters() if n != "conv.bias" or not is_real(model)]
    return SGD(kept, lr=0.1)


def moves_one(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    if is_real(model):
        moved = model.get_parameter("first.bias")
        second["params"] = [one for one in second["params"] if one is not moved]
        first["params"] = [*first["params"], moved]
    return AdamW([first, second], lr=0.01)


def exchanges_two(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    if is_real(model):
        first["weight_decay"], second["weight_decay"] = 0.0, 0.1
    return AdamW([first, second], lr=0.01)


def other_lr_each_time(model: nn.Module) -> Optimizer:
    return SGD(model.parameters(), lr=0.1 + 0.01 * next(calls))


def reorders_groups(model: nn.Module) -> Optimizer:
    groups = decayed_and_flat(model)
    return SGD(groups[::-1] if is_real(model) else groups, lr=0.1)


def changes_values(model: nn.Module) -> Optimizer:
    with torch.no_grad():
        model.get_parameter("norm.weight").zero_()
    return SGD(model.parameters(), lr=0.1)


def changes_buffer(model: nn.Module) -> Optimizer:
    model.get_buffer("seen").add_(1)
    return SGD(model.parameters(), lr=0.1)


def replaces_parameter(model: nn.Module) -> Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1)
    layer: Any = model.get_submodule("second")
    layer.weight = nn.Parameter(layer.weight.detach().clone())
    return optimizer


def freezes_one(model: nn.Module) -> Optimizer:
    model.get_parameter("conv.weight").requires_grad_(False)
    return SGD(model.parameters(), lr=0.1)


def thaws_one(model: nn.Module) -> Optimizer:
    model.get_parameter("first.weight").requires_grad_(True)
    return SGD(model.parameters(), lr=0.1)


def halves_dtype(model: nn.Module) -> Optimizer:
    model.get_submodule("head").to(torch.bfloat16)
    return SGD(model.parameters(), lr=0.1)


def unties(model: nn.Module) -> Optimizer:
    layer: Any = model.get_submodule("head")
    layer.weight = nn.Parameter(layer.weight.detach().clone())
    return SGD(model.parameters(), lr=0.1)


def ties(model: nn.Module) -> Optimizer:
    first: Any = model.get_submodule("first")
    second: Any = model.get_submodule("second")
    second.weight = first.weight
    return SGD(model.parameters(), lr=0.1)
