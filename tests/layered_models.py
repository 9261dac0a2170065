"""Small models that know which layer a parameter is in, as mmpretrain's do."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import torch
from torch import nn

from optplan.model.meta import build_on_meta
from tests.models import ModulatedDeformConv2dPack

Depth = tuple[int, int]


class Backbone(nn.Module):
    """Two blocks behind a token; the first block's convolution is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, 4))
        self.gamma = nn.Parameter(torch.empty(4))
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"conv": nn.Conv2d(4, 4, 1, groups=4), "norm": nn.LayerNorm(4)})
            for _ in range(2)
        )
        self.dcn = ModulatedDeformConv2dPack(4)
        self.blocks.get_submodule("0.conv").requires_grad_(False)

    def get_layer_depth(self, name: str, prefix: str = "") -> Depth:
        """Layer 0 is the token, 1 and 2 are the blocks, 3 is all else."""
        if not name.startswith(prefix):
            return 3, 4
        words = name[len(prefix) :].split(".")
        if words[0] == "blocks":
            return int(words[1]) + 1, 4
        return (0 if words[0] == "cls_token" else 3), 4


class Classifier(nn.Module):
    """A backbone, a head, and a parameter of its own; it asks its backbone for layers."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(()))
        self.backbone = Backbone()
        self.head = nn.Linear(4, 2)

    def get_layer_depth(self, name: str) -> Depth:
        """As the backbone says."""
        return self.backbone.get_layer_depth(name, "backbone.")


class Wrapper(nn.Module):
    """A classifier behind the name ``module``, which constructors unwrap."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Classifier()


class OnlyItsBackboneKnows(nn.Module):
    """It has no ``get_layer_depth`` itself."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.head = nn.Linear(4, 2)


class Tied(Classifier):
    """The head's bias is a parameter of the backbone, too."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone.blocks.get_submodule("1.conv").bias = self.head.bias


class Answers(nn.Module):
    """Gives any answer, or raises it."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.stem = nn.Linear(2, 2)
        self.head = nn.Linear(2, 2)
        self.head.requires_grad_(False)
        self._answer = answer

    def get_layer_depth(self, name: str) -> Any:
        """The answer, but for the frozen head, of which nothing is known."""
        if isinstance(self._answer, Exception):
            raise self._answer
        if name.startswith("head"):
            raise KeyError(name)
        return self._answer


def _classifier(backbone: dict[str, Any], channels: int, **more: Any) -> dict[str, Any]:
    head = {"type": "LinearClsHead", "num_classes": 10, "in_channels": channels}
    return {"type": "ImageClassifier", "backbone": backbone, "head": head, **more}


_POOLED = {"neck": {"type": "GlobalAveragePooling"}}
MMPRETRAIN: dict[str, dict[str, Any]] = {
    "vit": _classifier({"type": "VisionTransformer", "arch": "deit-tiny", "img_size": 32}, 192),
    "beit": _classifier({"type": "BEiTViT", "arch": "deit-tiny", "img_size": 32}, 192),
    "swin": _classifier({"type": "SwinTransformer", "arch": "tiny"}, 768, **_POOLED),
    "convnext": _classifier({"type": "ConvNeXt", "arch": "atto"}, 320),
    "resnet50": _classifier({"type": "ResNet", "depth": 50}, 2048, **_POOLED),
}
OWN = (Classifier, Wrapper)


@cache
def layered_model(name: str) -> nn.Module:
    """One of these models without memory, by its class's name or its name in mmpretrain."""
    if name in MMPRETRAIN:
        return build_on_meta(lambda: _of_mmpretrain(MMPRETRAIN[name]), name)
    with torch.device("meta"):
        model: nn.Module = globals()[name]()
        return model


def _of_mmpretrain(config: dict[str, Any]) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the packages it imports use what Python deprecates
        import mmpretrain.models  # noqa: F401
        from mmengine.registry import DefaultScope
        from mmpretrain.registry import MODELS

        with DefaultScope.overwrite_default_scope("mmpretrain"):
            built: nn.Module = MODELS.build(config)
            return built
