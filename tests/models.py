"""Tiny models with one hard case each, by name in ``HARD_CASES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrizations
from torchvision import ops


class DeformConv2d(nn.Module):
    """As mmcv's: recognised by its name."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(channels))


class ModulatedDeformConv2d(DeformConv2d):
    """As mmcv's."""


class ModulatedDeformConv2dPack(ModulatedDeformConv2d):
    """As mmcv's: with the layer that makes its offsets as a child."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.conv_offset = nn.Conv2d(channels, 27, 3)


class NestedOffsets(DeformConv2d):
    """The offsets come from a child's children, whose parent is no deformable convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.conv_offset = nn.Sequential(nn.Conv2d(channels, 4, 1), nn.Conv2d(4, 18, 3))
        self.norm = nn.BatchNorm2d(channels)
        self.other = nn.Conv2d(channels, 4, 1)
        self.depthwise = nn.Conv2d(channels, channels, 3, groups=channels)


class ConvOffsetOfNone(nn.Module):
    """A ``conv_offset`` whose parent is no deformable convolution, though its name begins like one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_offset = nn.Conv2d(4, 18, 3)


class OtherOffsets(DeformConv2d):
    """``conv_offset`` is a 1-D convolution, and is in the path of a child of another name."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.conv_offset = nn.Conv1d(channels, 18, 3)
        self.my_conv_offset_2 = nn.Conv2d(channels, 18, 3)
        self.transposed_conv_offset = nn.ConvTranspose2d(channels, 18, 3)


class TorchvisionPack(ops.DeformConv2d):  # type: ignore[misc]
    """torchvision's layer with the same child."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 3)
        self.conv_offset = nn.Conv2d(channels, 18, 3)


class Dcn(nn.Module):
    """Deformable convolutions of every kind, one below another's ``conv_offset`` too."""

    def __init__(self) -> None:
        super().__init__()
        self.pack = ModulatedDeformConv2dPack(4)
        self.nested = NestedOffsets(4)
        self.torchvision = TorchvisionPack(4)
        self.plain = ConvOffsetOfNone()
        self.other = OtherOffsets(4)
        self.conv_offset = nn.Sequential(ModulatedDeformConv2dPack(2))


class DcnBackbone(nn.Module):
    """Eight blocks with a deformable convolution each."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm1": nn.BatchNorm2d(4),
                    "conv1": nn.Conv2d(4, 4, 1),
                    "conv2": ModulatedDeformConv2dPack(4),
                }
            )
            for _ in range(8)
        )
        self.head = nn.Linear(4, 3)


class TiedAcrossParents(nn.Module):
    """One tensor in two modules of different kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.norm = nn.LayerNorm(4)
        self.decoder = nn.Linear(4, 5)
        self.decoder.weight = self.embedding.weight


class TiedInOneModule(nn.Module):
    """One tensor under two names of one module: the second is never visited."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(3))
        self.second = self.first
        self.body = nn.Linear(2, 2)
        self.body.register_parameter("again", self.body.bias)


class ModuleOfTwoParents(nn.Module):
    """A module below two parents: visited twice."""

    def __init__(self) -> None:
        super().__init__()
        shared = nn.Linear(2, 2)
        self.left = nn.Sequential(shared, nn.LayerNorm(2))
        self.right = nn.Sequential(nn.LayerNorm(2), shared)


class ModuleTwiceBelowOneParent(nn.Module):
    """A module under two names of one parent: visited once, below its first name."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.second = self.first
        self.tail = nn.BatchNorm1d(2)


class TiedNormAndBias(nn.Module):
    """A norm's weight is another module's bias: who comes first names the rule."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)
        self.norm = nn.LayerNorm(3)
        self.norm.weight = self.head.bias


class PartlyFrozen(nn.Module):
    """Frozen parameters between trainable ones."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3).requires_grad_(False)
        self.norm = nn.BatchNorm2d(4)
        self.norm.bias.requires_grad_(False)
        self.head = nn.Linear(4, 2)


