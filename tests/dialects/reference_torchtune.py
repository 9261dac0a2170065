"""The optimizer that a recipe of torchtune makes: ``config.instantiate`` of its section, given all parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from torch import nn
from torch.optim import Optimizer
from torchtune import config


def reference(path: Path, model: nn.Module) -> Optimizer:
    """Return the optimizer."""
    recipe: Any = OmegaConf.load(path)
    made: Optimizer = config.instantiate(recipe.optimizer, model.parameters())
    return made
