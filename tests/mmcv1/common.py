"""What recording and comparing share; imported with mmcv 1.x as well as with optplan, so neither is here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.models import (
    Convolutions,
    Dcn,
    FrozenAndTied,
    ModulatedDeformConv2dPack,
    Norms,
    PartlyFrozen,
    RootParameter,
    TiedAcrossParents,
)

RECORDED = Path(__file__).parent / "recorded.json"
LENGTHS = (7, 131)  # iterations of an epoch
_MOST_LOOKS = 150


class Detector(nn.Module):
    """A little of everything, by the names that released configs have keys for."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        for parameter in stem.parameters():
            parameter.requires_grad_(False)
        self.backbone = nn.ModuleDict(
            {
                "stem": stem,
                "pos_block": nn.Conv2d(4, 4, 3, groups=4),
                "attn": nn.ModuleDict({"theta": nn.Conv2d(4, 2, 1), "phi": nn.Linear(4, 2)}),
                "norm": nn.LayerNorm(4),
            }
        )
        self.backbone.register_parameter("absolute_pos_embed", nn.Parameter(torch.empty(1, 4)))
        self.backbone.register_parameter("cls_token", nn.Parameter(torch.empty(1, 4)))
        table = nn.Module()
        table.relative_position_bias_table = nn.Parameter(torch.empty(9, 2))
        self.backbone["window"] = table
        self.neck = ModulatedDeformConv2dPack(4)
        self.query_embed = nn.Embedding(3, 4)
        self.query_feat = nn.Embedding(3, 4)
        self.level_embed = nn.Embedding(3, 4)
        self.bbox_head = nn.ModuleDict(
            {
                "sampling_offsets": nn.Linear(4, 2),
                "reference_points": nn.Linear(4, 2),
                "gn": nn.GroupNorm(2, 4),
                "fc": nn.Linear(4, 2, bias=False),
            }
        )


MODELS = {
    one.__name__: one
    for one in (
        Detector,
        Convolutions,
        Dcn,
        FrozenAndTied,
        Norms,
        PartlyFrozen,
        RootParameter,
        TiedAcrossParents,
    )
}


def model_of(name: str) -> nn.Module:
    """The model of that name, on meta."""
    with torch.device("meta"):
        return MODELS[name]()


def groups_hash(model: nn.Module, groups: Iterable[dict[str, Any]], given: Iterable[str]) -> str:
    """A hash of param groups: who is in them, and every entry that a config can set.

    Args:
        model: The model.
        groups: The groups of the optimizer as it was made.
        given: The entries besides lr and weight decay that the config sets.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    entries = ("lr", "weight_decay", *sorted(set(given) - {"lr", "weight_decay"}))
    found = [
        [[names[id(one)] for one in group["params"]], *(_exact(group[name]) for name in entries)]
        for group in groups
    ]
    return _hashed(found)


def looked_at(length: int, marks: Iterable[int] = ()) -> list[int]:
    """The steps of a training that are compared: its ends, what lies around the marks, and some between."""
    near = {mark + shift for mark in (0, length - 1, *marks) for shift in (-2, -1, 0, 1, 2)}
    spread = {length * look // _MOST_LOOKS + look % 3 for look in range(_MOST_LOOKS)}
    return sorted(step for step in near | spread if 0 <= step < length)


def marks_of(config: dict[str, Any], per_epoch: int | None) -> Iterator[int]:
    """The iterations that a config's numbers name, as iterations and as epochs."""
    sections = [config.get("lr_config") or {}, config.get("momentum_config") or {}]
    for section in sections:
        for name in ("step", "periods", "warmup_iters"):
            value = section.get(name, ())
            for one in value if isinstance(value, list | tuple) else [value]:
                if isinstance(one, int):
                    yield from (one, one * (per_epoch or 1))


def courses_hash(courses: Sequence[Sequence[Any]]) -> str:
    """A hash of the values of all groups, step by step."""
    return _hashed([[_exact(value) for value in row] for row in courses])


def _exact(value: Any) -> Any:
    """A value so that only equal ones are equal; 1 and 1.0 are."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | float):
        return float(value).hex()
    return [_exact(one) for one in value]


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4},
    "AdamW": {"type": "AdamW", "lr": 0.01, "betas": (0.9, 0.99), "weight_decay": 0.05},
}
_KEYS = {"a.": {"lr_mult": 0.1}, "b.": {"lr_mult": 3.0}}


def scheduled_section(name: str) -> dict[str, Any]:
    """The optimizer section whose four groups schedules are compared on."""
    return {**OPTIMIZERS[name], "paramwise_cfg": {"custom_keys": _KEYS}}


class Scheduled(nn.Module):
    """Four parameters, each with a group of its own."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("first", "a", "b", "last"):
            self.add_module(name, nn.Linear(1, 1, bias=False))


def lengths_of(config: dict[str, Any]) -> tuple[int | None, ...]:
    """The iterations of an epoch with which a schedule is compared; None where nobody asks."""
    runner = config.get("runner") or {}
    return (None,) if "max_iters" in runner or "total_iters" in config else LENGTHS


def total_of(config: dict[str, Any], per_epoch: int | None) -> int:
    """How many iterations a training has."""
    runner = config.get("runner") or {}
    epochs = runner.get("max_epochs", config.get("total_epochs"))
    if per_epoch is not None and epochs is not None:
        return int(epochs) * per_epoch
    return int(runner.get("max_iters", config.get("total_iters", 0)))
