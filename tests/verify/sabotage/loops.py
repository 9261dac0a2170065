"""Loops that leave out, repeat or shift."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import Plain, PlainAdamW, PlainLion, PlainSGD, decayed_and_flat


class EndsEarly(PlainAdamW):
    def members(self, group: dict[str, Any]) -> list[Tensor]:
        return list(super().members(group))[:-1]


def ends_one_early(model: nn.Module) -> Optimizer:
    return EndsEarly(decayed_and_flat(model))


class EndsEarlyIfSeveral(EndsEarly):
    def members(self, group: dict[str, Any]) -> list[Tensor]:
        members = group["params"]
        return super().members(group) if len(members) > 1 else members


def ends_one_early_if_several(model: nn.Module) -> Optimizer:
    return EndsEarlyIfSeveral(decayed_and_flat(model))


class StartsLate(PlainSGD):
    def members(self, group: dict[str, Any]) -> list[Tensor]:
        members = list(super().members(group))
        return members[1:] if len(members) > 1 else members


def starts_one_late(model: nn.Module) -> Optimizer:
    return StartsLate(decayed_and_flat(model))


class LastGroupLeftOut(PlainLion):
    def groups(self) -> Iterable[dict[str, Any]]:
        return self.param_groups[:-1] or self.param_groups


def last_group_left_out(model: nn.Module) -> Optimizer:
    return LastGroupLeftOut(decayed_and_flat(model))


class AtMostEight(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        for one in self.param_groups[0]["params"][8:]:
            one.grad = None
        return super().step(closure)


def at_most_eight(model: nn.Module) -> Optimizer:
    return AtMostEight(model.parameters(), lr=0.1)


class StopsAtNone(Plain):
    """Returns at the first tensor without gradient, instead of going on."""

    def members(self, group: dict[str, Any]) -> Iterable[Tensor]:
        for one in group["params"]:
            if one.grad is None:
                return
            yield one


class StopsAtNoneSGD(StopsAtNone, PlainSGD):
    pass


def stops_at_none(model: nn.Module) -> Optimizer:
    return StopsAtNoneSGD(model.parameters())


class ForgetsAfterNone(PlainSGD):
    """Loses all momentum where one tensor is without gradient."""

    def groups(self) -> Iterable[dict[str, Any]]:
        tensors = [one for group in self.param_groups for one in group["params"]]
        if any(one.grad is None for one in tensors):
            self.state.clear()
        return self.param_groups


def forgets_after_none(model: nn.Module) -> Optimizer:
    return ForgetsAfterNone(model.parameters())


class OneTwice(PlainSGD):
    def members(self, group: dict[str, Any]) -> list[Tensor]:
        members = list(super().members(group))
        return [*members, members[-1]] if len(members) > 1 else members


def one_twice(model: nn.Module) -> Optimizer:
    return OneTwice(decayed_and_flat(model))


class ShiftedGradients(PlainSGD):
    """Pairs tensors of one shape with each other's gradients."""

    def members(self, group: dict[str, Any]) -> list[Tensor]:
        members = list(super().members(group))
        same = [one for one in members if one.shape == (6, 6) and one.grad is not None]
        if len(same) == 2:
            same[0].grad, same[1].grad = same[1].grad, same[0].grad
        return members


def exchanged_gradients(model: nn.Module) -> Optimizer:
    return ShiftedGradients(model.parameters())


class NoScalars(PlainAdamW):
    def members(self, group: dict[str, Any]) -> list[Tensor]:
        return [one for one in super().members(group) if one.ndim]


def scalars_left_out(model: nn.Module) -> Optimizer:
    return NoScalars(model.parameters())
