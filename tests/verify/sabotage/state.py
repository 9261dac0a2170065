"""State that is shared, dropped, or not what was saved."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainAdamW, PlainLion, PlainSGD


class SharedByShape(PlainSGD):
    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        same = [one for one in group["params"] if one.shape == tensor.shape]
        return super().averaged(same[0], gradient, group).clone()


def shared_by_shape(model: nn.Module) -> Optimizer:
    return SharedByShape(model.parameters())


class SharedMoments(PlainAdamW):
    def of(self, tensor: Tensor) -> dict[str, Any]:
        state, known = super().of(tensor), self.param_groups[0]["params"]
        peers = [one for one in known if one.shape == tensor.shape and self.state.get(one)]
        state["exp_avg_sq"] = self.state[peers[0]]["exp_avg_sq"]
        return state


def shared_moments(model: nn.Module) -> Optimizer:
    return SharedMoments(model.parameters())


class SharedCount(PlainAdamW):
    """Counts tensors instead of steps."""

    count = 0

    def of(self, tensor: Tensor) -> dict[str, Any]:
        self.count += 1
        return {**super().of(tensor), "step": torch.tensor(float(self.count - 1))}


def shared_count(model: nn.Module) -> Optimizer:
    return SharedCount(model.parameters())


class OnClass(PlainSGD):
    """What one optimizer has averaged is found by the next."""

    known: ClassVar[dict[int, Tensor]] = {}

    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        place = [id(one) for one in group["params"]].index(id(tensor))
        buffer = self.known.setdefault(place, torch.zeros_like(gradient))
        if buffer.shape != gradient.shape or buffer.dtype != gradient.dtype:
            buffer = self.known[place] = torch.zeros_like(gradient)
        return buffer.mul_(group["momentum"]).add_(gradient)


def kept_on_class(model: nn.Module) -> Optimizer:
    return OnClass(model.parameters())


class NotRestored(torch.optim.SGD):
    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict({**state_dict, "state": {}})


def not_restored(model: nn.Module) -> Optimizer:
    return NotRestored(model.parameters(), lr=0.1, momentum=0.9)


class CountNotRestored(PlainAdamW):
    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["step"] = torch.tensor(0.0)


def count_not_restored(model: nn.Module) -> Optimizer:
    return CountNotRestored(model.parameters())


class OneNotRestored(torch.optim.AdamW):
    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        for tensor, state in self.state.items():
            if tensor.ndim == 3:
                state["exp_avg_sq"].zero_()


def one_not_restored(model: nn.Module) -> Optimizer:
    return OneNotRestored(model.parameters(), lr=0.01)


class SwappedWhenRestored(PlainSGD):
    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        same = [one for one in self.state if one.shape == (6, 6)]
        if len(same) > 1:
            first, second = same[0], same[1]
            self.state[first], self.state[second] = self.state[second], self.state[first]


def swapped_when_restored(model: nn.Module) -> Optimizer:
    return SwappedWhenRestored(model.parameters())


class NotSaved(PlainLion):
    def state_dict(self) -> dict[str, Any]:
        saved = super().state_dict()
        return {**saved, "state": {k: v for k, v in saved["state"].items() if k != 1}}


def one_not_saved(model: nn.Module) -> Optimizer:
    return NotSaved(model.parameters())


class LrNotRestored(torch.optim.SGD):
    def load_state_dict(self, state_dict: Any) -> None:
        kept = [group["lr"] for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, lr in zip(self.param_groups, kept, strict=True):
            group["lr"] = lr


def lr_not_restored(model: nn.Module) -> Optimizer:
    return LrNotRestored(model.parameters(), lr=0.1, momentum=0.9)


class Dropped(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        self.state.clear()
        return super().step(closure)


def dropped(model: nn.Module) -> Optimizer:
    return Dropped(model.parameters(), lr=0.1, momentum=0.9)


class DroppedForFlat(PlainSGD):
    def averaged(self, tensor: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        if tensor.ndim < 2:
            self.state.pop(tensor, None)
        return super().averaged(tensor, gradient, group)


def dropped_for_flat(model: nn.Module) -> Optimizer:
    return DroppedForFlat(model.parameters())
