"""What the rules ask about the modules that parameters belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import nn

# Recognised by name, since mmcv is rarely installed and torchvision has the layer too.
_DCN_CLASSES = frozenset({"DeformConv2d", "ModulatedDeformConv2d"})


def is_dcn(kind: type) -> bool:
    """Whether a class is a deformable convolution of mmcv or torchvision."""
    return any(base.__name__ in _DCN_CLASSES for base in kind.__mro__)


class OwnerFlags(NamedTuple):
    """What the facts of a module's parameters say of it, as they are named and ordered there."""

    owner_is_norm: bool
    owner_is_conv2d: bool
    owner_is_depthwise: bool
    owner_has_one_group: bool
    owner_keeps_statistics: bool


class Owners:
    """What the rules ask about modules that own parameters; what follows from a class is found out once."""

    def __init__(self) -> None:
        self._of_classes: dict[type, OwnerFlags] = {}

    def of(self, module: nn.Module) -> OwnerFlags:
        """The flags of a module."""
        known = self._of_classes.get(type(module))
        if known is None:
            known = self._of_classes[type(module)] = _class_flags(module)
        keeps = known.owner_keeps_statistics and _has_statistics(module)
        if known.owner_is_conv2d:
            groups, channels = module.groups, module.in_channels
            return OwnerFlags(
                known.owner_is_norm, True, bool(channels == groups), bool(groups == 1), keeps
            )
        return (
            known
            if keeps is known.owner_keeps_statistics
            else known._replace(owner_keeps_statistics=keeps)
        )


def _has_statistics(module: nn.Module) -> bool:
    # a module takes long to find an attribute
    registered = module._buffers.get("running_mean")  # noqa: SLF001
    return registered is not None or getattr(module, "running_mean", None) is not None


def _class_flags(module: nn.Module) -> OwnerFlags:
    """The flags as far as they follow from the class."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.instancenorm import _InstanceNorm

    has_statistics = isinstance(module, _BatchNorm | _InstanceNorm)
    is_norm = has_statistics or isinstance(module, nn.GroupNorm | nn.LayerNorm)
    return OwnerFlags(
        owner_is_norm=is_norm,
        owner_is_conv2d=isinstance(module, nn.Conv2d),
        owner_is_depthwise=False,
        owner_has_one_group=False,
        owner_keeps_statistics=has_statistics,
    )
