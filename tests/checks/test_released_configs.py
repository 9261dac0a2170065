"""Every config of two released packages, without a model: what is told is true, and nothing fails."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from optplan.checks import ALL_CHECKS, Context, Finding
from optplan.checks.facts.unvalidated_section import raw_section
from optplan.config import Config, OptimizerConfig, load_config
from optplan.dialects import find_optimizer
from optplan.errors import ConfigError, OptplanError
from optplan.names import Severity

# How many configs a package has, how many of them have an optimizer, and how many the reference cannot
# load either.
PACKAGES = {"mmpretrain": (846, 514, 8), "mmseg": (769, 688, 0)}

# The options are meant to replace those of the base: _delete=True stands for _delete_=True, so that the
# base's custom keys stay and the option itself is read by nobody. Four configs inherit it.
TWINS = "OPT101 '_delete' in paramwise_cfg does nothing: the entries of the base config stay"
PCPVT = f"configs/twins/twins-pcpvt-base_8xb128_in1k.py:19:24 {TWINS}"
SVT = f"configs/twins/twins-svt-base_8xb128_in1k.py:19:24 {TWINS}"
# Neither the constructor nor SGD reads a wd_mult from a group: theta and phi are decayed all the same.
# One config inherits it from the other.
DNLNET = [
    "configs/dnlnet/dnl_r50-d8_4xb2-80k_cityscapes-769x769.py:16:37"
    " OPT102 'wd_mult' in custom_keys['theta'] does nothing",
    "configs/dnlnet/dnl_r50-d8_4xb2-80k_cityscapes-769x769.py:16:59"
    " OPT102 'wd_mult' in custom_keys['phi'] does nothing",
]

# The starting lr is the floor already: it never goes down.
FLOOR = "configs/_base_/schedules/schedule_80k.py:8:9 OPT502 eta_min 0.0001 is not below the starting lr (0.0001)"
TWINS_FPN = [
    f"twins/twins_{name}_fpn_fpnhead_8xb4-80k_ade20k-512x512.py"
    for name in ("pcpvt-b", "pcpvt-l", "pcpvt-s", "svt-b", "svt-l", "svt-s")
]
# The base counts on 100 epochs, and these train 90; the training goes on for as long again as the schedule.
MILESTONE = (
    "configs/_base_/schedules/imagenet_bs256.py:7:40 OPT504 MultiStepLR: milestone 90 is never reached:"
    " the training has 90 epochs"
)
BEIT = (
    "configs/beit/beit-large_upernet_8xb1-amp-160k_ade20k-640x640.py:37:9 OPT504 no scheduler moves lr from"
    " iteration 160000 to 320000, while others do before or after"
)

# The runner takes a loop's type or by_epoch, and needs one of them: it raises before the first step.
LOOP = {
    "blip/blip-base_8xb32_caption.py": "57:1 OPT506 train_cfg has neither",
    "blip/blip-base_8xb32_caption_flickr30k.py": "57:1 OPT506 train_cfg has neither",
    "blip2/blip2-opt2.7b_8xb16_gqa.py": "85:1 OPT506 train_cfg has neither",
    "blip2/blip2-opt2.7b_8xb16_vqa.py": "93:1 OPT506 train_cfg has neither",
    "maskfeat/benchmarks/vit-base-p16_8xb256-coslr-100e_in1k.py": "109:1 OPT506 train_cfg has both",
}
RUNNER = "OPT008 'runner' is read by mmcv 1.x alone: MMEngine takes no notice of it"
MOBILENET = "mobilenet_v3/mobilenet-v3-d8{}_lraspp_4xb4-320k_cityscapes-512x1024.py"
SCRATCH = f"configs/{MOBILENET.format('-scratch')}:13:1 {RUNNER}"
PRETRAINED = f"configs/{MOBILENET.format('')}:16:1 {RUNNER}"

ERRORS = {
    "mmpretrain": {
        **{
            name: [
                f"configs/{name}:{start} 'type' {'and' if 'both' in start else 'nor'} 'by_epoch', which the"
                " runner refuses"
            ]
            for name, start in LOOP.items()
        },
        "twins/twins-pcpvt-base_8xb128_in1k.py": [PCPVT],
        "twins/twins-pcpvt-large_16xb64_in1k.py": [PCPVT],
        "twins/twins-pcpvt-small_8xb128_in1k.py": [PCPVT],
        "twins/twins-svt-base_8xb128_in1k.py": [SVT],
        "twins/twins-svt-large_16xb64_in1k.py": [SVT],
        "twins/twins-svt-small_8xb128_in1k.py": [SVT],
    },
    "mmseg": {
        "dnlnet/dnl_r50-d8_4xb2-80k_cityscapes-769x769.py": DNLNET,
        "dnlnet/dnl_r101-d8_4xb2-80k_cityscapes-769x769.py": DNLNET,
        **{name: [FLOOR] for name in TWINS_FPN},
    },
}
# The one config that says enable=True.
OTHERS = {
    "mmpretrain": {
        "arcface/resnet50-arcface_8xb32_inshop.py": [
            "configs/arcface/resnet50-arcface_8xb32_inshop.py:66:22 OPT007 auto_scale_lr is enabled: every"
            " lr is multiplied by the total batch / 256 when the training starts"
        ],
        **{f"densenet/densenet{size}_4xb256_in1k.py": [MILESTONE] for size in (121, 161, 169, 201)},
        "lenet/lenet5_mnist.py": [
            "configs/lenet/lenet5_mnist.py:45:5 OPT504 MultiStepLR: milestone 15 is never reached:"
            " the training has 5 epochs"
        ],
        "vision_transformer/vit-base-p16_4xb544-ipu_in1k.py": [
            f"configs/vision_transformer/vit-base-p16_4xb544-ipu_in1k.py:106:1 {RUNNER}"
        ],
        "resnet/resnet50_8xb128_coslr-90e_in21k.py": [
            "configs/_base_/schedules/imagenet_bs1024_coslr.py:8:70 OPT504 CosineAnnealingLR: end 100 is"
            " past the end of the training, which has 90 epochs"
        ],
    },
    "mmseg": {
        MOBILENET.format("-scratch"): [SCRATCH],
        MOBILENET.format("-scratch-s"): [SCRATCH],
        MOBILENET.format(""): [PRETRAINED],
        MOBILENET.format("-s"): [PRETRAINED],
        "beit/beit-large_upernet_8xb1-amp-160k_ade20k-640x640.py": [BEIT],
        "beit/beit-large_upernet_8xb1-amp-160k_ade20k-640x640_ms.py": [BEIT],
        "ocrnet/ocrnet_r101-d8_8xb2-80k_cityscapes-512x1024.py": [
            "configs/ocrnet/ocrnet_r101-d8_8xb2-80k_cityscapes-512x1024.py:15:9 OPT504 no scheduler moves lr"
            " from iteration 40000 to 80000, while others do before or after"
        ],
    },
}


def folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            pytest.fail(f"{package} is not installed, its configs cannot be checked")
        pytest.skip(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0]) / ".mim" / "configs"


def context_for(config: Config) -> Context:
    section: OptimizerConfig | None = None
    trouble: OptplanError | None = None
    try:
        section = find_optimizer(config)
    except ConfigError as error:
        # a part that defines no optimizer is passed over
        trouble = error if raw_section(config) is not None else None
    return Context(config=config, section=section, trouble=trouble)


def told(finding: Finding) -> str:
    place = str(finding.place).partition("/.mim/")[2]
    return f"{place} {finding.code} {finding.message}"


@pytest.mark.sweep
@pytest.mark.parametrize("package", PACKAGES)
def test_every_config(package: str) -> None:
    paths = sorted(folder_of(package).rglob("*.py"))
    errors: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    unreadable = sections = 0
    for path in paths:
        try:
            context = context_for(load_config(path))
        except ConfigError:
            unreadable += 1
            continue
        findings = [finding for check in ALL_CHECKS for finding in check.run(context)]
        if context.raw is not None:
            # nothing is wrong with a section, so that no other check has anything to tell either
            assert context.trouble is None, path
            sections += 1
        name = path.relative_to(folder_of(package)).as_posix()
        for finding in findings:
            found = errors if finding.severity is Severity.ERROR else others
            found.setdefault(name, []).append(told(finding))
    assert errors == ERRORS[package]
    assert others == OTHERS[package]
    assert (len(paths), sections, unreadable) == PACKAGES[package]
