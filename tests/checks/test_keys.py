"""OPT103 and OPT106 to OPT111: custom keys and rules against the names of a model."""

from __future__ import annotations

import pytest

from optplan.places import Place, Source
from tests.checks.given import context_of, found, lines, meta, section_of
from tests.checks.models import Compiled, Heads, Net, Parallel
from tests.models import hard_case

BACKBONE = "backbone.0.weight backbone.0.bias backbone.1.weight backbone.1.bias"
LONGER = "(write more of the name to make it the longest)"


def test_opt103() -> None:
    text = section_of(
        "custom_keys={'heat': dict(), 'backbon.0': dict(), 'net.head': dict(), 'zzz': dict(), 'd': dict()}"
    )
    context = context_of(text, meta(Net))
    assert lines("OPT103", context) == [
        "a.py:2:53 error: key 'backbon.0' matches no parameter (did you mean 'backbone.0'?)",
        "a.py:2:74 error: key 'net.head' matches no parameter ('head' alone would match)",
        "a.py:2:37 error: key 'heat' matches no parameter (did you mean 'head'?)",
        "a.py:2:94 error: key 'zzz' matches no parameter",
    ]
    assert found("OPT103", context)[0].key == "custom_keys.backbon.0"
    assert lines("OPT103", context_of(text)) == []


def test_opt103_a_key_of_a_base_may_serve_other_models() -> None:
    context = context_of(
        "_base_ = 'base.py'\n"
        "optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(own=dict(lr_mult=1))))",
        meta(Net),
        base=section_of("custom_keys=dict(theirs=dict(lr_mult=1))"),
    )
    assert lines("OPT103", context) == [
        "base.py:2:41 warning: key 'theirs' matches no parameter",
        "a.py:2:58 error: key 'own' matches no parameter",
    ]


def test_only_files_are_inherited_from() -> None:
    context = context_of("_base_ = 'base.py'", base="x = 1")
    own, base = context.config.sources
    override = Source(name="--set")
    places = [Place(source, 1, 1) for source in (own, base, override)]
    assert [context.is_inherited(place) for place in (*places, None)] == [False, True, False, False]


@pytest.mark.parametrize("keys", ["'.head'", "'stem'", "'.stem.weight'"])
def test_opt103_a_frozen_parameter_is_a_match(keys: str) -> None:
    model = hard_case("PartlyFrozen")
    model.add_module("inner", hard_case("PartlyFrozen"))
    context = context_of(section_of(f"custom_keys={{{keys}: dict(lr_mult=1)}}"), model)
    assert context.planned is not None
    assert lines("OPT103", context) == []


def test_opt106() -> None:
    text = section_of("custom_keys=dict(head=dict(), layer1=dict(), norm=dict())")
    hint = "(end the word with a dot, or write more of the name)"
    assert lines("OPT106", context_of(text, meta(Heads))) == [
        f"a.py:2:54 warning: key 'layer1' hits 2 different words: layer1, layer10 {hint}"
        " [layer1.weight layer10.weight]",
        f"a.py:2:41 warning: key 'head' hits 2 different words: head, multihead_attn {hint}"
        " [head.weight multihead_attn.weight]",
    ]


@pytest.mark.parametrize("key", ["head.", "layer1.", "multi", "norm", "norm1", "weight"])
def test_opt106_is_silent(key: str) -> None:
    context = context_of(section_of(f"custom_keys={{'{key}': dict(lr_mult=1)}}"), meta(Heads))
    assert context.key_uses[0].matches
    assert lines("OPT106", context) == []


def test_opt107() -> None:
    text = section_of(
        "custom_keys={'backbone': dict(), 'backbone.0': dict(), 'head.w': dict(), 'head.b': dict(),"
        " 'head': dict()}"
    )
    assert lines("OPT107", context_of(text, meta(Net))) == [
        "a.py:2:37 info: key 'backbone' loses 2 of its 4 parameters to 'backbone.0'"
        " [backbone.0.weight backbone.0.bias]",
        "a.py:2:115 error: key 'head' does nothing: it matches 2 parameters, and loses all of them to"
        f" 'head.w', 'head.b' {LONGER} [head.weight head.bias]",
    ]


def test_opt107_a_base_may_be_refined() -> None:
    context = context_of(
        "_base_ = 'base.py'\n"
        "optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=1))))",
        meta(Net),
        base=section_of("custom_keys=dict(back=dict(lr_mult=1))"),
    )
    assert lines("OPT107", context) == [
        "base.py:2:41 warning: key 'back' does nothing: it matches 4 parameters, and loses all of them to"
        f" 'backbone' {LONGER} [{BACKBONE}]",
    ]


