"""The optimizer that RT-DETR's or D-FINE's own code makes of a file, in a checkout of its repository."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from torch import nn, optim
from torch.optim import Optimizer


def reference(path: Path, model: nn.Module) -> Optimizer:
    """Return what ``YAMLConfig`` makes: its reading of files, its groups, and the class of torch's that they name."""
    root = next(one for one in path.absolute().parents if (one / "src" / "core").is_dir())
    if str(root / "src") not in sys.path:
        for name in [one for one in sys.modules if one.partition(".")[0] == "core"]:
            del sys.modules[name]
        sys.path.insert(0, str(root / "src"))
    sys.modules.setdefault("torch.utils.tensorboard", MagicMock())  # it writes its logs with it
    core: Any = import_module("core")
    section: dict[str, Any] = core.load_config(str(path), {})["optimizer"]
    groups = core.YAMLConfig.get_optim_params(section, model)
    arguments = {name: value for name, value in section.items() if name not in {"type", "params"}}
    made: Optimizer = getattr(optim, section["type"])(groups, **arguments)
    return made
