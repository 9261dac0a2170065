"""Saved plans of every kind, and each of their fields replaced by what does not belong there."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from math import inf, nan
from typing import Any

import torch
from torch import nn

import optplan
from optplan.config import Batch
from optplan.plan import Plan

Path = tuple[str | int, ...]
DROPPED = object()
DEEP: Any = 1
for _ in range(90):
    DEEP = [DEEP]

VALUES: tuple[Any, ...] = (
    DROPPED, None, True, False, 0, 1, -1, 99, 10**18, 2**63, 10**400, -0.0, 0.5, 1.0, 1e308, -1e308,
    nan, inf, -inf, "", "x", "1", "default", "optimized", "\x1b[2J", "\ud800", "=1+1", [], [1], ["x"],
    [[]], [None], [-1], {}, {"x": 1}, {"": {"\ud800": [nan]}}, {"rule": "norm"}, DEEP,
)  # fmt: skip


class Net(nn.Module):
    """A norm, a frozen weight, a tied one and one at the root."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.body = nn.Linear(3, 3)
        self.norm = nn.LayerNorm(3)
        self.head = nn.Linear(3, 3)
        self.head.weight = self.body.weight
        self.body.bias.requires_grad_(False)

    def get_layer_depth(self, name: str, prefix: str = "") -> tuple[int, int]:
        return (0 if name.startswith("body") else 1), 3


def plans() -> dict[str, Plan]:
    """A plan for each part that few plans have."""
    net = Net()
    keys = {"head": {"lr_mult": 0.1, "betas": (0.5, 0.9), "tags": {"deep": [1, None]}}}
    adamw = {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05}
    bypassing = {"custom_keys": keys, "norm_decay_mult": 0.0, "bypass_duplicate": True}
    layered = {
        "optimizer": adamw,
        "constructor": "LayerDecayOptimizerConstructor",
        "paramwise_cfg": {"layer_decay_rate": 0.5, "bypass_duplicate": True},
    }
    scaled = {
        "optim_wrapper": {"optimizer": adamw, "paramwise_cfg": {"bypass_duplicate": True}},
        "auto_scale_lr": {"enable": True, "base_batch_size": 16},
        "train_dataloader": {"batch_size": 4},
    }
    two = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    groups: list[dict[str, Any]] = [
        {"params": net.norm.parameters(), "lr": 0.1, "kind": "norm"},
        {"params": [net.scale]},
    ]
    return {
        "keys": optplan.make_plan(net, {"optimizer": {**adamw, "paramwise_cfg": bypassing}}),
        "layers": optplan.make_plan(net, {"optim_wrapper": layered}),
        "scaled": optplan.make_plan(net, scaled, batch=Batch(world_size=2)),
        "several": optplan.make_plan(two, {"optimizer": {"a": adamw, "b": {**adamw, "lr": 0.1}}}),
        "live": optplan.Plan.from_optimizer(net, torch.optim.SGD(groups, lr=0.5, momentum=0.9)),
    }


def paths(data: Any, *, at: Path = ()) -> Iterator[Path]:
    """The path of everything below."""
    if not isinstance(data, dict | list):
        return
    for name, item in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*at, name)
        yield from paths(item, at=(*at, name))


def forged(data: Any, path: Path, value: Any) -> Any:
    """The same with another value at a path, or with nothing there."""
    changed = copy.copy(data)
    first, *rest = path
    if rest:
        changed[first] = forged(data[first], tuple(rest), value)
    elif value is DROPPED:
        del changed[first]
    else:
        changed[first] = value
    return changed


def all_forged(plan: Plan) -> Iterator[tuple[Path, Any, Any]]:
    """Every field of a plan with every value, in the first row that has it: path, value, plan."""
    data = json.loads(plan.to_json())
    seen: Counter[Path] = Counter()
    for path in paths(data):
        kind = tuple("*" if isinstance(part, int) else part for part in path)
        seen[kind] += 1
        if seen[kind] == 1:
            for value in VALUES:
                yield path, value, forged(data, path, value)
