"""Every sample config verifies on the CPU, with a small model of its kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Invoke
from tests.schema import validate
from tests.test_samples import samples

SMALL = {
    "bag_of_tricks.py": ("test_resnet",),
    "backbone_and_head.py": ("sample_configs/models.py:Segmentor", "--input", "2x3x8x8"),
    "bias_lr.py": ("sample_configs/models.py:Segmentor", "--input", "2x3x8x8"),
    "depthwise.py": ("test_efficientnet",),
    "deformable.py": ("sample_configs/models.py:DeformableNet", "--input", "2x3x8x8"),
    "vit_adamw.py": ("test_vit",),
    "tied_weights.py": ("sample_configs/models.py:TiedLanguageModel", "--input", "2x9:int64"),
    "gan.py": ("sample_configs/models.py:Gan", "--no-forward"),
    "train.py": ("sample_configs/models.py:Segmentor", "--input", "2x3x8x8"),
    "layer_decay.py": ("test_vit",),
    "layer_list.py": ("sample_configs/models.py:Segmentor", "--input", "2x3x8x8"),
    "inherited.py": ("test_resnet",),
    "resnet18.json": ("test_resnet",),
    "resnet18.yaml": ("test_resnet",),
    "resnet18.toml": ("test_resnet",),
}


FUNCTIONS = {"train.py": "train.py:build_optimizer"}


def test_every_sample_has_a_small_model() -> None:
    assert {path.name for path in samples()} == set(SMALL)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_it_verifies(path: Path, invoke: Invoke) -> None:
    words = SMALL[path.name]
    given = ("--model", *words, "--device", "cpu", "--no-cost", "-f", "json")
    done = invoke("verify", f"sample_configs/{FUNCTIONS.get(path.name, path.name)}", *given)
    data = json.loads(done.stdout)
    validate(data, "verify-1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert data["matches"] is True
    assert data["coupled"] == []
    assert (data["step"] is None) is ("--no-forward" in words)
    assert data["step"] is None or data["step"]["without_gradient"] == []
    for counts in data["summary"].values():
        assert counts["moved"] + counts["still"] == len(data["parameters"])
        assert counts["moved"] > 0
    for one in data["parameters"]:
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
