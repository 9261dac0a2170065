"""The optimizers that people use verify, and those that cannot be are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from optplan.verify.results import AS_PLANNED, Movement
from tests.verify.given import Cnn, Matrices, Vit, config, source, verified

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "momentum": {"kind": "SGD", "momentum": 0.9},
    "nesterov": {"kind": "SGD", "momentum": 0.9, "nesterov": True},
    "Adam": {"kind": "Adam"},
    "AdamW": {"kind": "AdamW", "betas": (0.8, 0.95)},
    "RMSprop": {"kind": "RMSprop", "momentum": 0.9},
    "Adagrad": {"kind": "Adagrad"},
    "NAdam": {"kind": "NAdam"},
    "RAdam": {"kind": "RAdam"},
    "lion": {"kind": "timm:lion"},
    "lamb": {"kind": "timm:lamb"},
    "muon": {"kind": "timm:muon"},
}
# whose update is no multiple of what only decay adds to the gradient
DECAY_IS_HIDDEN = {"Adam", "RMSprop", "Adagrad", "NAdam", "lamb"}


@pytest.mark.parametrize("model", [Cnn, Vit])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_verifies(name: str, model: Callable[[], nn.Module]) -> None:
    found = verified(source(model, config(**OPTIMIZERS[name])))
    assert found.matches
    assert found.mismatches == ()
    assert found.unchecked == ()
    assert {m.movement for one in found.parameters for m in one.movements} <= AS_PLANNED
    still = {one.name for one in found.parameters if one.exact.movement is Movement.STILL}
    assert still == ({"stem.weight", "stem.bias"} if model is Cnn else set())
    assert found.coupled == {"lamb": ("Lamb",), "muon": ("Muon",)}.get(name, ())
    assert all(one.joint is (name in ("lamb", "muon")) for one in found.parameters)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_is_measured_is_what_is_planned(name: str) -> None:
    found = verified(source(Cnn, config(**OPTIMIZERS[name])))
    head = next(one for one in found.parameters if one.name == "head.weight")
    norm = next(one for one in found.parameters if one.name == "norm.weight")
    if name == "lamb":  # what one parameter does depends on all
        assert head.measured.lr is None
        return
    assert head.measured.lr == pytest.approx(0.1, rel=1e-9)
    assert norm.measured.lr == pytest.approx(0.01, rel=1e-9)
    if name in DECAY_IS_HIDDEN:
        assert head.measured.weight_decay is None
    else:
        assert head.measured.weight_decay == pytest.approx(0.1, rel=1e-9)
        assert norm.measured.weight_decay == 0


def test_torchs_muon_on_matrices() -> None:
    found = verified(
        source(Matrices, config("Muon", {"custom_keys": {"second": {"lr_mult": 3.0}}}))
    )
    assert found.matches
    assert [one.exact.movement for one in found.parameters] == [Movement.MOVED] * 2
    assert [one.measured.lr for one in found.parameters] == pytest.approx([0.01, 0.03])


def test_lbfgs_by_its_closure_in_one_joint_run() -> None:
    found = verified(source(Cnn, config("LBFGS", None, weight_decay=None)))
    assert found.matches
    assert found.coupled == ("LBFGS",)
    assert {one.exact.movement for one in found.parameters} == {Movement.MOVED}
