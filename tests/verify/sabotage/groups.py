"""Groups that are copied, reordered or changed behind the back of who made them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainLion, PlainSGD, decayed_and_flat


class Copied(PlainSGD):
    """Steps by copies that it made of its groups."""

    copies: list[dict[str, Any]] | None = None

    def groups(self) -> Iterable[dict[str, Any]]:
        if self.copies is None:
            self.copies = [dict(group) for group in self.param_groups]
        return self.copies


def copied(model: nn.Module) -> Optimizer:
    return Copied(decayed_and_flat(model))


class CopiedWhenMade(PlainAdamW):
    def __init__(self, params: Any, lr: float = 0.01, weight_decay: float = 0.0) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        self.copies = [dict(group) for group in self.param_groups]

    def groups(self) -> Iterable[dict[str, Any]]:
        return self.copies


def copied_when_made(model: nn.Module) -> Optimizer:
    return CopiedWhenMade(decayed_and_flat(model))


class ShownAreCopies(torch.optim.SGD):
    """Whoever asks for the groups gets copies."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [dict(group) for group in self.__dict__["held"]]

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self.__dict__["held"] = groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        values = {**self.defaults, **param_group}
        self.__dict__["held"].append({**values, "params": list(values["params"])})


def shown_are_copies(model: nn.Module) -> Optimizer:
    return ShownAreCopies(decayed_and_flat(model), lr=0.1)


class LrSetBack(torch.optim.SGD):
    """Sets each group's lr to what the class was made with, and leaves it there."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["lr"] = self.defaults["lr"]
        return super().step(closure)


def lr_set_back(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return LrSetBack([{**first, "lr": 0.3}, second], lr=0.1)


class LrDecaysItself(PlainLion):
    """Its own schedule, written into the groups."""

    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            group["lr"] *= 0.95
        return loss


def lr_decays_itself(model: nn.Module) -> Optimizer:
    return LrDecaysItself(model.parameters())


class LosesMember(PlainSGD):
    """Takes the last member out of its groups after a step."""

    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            if len(group["params"]) > 4:
                group["params"].pop()
        return loss


def loses_member(model: nn.Module) -> Optimizer:
    return LosesMember(decayed_and_flat(model))


class ValuesExchanged(PlainAdamW):
    """Goes through its groups with the values of the other."""

    def groups(self) -> Iterable[dict[str, Any]]:
        values = [group["weight_decay"] for group in reversed(self.param_groups)]
        return [
            {**group, "weight_decay": decay}
            for group, decay in zip(self.param_groups, values, strict=True)
        ]


def values_exchanged(model: nn.Module) -> Optimizer:
    return ValuesExchanged(decayed_and_flat(model))
