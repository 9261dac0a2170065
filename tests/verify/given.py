"""What the tests verify: tiny models and configs, and verifications of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from optplan.app.planning import build_optimizers, make_plan
from optplan.plan import Plan
from optplan.verify.bench import TrainingSource
from optplan.verify.devices import ChosenDevice
from optplan.verify.options import VerifyOptions
from optplan.verify.results import Verification
from optplan.verify.subject import NamedOptimizer
from optplan.verify.verification import verify


class Cnn(nn.Module):
    """Convolutions, norms and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.body = nn.Sequential(nn.Conv2d(4, 8, 3), nn.GroupNorm(2, 8), nn.ReLU())
        self.head = nn.Linear(8, 5)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(self.norm(self.stem(image))).mean((2, 3)))
        return out


class Vit(nn.Module):
    """Patches, a class token, positions, two blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos_embed = nn.Parameter(torch.randn(1, 5, 8) * 0.02)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True) for _ in range(2)
        )
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)

    def forward(self, image: Tensor) -> Tensor:
        patches = self.patches(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(image), -1, -1), patches], 1)
        tokens = tokens + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        out: Tensor = self.head(self.norm(tokens)[:, 0])
        return out


class Matrices(nn.Module):
    """Two-dimensional parameters only."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8, bias=False)
        self.second = nn.Linear(8, 4, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.second(self.first(values))
        return out


PARAMWISE = {
    "norm_decay_mult": 0.0,
    "custom_keys": {"head": {"lr_mult": 10.0}, "stem": {"lr_mult": 0.0}},
}


def config(
    kind: Any = "SGD", paramwise: Mapping[str, Any] | None = PARAMWISE, **arguments: Any
) -> dict[str, Any]:
    """A config of that optimizer, with lr 0.01 and a weight decay of 0.1."""
    optimizer = {"type": kind, "lr": 0.01, "weight_decay": 0.1, **arguments}
    given = {name: value for name, value in optimizer.items() if value is not None}
    return {"optim_wrapper": {"optimizer": given, "paramwise_cfg": paramwise or {}}}


def source(
    model: Callable[[], nn.Module], made: Mapping[str, Any], plan: Plan | None = None
) -> TrainingSource:
    """A config's optimizers on a model, held against its plan or another."""

    def optimizers(module: nn.Module) -> list[NamedOptimizer]:
        named = build_optimizers(module, made)
        return [NamedOptimizer(name=name, optimizer=one) for name, one in named]

    return TrainingSource(
        plan=plan or make_plan(model(), made), make_model=model, make_optimizers=optimizers
    )


def verified(
    given: TrainingSource, *, device: str = "cpu", plan_source: str | None = None, **terms: Any
) -> Verification:
    """A verification without a real step and without timing, where nothing else is asked for."""
    wanted = {"forward": False, "cost": False, **terms}
    chosen = ChosenDevice(device=torch.device(device))
    return verify(given, chosen, VerifyOptions(**wanted), plan_source=plan_source)
