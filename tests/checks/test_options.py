"""OPT101, OPT102 and OPT105: entries that nothing reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from optplan import OPTIMIZER_CONSTRUCTORS, DefaultOptimizerConstructor
from optplan.checks import Context
from tests.checks.given import context_of, found, lines, meta, section_of
from tests.checks.models import Net

DEFAULTS = (
    "bias_decay_mult, bias_lr_mult, bypass_duplicate, custom_keys, dcn_offset_lr_mult,"
    " dwconv_decay_mult, flat_decay_mult, norm_decay_mult"
)
FOREIGN = "), constructor=str('TheirConstructor'"


def scoped(scope: str, constructor: str, paramwise: str) -> Context:
    text = section_of(f"{paramwise}), constructor=str('{constructor}'")
    return context_of(f"{text}default_scope = '{scope}'\n")


def test_opt101() -> None:
    context = context_of(section_of("_delete=True, norm_decay_mul=0., foo=1"))
    assert lines("OPT101", context) == [
        "a.py:2:24 error: '_delete' in paramwise_cfg does nothing: the entries of the base config stay"
        " (did you mean '_delete_'?)",
        "a.py:2:38 error: 'norm_decay_mul' in paramwise_cfg does nothing: the constructor never reads it"
        " (did you mean 'norm_decay_mult'?)",
        "a.py:2:57 error: 'foo' in paramwise_cfg does nothing: the constructor never reads it",
    ]
    assert found("OPT101", context)[0].key == "optim_wrapper.paramwise_cfg._delete"
    assert lines("OPT105", context) == []


@pytest.mark.parametrize(
    "paramwise",
    [
        "_delete_=True, norm_decay_mult=0., bypass_duplicate=True, custom_keys=dict()",
        "bias_lr_mult=1, bias_decay_mult=1, dwconv_decay_mult=1, flat_decay_mult=1, dcn_offset_lr_mult=1",
        "foo=1" + FOREIGN,
    ],
)
def test_opt101_is_silent(paramwise: str) -> None:
    context = context_of(section_of(paramwise))
    assert lines("OPT101", context) == []
    assert lines("OPT105", context) == []


def test_opt101_at_the_base_file() -> None:
    base = section_of("norm_decay_mul=0.")
    context = context_of(
        "_base_ = 'base.py'\noptim_wrapper = dict(optimizer=dict(lr=1))", base=base
    )
    assert lines("OPT101", context) == [
        "base.py:2:24 error: 'norm_decay_mul' in paramwise_cfg does nothing: the constructor never reads it"
        " (did you mean 'norm_decay_mult'?)"
    ]


def test_opt105_default_constructor() -> None:
    context = context_of(section_of("layer_decay_rate=0.7, decay_rate=0.7"))
    assert lines("OPT105", context) == [
        "a.py:2:24 error: 'layer_decay_rate' in paramwise_cfg does nothing: the default constructor does not"
        f" use it (it reads {DEFAULTS})",
        "a.py:2:46 error: 'decay_rate' in paramwise_cfg does nothing: the default constructor does not use"
        f" it (it reads {DEFAULTS})",
    ]
    assert lines("OPT101", context) == []


@pytest.mark.parametrize(
    ("scope", "constructor", "paramwise", "dead"),
    [
        (
            "mmpretrain",
            "LearningRateDecayOptimWrapperConstructor",
            "layer_decay_rate=1, norm_decay_mult=0, bias_decay_mult=0, flat_decay_mult=0, decay_rate=1,"
            " bias_lr_mult=1, dwconv_decay_mult=1, dcn_offset_lr_mult=1, bypass_duplicate=True",
            {
                "decay_rate",
                "bias_lr_mult",
                "dwconv_decay_mult",
                "dcn_offset_lr_mult",
                "bypass_duplicate",
            },
        ),
        (
            "mmpretrain",
            "LearningRateDecayOptimWrapperConstructor",
            "layer_decay_rate=1, custom_keys=dict(a=dict(lr_mult=1, decay_mult=0, foo=1))",
            {"lr_mult"},
        ),
        (
            "mmseg",
            "LearningRateDecayOptimizerConstructor",
            "num_layers=12, decay_rate=1, decay_type='a', custom_keys=dict(), norm_decay_mult=1",
            {"custom_keys", "norm_decay_mult"},
        ),
        (
            "mmdet",
            "LearningRateDecayOptimizerConstructor",
            "num_layers=12, decay_rate=1, layer_decay_rate=1",
            {"layer_decay_rate"},
        ),
        (
            "mmseg",
            "LayerDecayOptimizerConstructor",
            "num_layers=12, layer_decay_rate=1, decay_type='a'",
            {"decay_type"},
        ),
        (
            "mmseg",
            "ForceDefaultOptimWrapperConstructor",
            "force_default_settings=True, norm_decay_mult=1, custom_keys=dict(a=dict(lr_mult=1))",
            set(),
        ),
        ("mmdet", "LearningRateDecayOptimWrapperConstructor", "anything=1", set()),
    ],
)
def test_opt105_known_constructors(
    scope: str, constructor: str, paramwise: str, dead: set[str]
) -> None:
    findings = found("OPT105", scoped(scope, constructor, paramwise))
    assert {finding.message.split("'")[1] for finding in findings} == dead
    assert all(f"{constructor} does not use it" in finding.message for finding in findings)


def watched(text: str, monkeypatch: pytest.MonkeyPatch, read: Callable[[Any], object]) -> Context:
    """A config planned with a constructor that reads its options in this way and no other."""

    class TheirConstructor(DefaultOptimizerConstructor):
        def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
            super().__init__(optim_wrapper_cfg)
            read(paramwise_cfg)

    entries = {**OPTIMIZER_CONSTRUCTORS.module_dict, "TheirConstructor": TheirConstructor}
    monkeypatch.setattr(OPTIMIZER_CONSTRUCTORS, "_entries", entries)
    return context_of(text, meta(Net))


def test_what_a_foreign_constructor_was_seen_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = section_of(
        "rate=1, rat=1, bias_lr_mult=2, custom_keys=dict(a=dict(lr_mult=1, decay_mult=0, foo=1),"
        " unmatched=dict(lr_mult=1)), nested=dict(b=1)" + FOREIGN
    )

    def read(options: Any) -> None:
        options.get("rate")
        assert "nested" in options
        keys = options["custom_keys"]
        assert keys["a"]["decay_mult"] == 0
        assert "unmatched" in keys

    context = watched(text, monkeypatch, read)
    assert lines("OPT101", context) == [
        "a.py:2:32 error: 'rat' in paramwise_cfg does nothing: the constructor never reads it"
        " (did you mean 'rate'?)",
        "a.py:2:140 error: 'nested' in paramwise_cfg does nothing: the constructor never reads it",
        "a.py:2:104 error: 'foo' in custom_keys['a'] does nothing: the constructor never reads it",
    ]
    assert lines("OPT105", context) == [
        "a.py:2:39 error: 'bias_lr_mult' in paramwise_cfg does nothing: TheirConstructor does not use it"
        " (it reads custom_keys, rate)",
        "a.py:2:79 error: 'lr_mult' in custom_keys['a'] does nothing: TheirConstructor does not use it",
    ]
    assert lines("OPT005", context) == []


def test_a_foreign_constructor_that_only_validates_custom_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = section_of("custom_keys=dict(a=dict(lr_mult=1))" + FOREIGN)
    context = watched(text, monkeypatch, lambda options: options["custom_keys"])
    assert len(lines("OPT105", context)) == 1


def test_opt102_misspelt() -> None:
    text = section_of("custom_keys={'head': dict(decay_mutl=0.), 'backbone': dict(lr_mul=.1)}")
    assert lines("OPT102", context_of(text)) == [
        "a.py:2:50 error: 'decay_mutl' in custom_keys['head'] does nothing (did you mean 'decay_mult'?)",
        "a.py:2:83 error: 'lr_mul' in custom_keys['backbone'] does nothing (did you mean 'lr_mult'?)",
    ]
    planned = context_of(text, meta(Net))
    assert lines("OPT102", planned) == [
        "a.py:2:50 error: 'decay_mutl' in custom_keys['head'] does nothing: 2 parameters keep weight_decay"
        " 0.1 (did you mean 'decay_mult'?) [head.weight head.bias]",
        "a.py:2:83 error: 'lr_mul' in custom_keys['backbone'] does nothing: 4 parameters keep lr 0.1"
        " (did you mean 'lr_mult'?)"
        " [backbone.0.weight backbone.0.bias backbone.1.weight backbone.1.bias]",
    ]
    assert found("OPT102", planned)[0].key == "custom_keys.head.decay_mutl"


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("wd_mult", "decay_mult"),
        ("weight_decay_mult", "decay_mult"),
        ("decay_multi", "decay_mult"),
        ("lr_mutl", "lr_mult"),
        ("Lr_mult", "lr_mult"),
        ("lr_multiplier", "lr_mult"),
        ("weight_deacy", "weight_decay"),
        ("beta", "betas"),
    ],
)
def test_opt102_near_misses(field: str, meant: str) -> None:
    (told,) = lines("OPT102", context_of(section_of(f"custom_keys=dict(a=dict({field}=0))")))
    assert told == (
        f"a.py:2:48 error: '{field}' in custom_keys['a'] does nothing (did you mean '{meant}'?)"
    )


def test_opt102_others_are_warnings() -> None:
    text = section_of("custom_keys={'head': dict(foo=1, lars_exclude=True)}")
    told = [
        "a.py:2:50 warning: 'foo' in custom_keys['head'] does nothing",
        "a.py:2:57 warning: 'lars_exclude' in custom_keys['head'] does nothing: AdamW does not read it,"
        " LARS does",
    ]
    assert lines("OPT102", context_of(text)) == told
    allowed = replace(context_of(text), allow_group_keys=frozenset({"foo"}))
    assert lines("OPT102", allowed) == told[1:]


@pytest.mark.parametrize(
    ("fields", "optimizer"),
    [
        ("lr_mult=1, decay_mult=1, lr=1, weight_decay=0", "type='SGD', lr=1, weight_decay=0.1"),
        ("momentum=0.5, nesterov=False", "type='SGD', lr=1"),
        ("betas=(0.9, 0.99), eps=1e-6, decoupled_weight_decay=False", "type='AdamW', lr=1"),
        ("lars_exclude=True, momentum=0.5", "type='LARS', lr=1"),
        ("foo=1, beta=2, lars_exclude=True", "type='TheirOptimizer', lr=1"),
        ("momentum=0.5", "type='ZeroRedundancyOptimizer', optimizer_type='SGD', lr=1"),
    ],
)
def test_opt102_is_silent(fields: str, optimizer: str) -> None:
    text = section_of(f"custom_keys=dict(a=dict({fields}))", optimizer)
    assert lines("OPT102", context_of(text)) == []


def test_opt102_of_an_unknown_optimizer() -> None:
    text = section_of("custom_keys=dict(a=dict(decay_mutl=0))", "type='TheirOptimizer', lr=1")
    assert lines("OPT102", context_of(text)) == [
        "a.py:2:48 error: 'decay_mutl' in custom_keys['a'] does nothing (did you mean 'decay_mult'?)"
    ]


def test_opt102_read_by_a_hook() -> None:
    text = section_of("custom_keys=dict(predictor=dict(fix_lr=True))")
    assert len(lines("OPT102", context_of(text))) == 1
    hook = "custom_hooks = [dict(type='SimSiamHook', fix_pred_lr=True)]\n"
    assert lines("OPT102", context_of(text + hook)) == []


@pytest.mark.parametrize(
    "constructor", ["TheirConstructor", "mmseg.LayerDecayOptimizerConstructor"]
)
def test_opt102_knows_no_other_constructors_fields(constructor: str) -> None:
    text = section_of(f"custom_keys=dict(a=dict(lr_mul=1))), constructor=str('{constructor}'")
    assert lines("OPT102", context_of(text)) == []
