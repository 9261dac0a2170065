"""Read the flags of the module that a parameter belongs to: the fields ``owner_is_…`` of ``ParameterFacts``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import nn

# Recognized by name: mmcv is rarely installed, and torchvision has the layer too.
_DCN_CLASSES = frozenset({"DeformConv2d", "ModulatedDeformConv2d"})


class OwnerFlags(NamedTuple):
    """The fields of :class:`optplan.facts.ParameterFacts` that the owning module decides."""

    owner_is_norm: bool
    owner_is_conv2d: bool
    owner_is_depthwise: bool
    owner_has_one_group: bool
    owner_keeps_statistics: bool


def is_dcn(kind: type) -> bool:
    """Return whether a class is a deformable convolution of mmcv or torchvision."""
    return any(base.__name__ in _DCN_CLASSES for base in kind.__mro__)


def owner_flags(module: nn.Module) -> OwnerFlags:
    """Return what the rules ask about a module that owns parameters."""
    kind: type = type(module)
    is_norm, is_conv2d, may_keep = _class_flags(kind)
    groups = module.groups if is_conv2d else None
    return OwnerFlags(
        owner_is_norm=is_norm,
        owner_is_conv2d=is_conv2d,
        owner_is_depthwise=is_conv2d and bool(module.in_channels == groups),
        owner_has_one_group=is_conv2d and bool(groups == 1),
        owner_keeps_statistics=may_keep and _has_statistics(module),
    )


@cache
def _class_flags(kind: type) -> tuple[bool, bool, bool]:
    """Return whether a class is a norm, a Conv2d, and a norm that may keep running statistics."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.instancenorm import _InstanceNorm

    may_keep = issubclass(kind, _BatchNorm | _InstanceNorm)
    is_norm = may_keep or issubclass(kind, nn.GroupNorm | nn.LayerNorm)
    return is_norm, issubclass(kind, nn.Conv2d), may_keep


def _has_statistics(module: nn.Module) -> bool:
    # Looking an attribute of a module up is slow.
    registered = module._buffers.get("running_mean")  # noqa: SLF001
    return registered is not None or getattr(module, "running_mean", None) is not None
