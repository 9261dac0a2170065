"""Every sample config verifies on the CPU, with a small model of its kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Invoke
from tests.schema import validate
from tests.test_samples import samples

MODELS = "sample_configs/models.py"
IMAGES = ("--input", "2x3x8x8")
RESNET = ("-m", "test_resnet")
SEGMENTOR = ("-m", f"{MODELS}:Segmentor", *IMAGES)
VIT = ("-m", "test_vit")
WORDS = ("-m", f"{MODELS}:TiedLanguageModel", "--input", "2x9:int64")
OWN = ("--input", "2x3x64x64")

OPTIONS: dict[str, tuple[str, ...]] = {
    "auto_scale_lr.py": (*RESNET, "--world-size", "16"),
    "backbone_and_head.py": SEGMENTOR,
    "bag_of_tricks.py": RESNET,
    "bias_lr.py": SEGMENTOR,
    "custom_constructor.py": (*SEGMENTOR, "--import", "sample_configs/stage_decay.py"),
    "deformable.py": ("-m", f"{MODELS}:DeformableNet", *IMAGES),
    "depthwise.py": ("-m", "test_efficientnet"),
    "fairseq2.yaml": WORDS,
    "gan.py": ("-m", f"{MODELS}:Gan", "--no-forward"),
    "inherited.py": RESNET,
    "layer_decay.py": VIT,
    "layer_list.py": SEGMENTOR,
    "layer_ramp.py": VIT,
    "mmcv1_detector.py": RESNET,
    "mmcv1_segmentor.py": SEGMENTOR,
    "own_class.py": (*OWN, "--steps", "1"),
    "own_import.py": ("--import", MODELS, *IMAGES),
    "own_model.py": (*OWN, "--set", "model.type=timm:test_resnet"),
    "resnet18.json": RESNET,
    "resnet18.toml": RESNET,
    "resnet18.yaml": RESNET,
    "tied_weights.py": WORDS,
    "timm_finetune.yaml": VIT,
    "timm_lamb.yaml": (*RESNET, "--world-size", "4"),
    "torchtitan.toml": WORDS,
    "train.py": SEGMENTOR,
    "vit_adamw.py": VIT,
}
FUNCTIONS = {"train.py": "train.py:build_optimizer"}


def test_no_sample_is_left_out() -> None:
    assert {path.name for path in samples()} == set(OPTIONS)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_it_verifies(path: Path, invoke: Invoke) -> None:
    words = OPTIONS[path.name]
    given = (*words, "--device", "cpu", "--no-cost", "-f", "json")
    done = invoke("verify", f"sample_configs/{FUNCTIONS.get(path.name, path.name)}", *given)
    data = json.loads(done.stdout)
    validate(data, "verify-1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert data["matches"] is True
    assert data["coupled"] == (["Lamb"] if path.name == "timm_lamb.yaml" else [])
    assert (data["step"] is None) is ("--no-forward" in words)
    assert data["step"] is None or data["step"]["without_gradient"] == []
    for counts in data["summary"].values():
        assert counts["moved"] + counts["still"] == len(data["parameters"])
        assert counts["moved"] > 0
    for one in data["parameters"]:
        if not one["joint"]:
            assert one["measured_lr"] == pytest.approx(one["lr"], rel=1e-9)
        if one["measured_weight_decay"] is not None:
            assert one["measured_weight_decay"] == pytest.approx(one["weight_decay"], rel=1e-9)


def test_several_optimizers_of_a_function(invoke: Invoke) -> None:
    model = ("--model", "sample_configs/models.py:TiedLanguageModel", "--input", "2x9:int64")
    words = ("sample_configs/train.py:muon_and_adamw", *model, "--no-cost", "-f", "json")
    done = invoke("verify", *words)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    owners = {one["name"]: one["optimizer"] for one in data["parameters"]}
    assert owners["block.linear1.weight"] == 0
    assert owners["embedding.weight"] == 1
    assert {one["exact"]["movement"] for one in data["parameters"]} == {"moved"}


def test_groups_without_an_optimizer(invoke: Invoke) -> None:
    words = (
        "sample_configs/train.py:make_param_groups",
        "-m",
        "sample_configs/models.py:Segmentor",
    )
    done = invoke("verify", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "makes param groups, and no optimizer that could step them" in done.stderr
    chosen = ("--set", "optimizer.type=AdamW", "--set", "optimizer.lr=0.001", "--no-cost")
    assert invoke("verify", *words, *chosen).returncode == 0
