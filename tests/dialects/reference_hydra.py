"""The optimizer that Hydra itself makes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn
from torch.optim import Optimizer

PLACES = ("optimizer", "optim", "model.optimizer", "model.optim", "trainer.optim.optimizer")


def reference(path: Path, model: nn.Module) -> Optimizer:
    """Return what ``instantiate`` makes of the section, given the trainable parameters."""
    config: Any = OmegaConf.load(path)
    if "defaults" in config:
        with initialize_config_dir(str(path.parent.absolute()), version_base=None):
            config = compose(
                path.stem, overrides=["~hydra"] if "hydra" in str(config.defaults) else []
            )
    found = [one for place in PLACES if (one := OmegaConf.select(config, place)) is not None]
    section = found[0] if found else config
    trainable = [one for one in model.parameters() if one.requires_grad]
    OmegaConf.set_struct(section, False)
    section["_partial_"] = True
    made: Optimizer = instantiate(section)(trainable)
    return made
