"""What checks find in configs with layer decay."""

from __future__ import annotations

import pytest

from optplan.checks import Context
from optplan.constructors import lookup
from tests.checks.given import context_of, lines
from tests.layered_models import layered_model

OWN = "LayerDecayOptimizerConstructor"
MMPRETRAIN = "mmpretrain.LearningRateDecayOptimWrapperConstructor"


@pytest.fixture(autouse=True)
def without_mmpretrain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "registered", lambda *_: None)


def context(paramwise: str, constructor: str = OWN, model: str | None = "Classifier") -> Context:
    text = (
        "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.1),\n"
        f"    constructor='{constructor}',\n    paramwise_cfg=dict({paramwise}))\n"
    )
    return context_of(text, layered_model(model) if model else None)


def heads(code: str, given: Context) -> list[str]:
    """The findings without the names of parameters."""
    return [line.partition(" [")[0] for line in lines(code, given)]


def test_keys_that_match_nothing() -> None:
    rest = "layer_decay_rate=0.5, custom_keys={'.scale': dict(decay_mult=0.)}"
    assert heads("OPT103", context(rest)) == []
    # mmpretrain's class looks for names without the dot of the root
    assert heads("OPT103", context(rest, MMPRETRAIN)) == [
        "a.py:3:59 error: key '.scale' matches no parameter (did you mean 'scale'?)"
    ]


def test_keys_that_lose() -> None:
    keys = "layer_decay_rate=0.5, custom_keys={'norm': dict(decay_mult=0.), 'blocks.1': dict(lr_mult=2.)}"
    told = "a.py:3:59 info: key 'norm' loses 2 of its 4 parameters to 'blocks.1'"
    assert heads("OPT107", context(keys)) == [told]


def test_keys_that_cancel_rules() -> None:
    keys = "layer_decay_rate=0.5, norm_decay_mult=0., custom_keys={'blocks.1': dict(lr_mult=2.)}"
    told = (
        "a.py:3:79 warning: key 'blocks.1' sets no decay_mult and cancels norm_decay_mult=0: 2 parameters"
        " keep weight_decay 0.1 (add a longer key with a decay_mult for them)"
    )
    assert heads("OPT108", context(keys)) == [told]
    asked = keys.replace("lr_mult=2.", "decay_mult=0.5, lr_mult=2.")
    for constructor in (OWN, MMPRETRAIN):
        assert heads("OPT108", context(asked, constructor)) == []


def test_options_that_are_not_read() -> None:
    options = "layer_decay_rate=0.5, layers=['*'], bias_lr_mult=2., decay_rate=0.1"
    for model in ("Classifier", None):
        assert heads("OPT105", context(options, OWN, model)) == [
            "a.py:3:77 error: 'decay_rate' in paramwise_cfg does nothing: LayerDecayOptimizerConstructor does"
            " not use it (it reads bias_decay_mult, bias_lr_mult, bypass_duplicate, custom_keys,"
            " dcn_offset_lr_mult, dwconv_decay_mult, flat_decay_mult, layer_decay_rate, layers,"
            " norm_decay_mult)"
        ]
        found = heads("OPT105", context(options, MMPRETRAIN, model))
        assert [line.partition(" in paramwise")[0] for line in found] == [
            "a.py:3:46 error: 'layers'",
            "a.py:3:60 error: 'bias_lr_mult'",
            "a.py:3:77 error: 'decay_rate'",
        ]


def test_lr_of_a_key_under_mmpretrains() -> None:
    keys = "layer_decay_rate=0.5, custom_keys={'head': dict(lr_mult=2., decay_mult=0.)}"
    assert heads("OPT105", context(keys)) == []
    assert heads("OPT105", context(keys, MMPRETRAIN)) == [
        "a.py:3:72 error: 'lr_mult' in custom_keys['head'] does nothing:"
        " LearningRateDecayOptimWrapperConstructor does not use it"
    ]


def test_one_layer_for_all() -> None:
    assert heads("OPT304", context("layer_decay_rate=0.5")) == []
    assert heads("OPT304", context("layer_decay_rate=0.5, layers=['*']")) == [
        "a.py:3:24 error: layer_decay_rate=0.5 has no effect: all 15 parameters have lr 0.1"
    ]


def test_rate_of_zero() -> None:
    (told,) = heads("OPT402", context("layer_decay_rate=0."))
    assert told.startswith("a.py:3:24 warning: 7 parameters have lr 0 (layer_decay_rate), but")


def test_silent_about_what_others_would_find() -> None:
    for code in ("OPT005", "OPT101", "OPT102", "OPT302"):
        for constructor in (OWN, MMPRETRAIN):
            assert heads(code, context("layer_decay_rate=0.5", constructor)) == []


def test_base_values_that_are_missing() -> None:
    text = (
        "optim_wrapper = dict(optimizer=dict(type='AdamW', weight_decay=0.1),\n"
        f"    constructor='{OWN}', paramwise_cfg=dict(layer_decay_rate=0.5))\n"
    )
    assert heads("OPT001", context_of(text, layered_model("Classifier"))) == [
        "a.py:2:70 error: layer_decay_rate multiplies a base lr for 'scale', but the optimizer sets no lr"
        " (set lr in the optimizer)"
    ]


def test_class_of_the_users_own_under_a_built_in_name() -> None:
    text = (
        "custom_imports = dict(imports=['mine'])\n"
        "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.1),\n"
        f"    constructor='{OWN}', paramwise_cfg=dict(anything=1))\n"
    )
    given = context_of(text)
    assert heads("OPT101", given) == heads("OPT105", given) == []
    assert heads("OPT005", given) == [
        "a.py:3:5 info: the constructor 'LayerDecayOptimizerConstructor' is not known: paramwise_cfg was"
        " not checked (LayerDecayOptimizerConstructor is a class that the project brings itself: --import"
        " FILE, the file that registers it)"
    ]


def test_one_finding_for_a_key_that_matches_nothing_and_a_field_that_is_overwritten() -> None:
    keys = "layer_decay_rate=0.5, custom_keys={'.scale': dict(lr_mult=0.5)}"
    given = context(keys, MMPRETRAIN)
    assert [line.split()[3] for line in heads("OPT103", given)] == ["'.scale'"]
    assert heads("OPT105", given) == []
    assert len(heads("OPT105", context(keys, MMPRETRAIN, None))) == 1
