"""Pairs: what was planned, and what is built now."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from tests.verify.sabotage.plain import decayed_and_flat


def planned(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return AdamW([{**first, "lr_scale": 0.5}, second], lr=0.01)


def group_changed(model: nn.Module, place: int, **values: Any) -> Optimizer:
    optimizer = planned(model)
    optimizer.param_groups[place].update(values)
    return optimizer


def other_lr(model: nn.Module) -> Optimizer:
    return group_changed(model, 1, lr=0.011)


def other_decay(model: nn.Module) -> Optimizer:
    return group_changed(model, 0, weight_decay=0.05)


def other_betas(model: nn.Module) -> Optimizer:
    return group_changed(model, 1, betas=(0.9, 0.99))


def other_eps(model: nn.Module) -> Optimizer:
    return group_changed(model, 0, eps=1e-6)


def amsgrad_on(model: nn.Module) -> Optimizer:
    return group_changed(model, 1, amsgrad=True)


def maximize_on(model: nn.Module) -> Optimizer:
    return group_changed(model, 1, maximize=True)


def entry_lost(model: nn.Module) -> Optimizer:
    optimizer = planned(model)
    del optimizer.param_groups[0]["lr_scale"]
    return optimizer


def entry_changed(model: nn.Module) -> Optimizer:
    return group_changed(model, 0, lr_scale=0.25)


def entry_added(model: nn.Module) -> Optimizer:
    return group_changed(model, 1, lr_scale=0.5)


def order_changed(model: nn.Module) -> Optimizer:
    optimizer = planned(model)
    optimizer.param_groups.reverse()
    return optimizer


def parameter_moved(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    moved = model.get_parameter("first.bias")
    second["params"] = [one for one in second["params"] if one is not moved]
    first["params"] = [*first["params"], moved]
    return AdamW([{**first, "lr_scale": 0.5}, second], lr=0.01)


def parameter_dropped(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    second["params"] = second["params"][:-1]
    return AdamW([{**first, "lr_scale": 0.5}, second], lr=0.01)


def group_split(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    parts = [{**second, "params": second["params"][:3]}, {**second, "params": second["params"][3:]}]
    return AdamW([{**first, "lr_scale": 0.5}, *parts], lr=0.01)


def other_class(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return SGD([{**first, "lr_scale": 0.5}, second], lr=0.01)


def one_frozen(model: nn.Module) -> Optimizer:
    model.get_parameter("conv.weight").requires_grad_(False)
    return planned(model)


def two_optimizers(model: nn.Module) -> list[Optimizer]:
    first, second = decayed_and_flat(model)
    return [AdamW([{**first, "lr_scale": 0.5}], lr=0.01), AdamW([second], lr=0.01)]
