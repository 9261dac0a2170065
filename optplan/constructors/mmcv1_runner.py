"""Stand-ins for what constructors and optimizers import from mmcv 1.x, where that is not installed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.optim import Optimizer

from optplan.constructors.lookup import HOME_OF_MMCV1 as HOME
from optplan.constructors.mmcv1 import DEFAULT_OF_MMCV1, Mmcv1OptimizerConstructor
from optplan.constructors.optimizers import OPTIMIZERS, optimizer_class
from optplan.constructors.registered import OPTIMIZER_CONSTRUCTORS
from optplan.constructors.registry import Registry
from optplan.constructors.world_size import takes_rank_alone


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
        self._validate_cfg()

    def _validate_cfg(self) -> None:
        """Do nothing: the options are valid by now, and subclasses add what they demand."""


class BaseModule(nn.Module):
    """A module that mmcv 1.x initializes by ``init_cfg``, which changes no plan."""

    def __init__(self, init_cfg: object = None) -> None:
        super().__init__()
        self.init_cfg = init_cfg


def _dist_info() -> tuple[int, int]:
    """Return rank and world size, which is asked for only where the caller uses it."""
    if takes_rank_alone(sys._getframe(1)):  # noqa: SLF001 - no other way to know the caller
        return 0, 1
    return 0, distributed.get_world_size() if distributed.is_initialized() else 1


def _registry(
    name: str, build_func: object = None, parent: Registry | None = None, scope: str | None = None
) -> Registry:
    """Return a registry; one that a package makes below mmcv's is mmcv's own, so that names are found in it."""
    del build_func, scope
    return Registry(name) if parent is None else parent


def _build_from_cfg(
    cfg: Mapping[str, Any], registry: Registry, default_args: Mapping[str, Any] | None = None
) -> Any:
    """Make an entry of a registry; ``type`` names it, all else are its arguments."""
    if registry is not OPTIMIZERS:
        return registry.build(cfg, **(default_args or {}))
    arguments = {**(default_args or {}), **cfg}
    return optimizer_class(arguments.pop("type"))(**arguments)


def _build_constructor(cfg: Mapping[str, Any]) -> Any:
    """Make the constructor that ``type`` names."""
    arguments = dict(cfg)
    kind = arguments.pop("type")
    added = OPTIMIZER_CONSTRUCTORS.added(kind)
    if added is None and kind == DEFAULT_OF_MMCV1:
        added = DefaultOptimizerConstructor
    return OPTIMIZER_CONSTRUCTORS.build(cfg) if added is None else added(**arguments)


def _build_optimizer(model: nn.Module, cfg: Mapping[str, Any]) -> Optimizer:
    """Make the optimizer of a section, as ``mmcv.runner.build_optimizer`` does."""
    section = dict(cfg)
    kind = section.pop("constructor", DEFAULT_OF_MMCV1)
    options = section.pop("paramwise_cfg", None)
    constructor = {"type": kind, "optimizer_cfg": section, "paramwise_cfg": options}
    made: Optimizer = _build_constructor(constructor)(model)
    return made


def _is_list_of(found: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(found, list) and all(isinstance(one, kind) for one in found)


_RUNNER: Mapping[str, object] = {
    "OPTIMIZER_BUILDERS": OPTIMIZER_CONSTRUCTORS,
    "OPTIMIZERS": OPTIMIZERS,
    "DefaultOptimizerConstructor": DefaultOptimizerConstructor,
    "BaseModule": BaseModule,
    "get_dist_info": _dist_info,
    "build_optimizer": _build_optimizer,
    "build_optimizer_constructor": _build_constructor,
}
_UTILS: Mapping[str, object] = {
    "Registry": _registry,
    "build_from_cfg": _build_from_cfg,
    "get_logger": logging.getLogger,
    "is_list_of": _is_list_of,
    "SyncBatchNorm": nn.SyncBatchNorm,
    "_BatchNorm": _BatchNorm,
    "_ConvNd": _ConvNd,
    "_InstanceNorm": _InstanceNorm,
}
# Packages for mmcv 1.x of whose utils constructors ask for the log; newer ones of the same names have none.
_PACKAGES = (
    "mmaction", "mmcls", "mmdet", "mmdet3d", "mmedit", "mmfewshot", "mmgen", "mmocr", "mmpose", "mmrotate",
    "mmseg", "mmselfsup", "mmtrack",
)  # fmt: skip
_MODULES: Mapping[str, Mapping[str, object]] = {
    "mmcv": {**_UTILS, "__version__": "1.7.2"},
    "mmcv.utils": _UTILS,
    "mmcv.utils.ext_loader": {"check_ops_exist": lambda: False},
    HOME: _RUNNER,
    f"{HOME}.base_module": _RUNNER,
    f"{HOME}.builder": _RUNNER,
    f"{HOME}.dist_utils": _RUNNER,
    f"{HOME}.optimizer": _RUNNER,
    f"{HOME}.optimizer.builder": _RUNNER,
    f"{HOME}.optimizer.default_constructor": _RUNNER,
    **{name: {} for name in _PACKAGES},
    **{f"{name}.utils": {"get_root_logger": logging.getLogger} for name in _PACKAGES},
}


@contextmanager
def names_of_mmcv1() -> Iterator[bool]:
    """Let modules of those names be imported meanwhile, where mmcv 1.x is not installed.

    What stands there before, mmcv 2 or a newer package, is put back afterwards.

    Yields:
        Whether stand-ins are in their place.
    """
    if _is_installed():
        yield False
        return
    before = {name: one for name, one in sys.modules.items() if _is_hidden(name)}
    _remove(before)
    sys.modules.update(_stand_ins())
    try:
        yield True
    finally:
        _remove([name for name in sys.modules if _is_hidden(name)])
        sys.modules.update(before)


def _is_installed() -> bool:
    """Return whether the installed mmcv has a runner, as 1.x does; nothing is imported."""
    try:
        spec = find_spec("mmcv")
    except ValueError:  # a module that was made by hand
        spec = None
    folders = (spec and spec.submodule_search_locations) or ()
    return HOME in sys.modules or any(Path(folder, "runner").is_dir() for folder in folders)


def _is_hidden(name: str) -> bool:
    top = name.partition(".")[0]
    return top == "mmcv" or top in _PACKAGES


def _remove(names: Iterable[str]) -> None:
    for name in names:
        del sys.modules[name]


def _stand_ins() -> dict[str, ModuleType]:
    found: dict[str, ModuleType] = {}
    for name, members in _MODULES.items():
        found[name] = ModuleType(name)
        found[name].__path__ = []
        vars(found[name]).update(members)
        package, _, last = name.rpartition(".")
        if package:
            setattr(found[package], last, found[name])
    return found