class AllFrozen(nn.Module):
    """Nothing to train."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.requires_grad_(False)


class FrozenAndTied(nn.Module):
    """The tied tensor is frozen: no duplicate."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.embedding.requires_grad_(False)
        self.decoder = nn.Linear(4, 5)
        self.decoder.weight = self.embedding.weight


class RootParameter(nn.Module):
    """A parameter of the root: keys see it as ``.tok``."""

    def __init__(self) -> None:
        super().__init__()
        self.tok = nn.Parameter(torch.empty(1, 1, 4))
        self.body = nn.Linear(4, 4)
        self.tokens = nn.Embedding(3, 4)


class FewDimensions(nn.Module):
    """Parameters of the root with no dimension, one, and one of no elements."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.gamma = nn.Parameter(torch.empty(3))
        self.bias = nn.Parameter(torch.empty(3))
        self.none = nn.Parameter(torch.empty(0))
        self.body = nn.Linear(3, 3)


class OwnLayerNorm(nn.LayerNorm):
    """Still a norm."""


class NormLike(nn.Module):
    """Looks like a norm and is none."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))


class Norms(nn.Module):
    """Norms of every kind, and what only looks like one."""

    def __init__(self) -> None:
        super().__init__()
        self.bn1d = nn.BatchNorm1d(4)
        self.bn2d = nn.BatchNorm2d(4)
        self.bn3d = nn.BatchNorm3d(4)
        self.sync = nn.SyncBatchNorm(4)
        self.instance = nn.InstanceNorm2d(4, affine=True)
        self.group = nn.GroupNorm(2, 4)
        self.layer = nn.LayerNorm((4, 4))
        self.layer_without_bias = nn.LayerNorm(4, bias=False)
        self.own_layer = OwnLayerNorm(4)
        self.rms = nn.RMSNorm(4)
        self.like = NormLike(4)
        self.body = nn.Linear(4, 4)


class NormsWithoutParameters(nn.Module):
    """Norms that own nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LayerNorm(4, elementwise_affine=False)
        self.instance = nn.InstanceNorm1d(4)
        self.bn = nn.BatchNorm2d(4, affine=False)
        self.body = nn.Linear(4, 4, bias=False)


class Convolutions(nn.Module):
    """Depthwise convolutions, one that only counts as such, and some that do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.one_channel = nn.Conv2d(1, 4, 3)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.multiplied = nn.Conv2d(4, 8, 3, groups=4, bias=False)
        self.grouped = nn.Conv2d(4, 4, 3, groups=2)
        self.depthwise_1d = nn.Conv1d(4, 4, 3, groups=4)
        self.transposed = nn.ConvTranspose2d(4, 4, 3, groups=4)
        self.transposed_one_channel = nn.ConvTranspose2d(1, 4, 3)


class OddBias(nn.Module):
    """Parameters called ``bias`` that are no vector, and a child of that name."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Module()
        self.table.register_parameter("bias", nn.Parameter(torch.empty(3, 3)))
        self.table.register_parameter("rel_bias", nn.Parameter(torch.empty(3)))
        self.bias = nn.Linear(2, 2)
        self.bilinear = nn.Bilinear(2, 2, 2)


class Attention(nn.Module):
    """``in_proj_bias`` is no ``bias``."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, add_bias_kv=True)
        self.split = nn.MultiheadAttention(4, 2, kdim=2, vdim=3)


class Wrapper(nn.Module):
    """A child called ``module``: only that is walked. Ties go through the wall, a name before it."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Linear(4, 4)
        self.module = RootParameter()
        self.after = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(torch.empty(1))
        self.before.weight = self.module.body.weight
        self.after.weight = self.module.body.bias


class WrapperInWrapper(nn.Module):
    """Only the outer one is taken off."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Wrapper()


class ModuleProperty(nn.Module):
    """A property ``module`` that gives a registered child."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2)
        self.inner = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))

    @property
    def module(self) -> nn.Module:
        """The child that constructors walk."""
        return self.inner


class ModulePropertyOfItself(nn.Module):
    """A property ``module`` that gives the model."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2)

    @property
    def module(self) -> nn.Module:
        """The model."""
        return self


