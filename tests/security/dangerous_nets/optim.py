"""Optimizers, schedulers and constructors that evaluate what they are given, or end the process."""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler


class EvaluatingSGD(torch.optim.SGD):
    def __init__(self, params: Any, text: str, **options: Any) -> None:
        eval(text)
        super().__init__(params, **options)


class LateSGD(torch.optim.SGD):
    """Does it when groups are added, which is where a plan is read."""

    def __init__(self, params: Any, command: str, **options: Any) -> None:
        self.command = command
        super().__init__(params, **options)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        os.system(self.command)
        super().add_param_group(param_group)


class ExitingSGD(torch.optim.SGD):
    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, **options)
        sys.exit(0)


class HardExitingSGD(torch.optim.SGD):
    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, **options)
        os._exit(0)


class EvaluatingLR(LRScheduler):
    def __init__(self, optimizer: Any, text: str, last_epoch: int = -1) -> None:
        eval(text)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]


class SteppingLR(EvaluatingLR):
    """Does it at a later step."""

    def __init__(self, optimizer: Any, command: str, last_epoch: int = -1) -> None:
        self.command = command
        LRScheduler.__init__(self, optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > 1:
            os.system(self.command)
        return super().get_lr()


class HardExitingLR(EvaluatingLR):
    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        LRScheduler.__init__(self, optimizer, last_epoch)
        os._exit(0)


class EvaluatingConstructor:
    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        self.optim_wrapper_cfg = optim_wrapper_cfg
        self.paramwise_cfg = paramwise_cfg

    def __call__(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        eval(self.paramwise_cfg["text"])
        return torch.optim.SGD(model.parameters(), lr=0.1)


class ShellingConstructor(EvaluatingConstructor):
    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        os.system(paramwise_cfg["command"])


class HardExitingConstructor(EvaluatingConstructor):
    def __call__(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        os._exit(0)
