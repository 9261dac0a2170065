"""The grid of the comparison: timm families, optimizers and awkward ``paramwise_cfg``s."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import torch
from torch import nn

from tests.models import hard_case

Entries = dict[str, Any]

# A small variant of each family; CoaT shares tensors, the last has deformable convolutions.
FAMILIES = (
    "convnext_atto",
    "deit_tiny_distilled_patch16_224",
    "edgenext_xx_small",
    "efficientformer_l1",
    "mixer_s32_224",
    "mobilenetv3_small_050",
    "mobilevit_xxs",
    "pit_ti_224",
    "poolformer_s12",
    "regnetx_002",
    "repvgg_a0",
    "resnet18",
    "swin_tiny_patch4_window7_224",
    "tf_efficientnet_lite0",
    "vit_tiny_patch16_224",
    "coat_lite_tiny",
    "DcnBackbone",
)
LARGE_FAMILIES = ("densenet121", "maxvit_pico_rw_256", "xcit_nano_12_p16_224")
SHARING_FAMILIES = ("coat_lite_tiny",)

BASES: dict[str, Entries] = {
    "sgd": {"type": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4},
    "adamw": {"type": "AdamW", "lr": 3e-4, "betas": (0.9, 0.95), "weight_decay": 0.05},
    "sgd_without_decay": {"type": "SGD", "lr": 1},
    "adamw_without_decay": {"type": "AdamW", "lr": 0.007},
    "sgd_without_lr": {"type": "SGD", "weight_decay": 0.3},
}

_DECAYING = ("sgd", "adamw")
_LACKING = ("sgd_without_decay", "adamw_without_decay", "sgd_without_lr")

ALL_OPTIONS: Entries = {
    "bias_lr_mult": 2.0,
    "bias_decay_mult": 0.3,
    "norm_decay_mult": 0.7,
    "flat_decay_mult": 0.9,
    "dwconv_decay_mult": 1 / 3,
    "dcn_offset_lr_mult": 0.1,
}
_WITHOUT_NORM = {k: v for k, v in ALL_OPTIONS.items() if k != "norm_decay_mult"}

PARAMWISE: dict[str, Entries] = {
    "empty": {},
    "unknown_option": {"norm_decay_mul": 0.0},
    "no_keys": {"custom_keys": {}},
    "bypass_alone": {"bypass_duplicate": True},
    "norm": {"norm_decay_mult": 0},
    "bias_lr": {"bias_lr_mult": 1 / 3},
    "bias_decay": {"bias_decay_mult": 0.1, "bypass_duplicate": True},
    "dwconv": {"dwconv_decay_mult": 0.3},
    "flat": {"flat_decay_mult": 0.0},
    "dcn_offset": {"dcn_offset_lr_mult": 0.1},
    "dwconv_and_flat": {"dwconv_decay_mult": 1 / 3, "flat_decay_mult": 0.1},
    "options_of_none": {"norm_decay_mult": None, "bias_lr_mult": None, "flat_decay_mult": 0.1},
    "all_options": {**ALL_OPTIONS, "bypass_duplicate": True},
    "all_but_norm": _WITHOUT_NORM,
    "empty_key": {"custom_keys": {"": {"lr_mult": 0.1}}, "norm_decay_mult": 0.0},
    "empty_key_and_others": {
        "custom_keys": {"": {"decay_mult": 1 / 3}, "n": {"lr_mult": 3}, "bias": {}},
    },
    "overlapping": {
        "custom_keys": {
            "1": {"lr_mult": 0.1},
            "s.1": {"lr_mult": 0.2, "decay_mult": 0.3},
            "s.1.": {"decay_mult": 0.0},
            "blocks.1": {"lr_mult": 1 / 3},
            "blocks.10": {"lr_mult": 7.0},
            "blocks.1.norm": {"decay_mult": 0.7},
            "layer1.0.b": {"lr_mult": 0.5},
        },
        **ALL_OPTIONS,
    },
    "same_length": {
        "custom_keys": {
            "norm": {"lr_mult": 0.1},
            "bias": {"lr_mult": 0.2},
            ".0.w": {"decay_mult": 0.3},
            "conv": {"decay_mult": 0.1, "lr_mult": 1 / 3},
            "head": {"decay_mult": 0, "lr_mult": 0},
            "Bias": {"lr_mult": 9.0},
        },
        "bypass_duplicate": True,
    },
    "root_dots": {
        "custom_keys": {
            ".cls_token": {"decay_mult": 0.0},
            ".pos_embed": {"decay_mult": 0.0, "lr_mult": 0.1},
            ".dist_token": {"lr_mult": 0.3},
            ".head": {"lr_mult": 10.0},
            ".bias": {"decay_mult": 0.0},
        },
        "norm_decay_mult": 0.0,
    },
    "only_a_dot": {"custom_keys": {".": {"lr_mult": 0.7}}, **ALL_OPTIONS},
    "many_dots": {"custom_keys": {"..": {"lr_mult": 5.0}, ".0.": {"lr_mult": 0.1}}},
    "lr_only": {"custom_keys": {"norm": {"lr_mult": 0.1}, "bn": {"lr_mult": 0.2}}, **ALL_OPTIONS},
    "decay_only": {
        "custom_keys": {"weight": {"decay_mult": 0.1}, "token": {"decay_mult": 0.0}},
        "bias_lr_mult": 2.0,
        "bypass_duplicate": True,
    },
    "unknown_fields": {
        "custom_keys": {
            "0": {"foo": "bar", "wd_mult": 0.0},
            "1": {"momentum": 0.5, "nesterov": True},
            "2": {"betas": (0.8, 0.9), "eps": 1e-3, "lr_mult": 1},
            "bias": {"foo": None, "lr_multi": {"a": (1, 2.0)}},
        },
        "bypass_duplicate": True,
    },
    "lr_in_key": {
        "custom_keys": {
            "conv": {"lr": 0.02},
            "norm": {"lr": 5, "lr_mult": 0.1},
            "weight": {"lr": 0.0, "decay_mult": 0.5},
        },
        "bypass_duplicate": True,
    },
    "decay_in_key": {
        "custom_keys": {
            "conv": {"weight_decay": 0.02},
            "norm": {"weight_decay": 0, "decay_mult": 0.1},
            "bias": {"weight_decay": 1e-3, "lr": 0.3, "foo": 1},
        },
        "bias_lr_mult": 2.0,
        "flat_decay_mult": 0.1,
    },
    "decay_in_key_alone": {"custom_keys": {"weight": {"weight_decay": 0.02}}},
    "never_hit": {"custom_keys": {"backbone.encoder": {"lr_mult": 0.1}}},
    "everything": {
        "custom_keys": {
            "blocks.0": {"lr_mult": 0.1, "decay_mult": 0.1},
            ".0.": {"lr_mult": 0.2, "foo": 2},
            "bias": {"decay_mult": 0.0},
            "conv1": {"lr_mult": 0.6},
            ".cls": {"decay_mult": 0.0, "lr": 0.1},
        },
        **ALL_OPTIONS,
        "bypass_duplicate": True,
        "foo": 1,
    },
}


@cache
def family(name: str) -> nn.Module:
    """The model on meta, built once."""
    if name[0].isupper():
        return hard_case(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what timm says to torch's deprecations
        import timm

        with torch.device("meta"):
            model: nn.Module = timm.create_model(name)
    return model


def paramwise_for(family_name: str, name: str) -> list[Entries]:
    """The ``paramwise_cfg``; where tensors are shared once more with the duplicates left out."""
    paramwise = PARAMWISE[name]
    if paramwise and family_name in SHARING_FAMILIES and "bypass_duplicate" not in paramwise:
        return [paramwise, {**paramwise, "bypass_duplicate": True}]
    return [paramwise]


def bases_for(family_name: str, name: str) -> list[Entries]:
    """The bases in turn: always one with an lr and a decay, at times one that lacks either."""
    turn = FAMILIES.index(family_name) + list(PARAMWISE).index(name)
    names = [_DECAYING[turn % 2]]
    if turn % 3 == 0:
        names.append(_LACKING[turn // 3 % 3])
    return [BASES[name] for name in names]
