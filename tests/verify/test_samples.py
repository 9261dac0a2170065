"""Every sample config verifies on the CPU: here with small models of the same kind, in the sweep with its own."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.conftest import SAMPLES, Invoke
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
    "inherited.py": ("test_resnet",),
    "resnet18.json": ("test_resnet",),
    "resnet18.yaml": ("test_resnet",),
    "resnet18.toml": ("test_resnet",),
}


def check(path: Path, words: tuple[str, ...], invoke: Invoke) -> None:
    given = ("--model", *words, "--device", "cpu", "--no-cost", "-f", "json")
    done = invoke("verify", path.relative_to(SAMPLES.parent), *given)
    data = json.loads(done.stdout)
    validate(data, "verify-1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert data["matches"] is True
    assert data["coupled"] == []
    assert data["step"] is not None
    assert data["step"]["without_gradient"] == []
    for counts in data["summary"].values():
        assert counts["moved"] + counts["still"] == len(data["parameters"])
        assert counts["moved"] > 0
    for one in data["parameters"]:
        assert one["measured_lr"] == pytest.approx(one["lr"], rel=1e-9)
        if one["measured_weight_decay"] is not None:
            assert one["measured_weight_decay"] == pytest.approx(one["weight_decay"], rel=1e-9)


def test_every_sample_has_a_small_model() -> None:
    assert {path.name for path in samples()} == set(SMALL)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_it_verifies(path: Path, invoke: Invoke) -> None:
    check(path, SMALL[path.name], invoke)


@pytest.mark.sweep
@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_it_verifies_with_its_own_model(path: Path, invoke: Invoke) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    words = shlex.split(first[first.index("optplan ") :].rstrip(' ",'))
    model = words[words.index("--model") + 1]
    check(path, (model, *SMALL[path.name][1:]), invoke)
