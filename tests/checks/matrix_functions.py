"""Models and optimizers, right or wrong in what they do to matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer


class Attention(nn.Module):
    """Attention with a position bias of linear layers, as Swin Transformer V2 has it."""

    def __init__(self) -> None:
        super().__init__()
        self.position_bias_mlp = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
        self.query = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)


class PreNorm(nn.Module):
    """A model whose own name contains the name of a norm, but for its head."""

    def __init__(self) -> None:
        super().__init__()
        self.prelayernorm = nn.ModuleDict({"words": nn.Embedding(8, 4), "dense": nn.Linear(4, 4)})
        self.head = nn.Linear(4, 2)


class Declaring(Attention):
    """The same attention, which declares that its position bias is not decayed."""

    def no_weight_decay_keywords(self) -> set[str]:
        return {"position_bias_mlp"}


class Relative(nn.Module):
    """Attention with a table of biases by distance, as T5 has it."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(8, 4)
        self.relative_attention_bias = nn.Embedding(32, 4)


class Language(nn.Module):
    """An embedding, hidden layers with LoRA factors, and an output layer."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(8, 4)
        self.layers = nn.ModuleList([nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)])
        self.lora_A = nn.Linear(4, 2, bias=False)
        self.lora_B = nn.Linear(2, 4, bias=False)
        self.norm = nn.Parameter(torch.empty(4))
        self.lm_head = nn.Linear(4, 8, bias=False)


def _decayed(model: nn.Module, is_decayed: Callable[[str, nn.Parameter], bool]) -> Optimizer:
    sides: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        sides[is_decayed(name, parameter)].append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": sides[True], "weight_decay": 0.1},
        {"params": sides[False], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=1e-3)


def by_name(model: nn.Module) -> Optimizer:
    return _decayed(model, lambda name, _: not any(word in name for word in ("bias", "norm")))


def by_dimensions(model: nn.Module) -> Optimizer:
    return _decayed(model, lambda _, parameter: parameter.ndim > 1)


def without_query(model: nn.Module) -> Optimizer:
    return _decayed(model, lambda name, parameter: parameter.ndim > 1 and "query" not in name)


def nothing_decayed(model: nn.Module) -> Optimizer:
    return _decayed(model, lambda _name, _: False)


def _matrices(model: nn.Module) -> Iterable[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.ndim == 2]


def muon_of_all(model: nn.Module) -> list[Optimizer]:
    flat = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    return [Muon(_matrices(model), lr=0.02), AdamW(flat, lr=1e-3)]


def muon_of_hidden(model: Language) -> list[Optimizer]:
    hidden = list(model.layers.parameters())
    others = [one for one in model.parameters() if not any(one is own for own in hidden)]
    return [Muon(hidden, lr=0.02), AdamW(others, lr=1e-3)]


class MuonWithAdam(Optimizer):
    """Orthogonalizes the groups that ask for it, as those of several repositories do."""

    def __init__(self, groups: Any, lr: float = 0.02) -> None:
        super().__init__(groups, {"lr": lr, "use_muon": True})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        raise NotImplementedError


def one_class_for_all(model: Language) -> Optimizer:
    hidden = list(model.layers.parameters())
    others = [one for one in model.parameters() if not any(one is own for own in hidden)]
    return MuonWithAdam([{"params": hidden}, {"params": others, "use_muon": False}])
