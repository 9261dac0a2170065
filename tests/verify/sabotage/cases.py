"""What begins late, after loading, or holds for some shapes, groups or strides alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainSGD, decayed_and_flat


class DecaysTwiceOnceLoaded(torch.optim.AdamW):
    is_loaded = False

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.is_loaded = True

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups if self.is_loaded else ():
            for one in group["params"]:
                one.mul_(1 - group["lr"] * group["weight_decay"])
        return super().step(closure)


def decays_twice_once_loaded(model: nn.Module) -> Optimizer:
    return DecaysTwiceOnceLoaded(decayed_and_flat(model), lr=0.01)


class DropsKey(torch.optim.Adam):
    def state_dict(self) -> dict[str, Any]:
        found = super().state_dict()
        for state in found["state"].values():
            state.pop("exp_avg_sq", None)
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for state in state_dict["state"].values():
            state.setdefault("exp_avg_sq", torch.ones_like(state["exp_avg"]))
        super().load_state_dict(state_dict)


def key_not_saved(model: nn.Module) -> Optimizer:
    return DropsKey(model.parameters(), lr=0.01)


class LoadsBackwards(torch.optim.SGD):
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        alike = [one for one in self.param_groups[0]["params"] if one.shape == (6,)]
        states = [self.state[one] for one in alike]
        self.state.update(zip(alike, reversed(states), strict=True))


def loaded_backwards(model: nn.Module) -> Optimizer:
    return LoadsBackwards(model.parameters(), lr=0.1, momentum=0.9)


class ClampsLate(torch.optim.SGD):
    steps = 0

    def step(self, closure: Any = None) -> Any:
        self.steps += 1
        for one in self.param_groups[0]["params"] if self.steps > 10 else ():
            if one.grad is not None:
                one.grad.clamp_(-0.01, 0.01)
        return super().step(closure)


def clamped_from_eleventh(model: nn.Module) -> Optimizer:
    return ClampsLate(model.parameters(), lr=0.1)


class HalvesOnce(torch.optim.SGD):
    is_first = True

    def step(self, closure: Any = None) -> Any:
        if self.is_first:
            self.param_groups[-1]["lr"] /= 2
            self.is_first = False
        return super().step(closure)


def lr_halved_at_first(model: nn.Module) -> Optimizer:
    return HalvesOnce(decayed_and_flat(model), lr=0.1)


class OwnAlpha(torch.optim.RMSprop):
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["alpha"] = 0.5
        return super().step(closure)


def option_overwritten(model: nn.Module) -> Optimizer:
    return OwnAlpha(model.parameters(), lr=0.01)


class SwapsBetas(PlainAdamW):
    def move(
        self, tensor: Tensor, gradient: Tensor, group: dict[str, Any], state: dict[str, Any]
    ) -> None:
        betas = group["betas"][::-1] if tensor.shape == (7, 6) else group["betas"]
        super().move(tensor, gradient, {**group, "betas": betas}, state)


def betas_swapped_for_a_shape(model: nn.Module) -> Optimizer:
    return SwapsBetas(model.parameters())


class ShrinksScalars(torch.optim.NAdam):
    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for one in self.param_groups[0]["params"]:
            if one.numel() == 1:
                one.mul_(0.99)
        return loss


def one_element_shrinks(model: nn.Module) -> Optimizer:
    return ShrinksScalars(model.parameters(), lr=0.01)


class TurnsStrided(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        for one in self.param_groups[0]["params"]:
            if not one.is_contiguous() and one.grad is not None:
                one.grad.neg_()
        return super().step(closure)


def strided_climbs(model: nn.Module) -> Optimizer:
    return TurnsStrided(model.parameters(), lr=0.1)


class MomentumForLargeLr(PlainSGD):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        momentum = group["momentum"] if group["lr"] > 0.05 else 0.0
        super().update(tensor, gradient, {**group, "momentum": momentum})


def no_momentum_for_small_lr(model: nn.Module) -> Optimizer:
    first, second = decayed_and_flat(model)
    return MomentumForLargeLr([{**first, "lr": 0.1}, {**second, "lr": 0.01}])


class ClipsEach(PlainSGD):
    def update(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        length = float(gradient.norm())
        super().update(tensor, gradient * min(1.0, 5 / max(length, 1.0)), group)


def each_clipped(model: nn.Module) -> Optimizer:
    return ClipsEach(model.parameters())


class DropsLast(torch.optim.SGD):
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        members = list(param_group["params"])
        if not members[0].is_meta:
            members = members[:-1]
        super().add_param_group({**param_group, "params": members})


def dropped_when_added(model: nn.Module) -> Optimizer:
    return DropsLast(decayed_and_flat(model), lr=0.1)


def copied_member(model: nn.Module) -> Optimizer:
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    members = made.param_groups[0]["params"]
    place = [id(one) for one in members].index(id(model.get_parameter("norm.bias")))
    members[place] = nn.Parameter(members[place].detach().clone())
    return made


def data_replaced(model: nn.Module) -> Optimizer:
    bias = model.get_parameter("second.bias")
    bias.data = torch.ones_like(bias)
    return torch.optim.SGD(model.parameters(), lr=0.1)
