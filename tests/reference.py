"""The running reference: mmengine's own constructor on the same model."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from torch import nn
from torch.optim import Optimizer
from torchvision import ops

from optplan.runtime.stdio import suppress_output
from tests import models

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the packages it imports use what Python deprecates
    from mmengine.optim import build_optim_wrapper
    from mmengine.optim.optimizer import default_constructor
    from mmengine.registry import OPTIMIZERS

Entries = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceGroup:
    """One param group.

    Args:
        params: Its tensors.
        own: The entries that the constructor gave it.
        final: Its entries in the optimizer, which has filled in its defaults.
    """

    params: tuple[nn.Parameter, ...]
    own: Entries
    final: Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOptimizer:
    """What the reference built."""

    groups: tuple[ReferenceGroup, ...]
    defaults: Entries
    class_name: str


def run_reference(
    model: nn.Module,
    optimizer: Entries,
    paramwise: Entries | None,
    *,
    mmcv: bool = True,
    constructor: str | None = None,
) -> ReferenceOptimizer | Exception:
    """Build the reference's optimizer.

    Args:
        model: The model, which is only read.
        optimizer: The optimizer's dict.
        paramwise: Its ``paramwise_cfg``; ``None`` leaves it out.
        mmcv: Let it find mmcv's deformable convolutions: without them it knows none.
        constructor: The constructor's registered name; the default one's by default.

    Returns:
        What it built, or what it raised.
    """
    config: Entries = {"optimizer": optimizer}
    if paramwise is not None:
        config["paramwise_cfg"] = paramwise
    if constructor is not None:
        config["constructor"] = constructor
    return run_reference_section(model, config, mmcv=mmcv)


def run_reference_section(
    model: nn.Module, section: Entries, *, mmcv: bool = True
) -> ReferenceOptimizer | Exception:
    """As :func:`run_reference`, from a whole ``optim_wrapper``."""
    with pytest.MonkeyPatch.context() as patch, suppress_output():
        _set_mmcv(patch, available=mmcv)
        own = _record_groups(patch)
        try:
            built: Optimizer = build_optim_wrapper(model, section).optimizer
        except Exception as error:  # noqa: BLE001 - whatever it raises, optplan must refuse too
            return error
    return ReferenceOptimizer(
        groups=tuple(
            ReferenceGroup(
                params=tuple(group["params"]),
                own=_without_params(given),
                final=_without_params(group),
            )
            for given, group in zip(own, built.param_groups, strict=True)
        ),
        defaults=dict(built.defaults),
        class_name=f"{type(built).__module__}.{type(built).__qualname__}",
    )


def _without_params(group: Entries) -> Entries:
    return {name: value for name, value in group.items() if name != "params"}


def _set_mmcv(patch: pytest.MonkeyPatch, *, available: bool) -> None:
    """Compiled mmcv is there, or is not, whatever is installed."""
    fake = ModuleType("mmcv.ops")
    # isinstance takes a tuple of classes wherever it takes a class
    fake.DeformConv2d = (models.DeformConv2d, ops.DeformConv2d)  # type: ignore[attr-defined]
    fake.ModulatedDeformConv2d = models.ModulatedDeformConv2d  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "mmcv.ops", fake)
    patch.setattr(default_constructor, "mmcv_full_available", lambda: available)


def _record_groups(patch: pytest.MonkeyPatch) -> list[Entries]:
    """Each group as torch is given it, before it fills in the defaults."""
    seen: list[Entries] = []
    real = Optimizer.add_param_group

    def recording(self: Optimizer, param_group: Entries) -> None:
        seen.append(dict(param_group))
        real(self, param_group)

    patch.setattr(Optimizer, "add_param_group", recording)
    return seen


def torch_optimizers() -> list[str]:
    """Names under which the reference registered torch's optimizers; their base class is none."""
    return sorted(
        name
        for name, found in OPTIMIZERS.module_dict.items()
        if found.__module__.partition(".optim")[0] == "torch" and name != "Optimizer"
    )
