"""Functions that make param groups, each right or wrong in one way, for ``tests.checks.models:Net``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from tests.checks.reading_optimizers import Inheriting, Reading

BACKBONE_AND_HEAD = ("backbone", "head")


def _parts(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    backbone, head = map(model.get_submodule, BACKBONE_AND_HEAD)
    return list(backbone.parameters()), list(head.parameters())


def _kinds(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    flat = [p for p in model.parameters() if p.ndim == 1]
    return flat, [p for p in model.parameters() if p.ndim > 1]


def _with(make: type[Optimizer], *entries: dict[str, Any], model: nn.Module) -> Optimizer:
    groups = zip(_parts(model), entries, strict=True)
    return make([{"params": members, **own} for members, own in groups], lr=0.1)  # type: ignore[call-arg]


def _groups(*members: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
    return [{"params": list(some), "lr": 0.1 ** (at + 1)} for at, some in enumerate(members)]


def empty(model: nn.Module) -> Optimizer:
    return AdamW(_groups(model.parameters(), []), lr=1e-3)


def empty_between(model: nn.Module) -> dict[str, Optimizer]:
    backbone, head = _parts(model)
    return {"a": SGD(_groups([], backbone), lr=0.1), "b": SGD(head, lr=0.2)}


def filled_by_a_loss(model: nn.Module) -> Optimizer:
    other = nn.Parameter(torch.zeros(1))
    return SGD(_groups(model.parameters(), [other]), lr=0.1)


def inverted(model: nn.Module) -> Optimizer:
    flat, matrices = _kinds(model)
    slow: dict[str, Any] = {"params": flat, "weight_decay": 0.1}
    return AdamW([slow, {"params": matrices, "weight_decay": 0.0}], lr=1e-3)


def inverted_in_one_of_two(model: nn.Module) -> list[Optimizer]:
    flat, matrices = _kinds(model)
    return [AdamW(flat, lr=1e-3, weight_decay=0.1), SGD(matrices, lr=1e-3)]


def upright(model: nn.Module) -> Optimizer:
    flat, matrices = _kinds(model)
    groups = [{"params": flat, "weight_decay": 0.0}, {"params": matrices, "weight_decay": 0.1}]
    return AdamW(groups, lr=1e-3)


def biases_only(model: nn.Module) -> Optimizer:
    flat, matrices = _kinds(model)
    for matrix in matrices:
        matrix.requires_grad_(False)
    return AdamW(flat, lr=1e-3, weight_decay=0.1)


def nothing_decayed(model: nn.Module) -> Optimizer:
    return AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)


def some_matrices_decayed(model: nn.Module) -> Optimizer:
    backbone, head = _parts(model)
    groups = [{"params": backbone, "weight_decay": 0.0}, {"params": head, "weight_decay": 0.1}]
    return AdamW(groups, lr=1e-3)


def lr_mult(model: nn.Module) -> Optimizer:
    return _with(SGD, {"lr_mult": 0.1}, {}, model=model)


def wd_multiplier(model: nn.Module) -> Optimizer:
    return _with(AdamW, {"wd_multiplier": 0.0}, {"wd_multiplier": 1.0}, model=model)


def use_muon(model: nn.Module) -> Optimizer:
    groups = ({"use_muon": True, "lr": 0.02}, {"use_muon": False, "weight_decay": 0.0})
    return _with(AdamW, *groups, model=model)


def kinds(model: nn.Module) -> Optimizer:
    flat, matrices = _kinds(model)
    groups: list[dict[str, Any]] = [
        {"params": flat, "kind": "adamw"},
        {"params": matrices[:1], "kind": "muon"},
        {"params": matrices[1:], "kind": "muon"},
    ]
    return AdamW(groups, lr=1e-3)


def shared_kinds(model: nn.Module) -> Optimizer:
    flat, matrices = _kinds(model)
    groups: list[dict[str, Any]] = [
        {"params": flat[:1], "kind": "adamw"},
        {"params": matrices, "kind": "muon"},
        {"params": flat[1:], "kind": "adamw"},
    ]
    return AdamW(groups, lr=1e-3)


def layer_decay(model: nn.Module) -> Optimizer:
    return _with(SGD, {"layer_decay": 0.5}, {"layer_decay": 0.25}, model=model)


def shared_names(model: nn.Module) -> Optimizer:
    flat, matrices = _kinds(model)
    groups: list[dict[str, Any]] = [
        {"params": flat[:1], "group_name": "flat"},
        {"params": matrices, "group_name": "matrices"},
        {"params": flat[1:], "group_name": "flat"},
    ]
    return AdamW(groups, lr=1e-3)


def lr_mult_alike(model: nn.Module) -> Optimizer:
    return _with(SGD, {"lr_mult": 0.1}, {"lr_mult": 0.1}, model=model)


def lr_mult_applied(model: nn.Module) -> Optimizer:
    return _with(SGD, {"lr_mult": 0.1, "lr": 0.01}, {}, model=model)


def flag_applied(model: nn.Module) -> Optimizer:
    groups = ({"no_decay": True, "weight_decay": 0.0}, {"no_decay": False})
    return _with(AdamW, *groups, model=model)


def names(model: nn.Module) -> Optimizer:
    first = {"name": "backbone", "layer_id": 0, "members": ["a"], "what": "slow"}
    second = {"name": "head", "layer_id": 1, "members": ["b"], "what": "fast"}
    return _with(SGD, first, second, model=model)


def scale_for_timm(model: nn.Module) -> Optimizer:
    return _with(SGD, {"lr_scale": 0.1}, {"lr_scale": 1.0}, model=model)


def only_groups(model: nn.Module) -> list[dict[str, Any]]:
    backbone, head = _parts(model)
    return [{"params": backbone, "lr_mult": 0.1}, {"params": head, "lr_mult": 1.0}]


def read_by_its_class(model: nn.Module) -> Optimizer:
    return _with(Reading, {"lr_mult": 0.1}, {"lr_mult": 1.0}, model=model)


def read_by_a_base(model: nn.Module) -> Optimizer:
    return _with(Inheriting, {"lr_mult": 0.1}, {"lr_mult": 1.0}, model=model)


def other_entry(model: nn.Module) -> Optimizer:
    return _with(Inheriting, {"lr_multiplier": 0.1}, {"lr_multiplier": 1.0}, model=model)
