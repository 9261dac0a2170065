"""optplan's own names in the place of those that ``mmcv.runner`` of mmcv 1.x has, where that is not installed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from torch import nn

from optplan.constructors.default_constructor import OPTIMIZER_CONSTRUCTORS
from optplan.constructors.lookup import HOME_OF_MMCV1 as HOME
from optplan.constructors.mmcv1 import Mmcv1OptimizerConstructor
from optplan.constructors.optimizers import OPTIMIZERS


class DefaultOptimizerConstructor(Mmcv1OptimizerConstructor):
    """The default constructor with mmcv 1.x's own argument names.

    Args:
        optimizer_cfg: The optimizer's dict.
        paramwise_cfg: The options.
    """

    def __init__(
        self, optimizer_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(optimizer_cfg, paramwise_cfg)


class BaseModule(nn.Module):
    """A module that mmcv 1.x initializes by ``init_cfg``, which changes no plan."""

    def __init__(self, init_cfg: object = None) -> None:
        super().__init__()
        self.init_cfg = init_cfg


def _dist_info() -> tuple[int, int]:
    """Rank and world size of a training in one process."""
    return 0, 1


_RUNNER: Mapping[str, object] = {
    "OPTIMIZER_BUILDERS": OPTIMIZER_CONSTRUCTORS,
    "OPTIMIZERS": OPTIMIZERS,
    "DefaultOptimizerConstructor": DefaultOptimizerConstructor,
    "BaseModule": BaseModule,
    "get_dist_info": _dist_info,
}
# By module; what packages for mmcv 1.x offer and constructors ask for is here as far as it is only a log.
_MODULES: Mapping[str, Mapping[str, object]] = {
    HOME: _RUNNER,
    f"{HOME}.optimizer": _RUNNER,
    f"{HOME}.optimizer.builder": _RUNNER,
    f"{HOME}.optimizer.default_constructor": _RUNNER,
    f"{HOME}.builder": _RUNNER,
    "mmdet.utils": {"get_root_logger": logging.getLogger},
    "mmseg.utils": {"get_root_logger": logging.getLogger},
}


def provide_names_of_mmcv1() -> None:
    """Put modules of those names where Python looks for modules, as far as nothing is installed by them."""
    if _is_there(HOME):
        return
    for name, members in _MODULES.items():
        top = name.partition(".")[0]
        if name.startswith(HOME) or not _is_there(top):
            _put(name, members)


def _is_there(name: str) -> bool:
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _put(name: str, members: Mapping[str, object]) -> None:
    package, _, last = name.rpartition(".")
    if package and package not in sys.modules and not _is_there(package):
        _put(package, {})
    module = ModuleType(name)
    module.__path__ = []
    vars(module).update(members)
    sys.modules[name] = module
    if package in sys.modules:
        setattr(sys.modules[package], last, module)
