"""Closures that are called twice, never, or too late."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from tests.verify.sabotage.plain import PlainSGD


class CalledTwice(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        if closure is not None:
            with torch.enable_grad():
                closure()
        return super().step(closure)


def called_twice(model: nn.Module) -> Optimizer:
    return CalledTwice(model.parameters(), lr=0.1)


class NeverCalled(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        return super().step()


def never_called(model: nn.Module) -> Optimizer:
    return NeverCalled(model.parameters(), lr=0.1)


class CalledAfterwards(PlainSGD):
    def step(self, closure: Any = None) -> Any:
        super().step()
        return None if closure is None else closure()


def called_afterwards(model: nn.Module) -> Optimizer:
    return CalledAfterwards(model.parameters())


class LossDropped(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        super().step(closure)


def loss_dropped(model: nn.Module) -> Optimizer:
    return LossDropped(model.parameters(), lr=0.1)
