"""The scale of every parameter equals timm's; ``tests/bench/layer_decay.py`` does the same for all models."""

from __future__ import annotations

import pytest
import timm
import torch

from tests.timm_layers import differences, timm_scales

FAMILIES = (
    "beit_base_patch16_224",
    "cait_xxs24_224",
    "coat_lite_tiny",
    "convit_tiny",
    "convnext_atto",
    "crossvit_tiny_240",
    "deit_tiny_distilled_patch16_224",
    "densenet121",
    "dla34",
    "dm_nfnet_f0",
    "edgenext_xx_small",
    "efficientformer_l1",
    "eva02_tiny_patch14_224",
    "focalnet_tiny_srf",
    "hiera_tiny_224",
    "hrnet_w18_small",
    "levit_128s",
    "maxvit_pico_rw_256",
    "mixer_s32_224",
    "mobilenetv3_small_050",
    "mobilevit_xxs",
    "pvt_v2_b0",
    "regnetx_002",
    "repvgg_a0",
    "res2net50_26w_4s",
    "resnet18",
    "swin_tiny_patch4_window7_224",
    "tf_efficientnet_lite0",
    "twins_svt_small",
    "vgg11_bn",
    "vit_tiny_patch16_224",
    "volo_d1_224",
    "xcit_nano_12_p16_224",
)


@pytest.mark.parametrize("name", FAMILIES)
def test_scales_are_timms(name: str) -> None:
    with torch.device("meta"):
        model = timm.create_model(name)
    assert hasattr(model, "group_matcher")
    # else the comparison would say nothing
    assert len(set(timm_scales(model).values())) > 3
    assert differences(model) == {}


def test_there_are_thirty_families() -> None:
    assert len(FAMILIES) >= 30
