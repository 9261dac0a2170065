"""The double of mmpretrain's layer decay equals the class in the installed mmpretrain, entry by entry."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

import optplan
from optplan import OptplanError
from optplan.constructors import lookup
from optplan.constructors.layer_decay_constructor import LearningRateDecayOptimWrapperConstructor
from tests.agreement import assert_same_optimizer, assert_same_plan
from tests.layered_models import MMPRETRAIN, layered_model
from tests.reference import ReferenceOptimizer, run_reference

Entries = dict[str, Any]

NAME = "LearningRateDecayOptimWrapperConstructor"
ADAMW: Entries = {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05}

PARAMWISE: dict[str, Entries | None] = {
    "missing": None,
    "empty": {},
    "rate": {"layer_decay_rate": 0.75},
    "rate_of_one": {"layer_decay_rate": 1},
    "rate_of_zero": {"layer_decay_rate": 0.0},
    "rate_above_one": {"layer_decay_rate": 1.5},
    "no_rate": {"norm_decay_mult": 0.0},
    "norm": {"layer_decay_rate": 0.65, "norm_decay_mult": 0.0},
    "bias": {"layer_decay_rate": 0.65, "bias_decay_mult": 0.5},
    "flat": {"layer_decay_rate": 0.65, "flat_decay_mult": 0.0},
    "all_three": {
        "layer_decay_rate": 0.8,
        "norm_decay_mult": 0.1,
        "bias_decay_mult": 0.2,
        "flat_decay_mult": 0.3,
    },
    "none": {"layer_decay_rate": 0.8, "norm_decay_mult": None, "flat_decay_mult": None},
    "keys": {
        "layer_decay_rate": 0.75,
        "norm_decay_mult": 0.0,
        "custom_keys": {
            "backbone": {"decay_mult": 0.5},
            "backbone.cls_token": {"decay_mult": 0.0},
            # it looks for names without the dot of the root
            ".scale": {"decay_mult": 7.0},
            "scale": {"decay_mult": 3.0},
            "head": {},
        },
    },
    "fields": {
        "layer_decay_rate": 0.75,
        "custom_keys": {
            "backbone.": {"lr_mult": 3.0, "lr": 5.0, "betas": (0.8, 0.9), "foo": {"a": 1}},
            "bias": {"decay_mult": 2, "weight_decay": 0.3},
            "head": {"lr_scale": 9.0, "layer_id": 99, "param_name": "x"},
        },
    },
    "never_read": {
        "layer_decay_rate": 0.75,
        "decay_rate": 0.1,
        "bias_lr_mult": 2.0,
        "dwconv_decay_mult": 0.0,
        "dcn_offset_lr_mult": 0.1,
        "bypass_duplicate": True,
        "layers": ["*"],
        "unknown": object,
    },
}


def assert_agrees(
    model: nn.Module, optimizer: Entries, paramwise: Entries | None
) -> ReferenceOptimizer | Exception:
    """The double, a plan made with it, and a plan made with the real class are as the reference builds."""
    theirs = run_reference(model, optimizer, paramwise, constructor=f"mmpretrain.{NAME}")
    wrapper = {"optimizer": optimizer, "constructor": NAME, "paramwise_cfg": paramwise}
    config = {"default_scope": "mmpretrain", "optim_wrapper": wrapper}
    if isinstance(theirs, Exception):
        with pytest.raises(OptplanError):
            LearningRateDecayOptimWrapperConstructor(wrapper, paramwise)(model)
        for build in (plan_of_double, optplan.make_plan):
            with pytest.raises(OptplanError):
                build(model, config)
        return theirs
    assert_same_optimizer(
        LearningRateDecayOptimWrapperConstructor({"optimizer": optimizer}, paramwise)(model), theirs
    )
    double = plan_of_double(model, config)
    assert_same_plan(double, model, theirs)
    assert optplan.make_plan(model, config) == double
    return theirs


def plan_of_double(model: nn.Module, config: Entries) -> optplan.Plan:
    """The plan where mmpretrain is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "registered", lambda *_: None)
        return optplan.make_plan(model, config)


@pytest.mark.parametrize("paramwise", PARAMWISE.values(), ids=list(PARAMWISE))
@pytest.mark.parametrize("name", ["Classifier", "Wrapper", *MMPRETRAIN])
def test_grid(name: str, paramwise: Entries | None) -> None:
    assert isinstance(assert_agrees(layered_model(name), ADAMW, paramwise), ReferenceOptimizer)


@pytest.mark.parametrize(
    ("optimizer", "refusal"),
    [
        ({"type": "AdamW", "lr": 0.001}, KeyError),
        ({"type": "AdamW", "weight_decay": 0.05}, TypeError),
        ({"type": "AdamW", "lr": 0.001, "weight_decay": 0.0}, None),
        ({"type": "SGD", "lr": 1, "weight_decay": 1, "momentum": 0.9}, None),
        ({"type": "Rprop", "lr": 0.001, "weight_decay": 0.05}, TypeError),
    ],
)
def test_base_values(optimizer: Entries, refusal: type[Exception] | None) -> None:
    done = assert_agrees(layered_model("Classifier"), optimizer, PARAMWISE["flat"])
    assert isinstance(done, refusal or ReferenceOptimizer)


def test_tied_parameters_are_refused() -> None:
    done = assert_agrees(layered_model("Tied"), ADAMW, PARAMWISE["never_read"])
    assert isinstance(done, ValueError)


def test_model_without_layers_is_refused() -> None:
    assert isinstance(assert_agrees(nn.Linear(2, 2), ADAMW, {"layer_decay_rate": 0.5}), Exception)