def test_opt107_is_silent() -> None:
    text = section_of("custom_keys={'backbone.0': dict(), 'backbone.1': dict(), 'zzz': dict()}")
    assert lines("OPT107", context_of(text, meta(Net))) == []


def test_opt108() -> None:
    text = section_of(
        "norm_decay_mult=0., bias_decay_mult=.5, custom_keys={'backbone': dict(lr_mult=.1)}"
    )
    hint = "(add a longer key with a decay_mult for them)"
    assert lines("OPT108", context_of(text, meta(Net))) == [
        "a.py:2:77 warning: key 'backbone' sets no decay_mult and cancels bias_decay_mult=0.5: 1 parameter"
        f" keeps weight_decay 0.1 {hint} [backbone.0.bias]",
        "a.py:2:77 warning: key 'backbone' sets no decay_mult and cancels norm_decay_mult=0: 2 parameters"
        f" keep weight_decay 0.1 {hint} [backbone.1.weight backbone.1.bias]",
    ]


@pytest.mark.parametrize(
    "paramwise",
    [
        "norm_decay_mult=0., custom_keys=dict(backbone=dict(lr_mult=.1, decay_mult=1))",
        "norm_decay_mult=0., custom_keys=dict(backbone=dict(lr_mult=.1, weight_decay=.1))",
        "norm_decay_mult=1., custom_keys=dict(backbone=dict(lr_mult=.1))",
        "norm_decay_mult=0., custom_keys=dict(backbone=dict(lr_mult=0))",
        "norm_decay_mult=0., custom_keys=dict(head=dict(lr_mult=.1))",
        "custom_keys=dict(backbone=dict(lr_mult=.1))",
    ],
)
def test_opt108_is_silent(paramwise: str) -> None:
    assert lines("OPT108", context_of(section_of(paramwise), meta(Net))) == []


def test_opt109() -> None:
    context = context_of(section_of("norm_decay_mult=0."), hard_case("Wrapper"))
    assert lines("OPT109", context) == [
        "error: the model has an attribute 'module', and only what is below it is optimized: 3 parameters"
        " are dropped, scale, before.bias, after.bias (rename the attribute)"
        " [scale before.bias after.bias]"
    ]
    assert lines("OPT110", context) == []
    assert lines("OPT401", context) == []


def test_opt109_a_property() -> None:
    context = context_of(section_of(""), hard_case("ModuleProperty"))
    assert [finding.parameters for finding in found("OPT109", context)] == [
        ("head.weight", "head.bias")
    ]


@pytest.mark.parametrize(
    "name",
    ["ModulePropertyOfItself", "ModuleTwiceBelowOneParent", "TiedInOneModule"],
)
def test_opt109_is_silent(name: str) -> None:
    context = context_of(section_of("norm_decay_mult=0."), hard_case(name))
    assert context.planned is not None
    assert [lines(code, context) for code in ("OPT109", "OPT110", "OPT401")] == [[], [], []]


@pytest.mark.parametrize(("model", "prefix"), [(Parallel, "module."), (Compiled, "_orig_mod.")])
def test_opt110(model: type, prefix: str) -> None:
    names = " ".join(prefix + name for name in [*BACKBONE.split(), "head.weight", "head.bias"])
    context = context_of(section_of(""), meta(model))
    assert lines("OPT110", context) == [
        f"warning: 6 parameters carry the prefix '{prefix}' of a wrapper (give the model itself, without the"
        f" wrapper) [{names}]"
    ]
    assert lines("OPT109", context) == []
    assert lines("OPT110", context_of(section_of(""), meta(Net))) == []


def test_opt111() -> None:
    text = section_of("bias_decay_mult=0.5")
    assert lines("OPT111", context_of(text, meta(Net))) == [
        "a.py:2:24 info: bias_decay_mult=0.5 reaches 1 parameter of norms too, as norm_decay_mult is not"
        " set (set norm_decay_mult) [backbone.1.bias]"
    ]


@pytest.mark.parametrize(
    "paramwise", ["bias_decay_mult=.5, norm_decay_mult=1", "bias_decay_mult=1", "bias_lr_mult=2"]
)
def test_opt111_is_silent(paramwise: str) -> None:
    assert lines("OPT111", context_of(section_of(paramwise), meta(Net))) == []