class ModuleIsNoModule(nn.Module):
    """An attribute ``module`` that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.module = "resnet"
        self.body = nn.Linear(2, 2)


class ModuleIsNone(nn.Module):
    """A child ``module`` that is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.register_module("module", None)
        self.body = nn.Linear(2, 2)


class NoParameters(nn.Module):
    """Nothing to optimize."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()


class MixedDtypes(nn.Module):
    """Parameters of several dtypes."""

    def __init__(self) -> None:
        super().__init__()
        self.in_half = nn.Linear(2, 2).half()
        self.in_bfloat = nn.LayerNorm(2).bfloat16()
        self.in_double = nn.Linear(2, 2).double()
        self.in_complex = nn.Parameter(torch.empty(2, dtype=torch.complex64))
        self.in_whole = nn.Parameter(torch.zeros(2, dtype=torch.int8), requires_grad=False)


class NoneEntries(nn.Module):
    """Children and parameters that are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.register_module("gone", None)
        self.register_parameter("missing", None)
        self.register_module("downsample", None)
        self.body = nn.Linear(2, 2, bias=False)


class OddNames(nn.Module):
    """Names that markup, patterns and terminals read in their own way."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module("[red]", nn.Linear(2, 2))
        self.add_module("[/x]", nn.LayerNorm(2))
        self.add_module("a b", nn.Linear(2, 2))
        self.add_module("größe", nn.Linear(2, 2))
        self.add_module("{a,b}*", nn.Linear(2, 2))
        self.register_parameter("back\\slash", nn.Parameter(torch.empty(2)))
        self.register_parameter("0", nn.Parameter(torch.empty(2, 2)))


class Containers(nn.Module):
    """Parameters that lists and dicts own."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(11))
        self.tokens = nn.ParameterList([torch.empty(2), torch.empty(2, 2)])
        self.scales = nn.ParameterDict({"bias": torch.empty(2), "weight": torch.empty(1)})
        self.heads = nn.ModuleDict({"cls": nn.Linear(2, 2), "norm": nn.GroupNorm(1, 2)})


class WeightNormed(nn.Module):
    """Parametrized weights: another module owns the tensors, and the owner's class is made up."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = parametrizations.weight_norm(nn.Linear(2, 2))
        self.depthwise = parametrizations.weight_norm(nn.Conv2d(4, 4, 3, groups=4))
        self.norm = nn.utils.parametrize.register_parametrization(
            nn.LayerNorm(2), "weight", nn.Identity()
        )


class OlderNamedParameters(nn.Module):
    """Overrides a method as it was before it took ``remove_duplicate``."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.norm = nn.LayerNorm(2)

    def named_parameters(  # type: ignore[override]
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """As it was."""
        return super().named_parameters(prefix, recurse)


HARD_CASES: dict[str, Callable[[], nn.Module]] = {
    case.__name__: case
    for case in (
        AllFrozen,
        Attention,
        Containers,
        Convolutions,
        Dcn,
        DcnBackbone,
        FewDimensions,
        FrozenAndTied,
        MixedDtypes,
        ModuleIsNoModule,
        ModuleIsNone,
        ModuleOfTwoParents,
        ModuleProperty,
        ModulePropertyOfItself,
        ModuleTwiceBelowOneParent,
        NoParameters,
        NoneEntries,
        Norms,
        NormsWithoutParameters,
        OddBias,
        OddNames,
        OlderNamedParameters,
        PartlyFrozen,
        RootParameter,
        TiedAcrossParents,
        TiedInOneModule,
        TiedNormAndBias,
        WeightNormed,
        Wrapper,
        WrapperInWrapper,
    )
}


def hard_case(name: str, **arguments: Any) -> nn.Module:
    """The model of that name, on meta."""
    with torch.device("meta"):
        return HARD_CASES[name](**arguments)
