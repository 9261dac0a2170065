"""Explanations agree with the plan, and say in words why each rule won or lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from optplan import DefaultOptimizerConstructor
from optplan.app.planning import plan_with_facts
from optplan.config import load_config
from optplan.errors import PlanError, UsageError
from optplan.plan import Planned
from optplan.plan.explanation import Explanation, explain
from optplan.reporters.explain import explain_text
from optplan.rules import DEFAULT_RULES
from optplan.rules.conditions import Condition
from tests.grid import BASES, FAMILIES, PARAMWISE, SHARING_FAMILIES, family
from tests.models import hard_case


def planned(model: str, paramwise: Mapping[str, Any], **optimizer: Any) -> Planned:
    base = {"type": "SGD", "lr": 0.1, "weight_decay": 0.01, **optimizer}
    base = {name: value for name, value in base.items() if value is not None}
    return plan_with_facts(
        hard_case(model), {"optim_wrapper": {"optimizer": base, "paramwise_cfg": dict(paramwise)}}
    )


def explained(made: Planned, *names: str) -> tuple[Explanation, ...]:
    return explain(made, names)


@pytest.mark.parametrize("paramwise", PARAMWISE)
@pytest.mark.parametrize("name", FAMILIES)
def test_winner_and_numbers_are_the_plans(name: str, paramwise: str) -> None:
    config = {"optimizer": {**BASES["adamw"], "paramwise_cfg": PARAMWISE[paramwise]}}
    bypasses = PARAMWISE[paramwise].get("bypass_duplicate", False)
    if name in SHARING_FAMILIES and PARAMWISE[paramwise] and not bypasses:
        with pytest.raises(PlanError, match="tied parameters would be in several groups"):
            plan_with_facts(family(name), config)
        return
    made = plan_with_facts(family(name), config)
    for explanation in explained(made, "*"):
        row = explanation.row
        if row.lr_rule is None:
            assert explanation.values == ()
            continue
        lr, decay = explanation.values
        assert (lr.value, lr.use, decay.value, decay.use) == (
            row.lr,
            row.lr_rule,
            row.weight_decay,
            row.weight_decay_rule,
        )
        for value in explanation.values:
            won = [c for c in value.candidates if c.outcome.value == "won"]
            if value.use.rule.value == "default":
                assert won == []
            else:
                assert [(c.verdict.rule, c.verdict.option, c.verdict.key) for c in won] == [
                    (value.use.rule, value.use.option, value.use.key)
                ]
            if value.use.mult is not None and value.base is not None:
                assert value.value == pytest.approx(value.base * value.use.mult, rel=1e-15)


ALL = MappingProxyType(
    {
        "bias_lr_mult": 2,
        "bias_decay_mult": 0.5,
        "norm_decay_mult": 0,
        "flat_decay_mult": 0.1,
        "dwconv_decay_mult": 0.2,
        "dcn_offset_lr_mult": 0.1,
    }
)

# model, optimizer, paramwise_cfg, parameters, and all that is said of them
TEXTS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str, str]] = {
    "default": (
        "Norms",
        {},
        {"norm_decay_mult": 0},
        "rms.weight",
        """\
rms.weight   4   RMSNorm
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  norm  weight_decay  RMSNorm is not one of the classes that norm_decay_mult knows
    no  flat  weight_decay  flat_decay_mult is not set
""",
    ),
    "norm": (
        "Norms",
        {},
        {"norm_decay_mult": 0, "bias_decay_mult": 0.5, "flat_decay_mult": 0.1, "bias_lr_mult": 2},
        "layer.bias",
        """\
layer.bias   4×4   LayerNorm
  lr            0.1  = 0.1 × 1   default
  weight_decay  0    = 0.01 × 0  norm (norm_decay_mult)
  considered
    no    bias  lr            bias_lr_mult leaves norms out, and LayerNorm is one
    won   norm  weight_decay  LayerNorm is a norm
    lost  bias  weight_decay  bias_decay_mult would have given 0.005, norm_decay_mult comes first
    no    flat  weight_decay  it has 2 dimensions, not 1
""",
    ),
    "bias": (
        "Norms",
        {},
        dict(ALL),
        "body.bias",
        """\
body.bias   4   Linear
  lr            0.2    = 0.1 × 2     bias (bias_lr_mult)
  weight_decay  0.005  = 0.01 × 0.5  bias (bias_decay_mult)
  considered
    no    dcn_offset  lr            its module does not stand in a deformable convolution
    won   bias        lr            its own name is 'bias'
    no    norm        weight_decay  Linear is not one of the classes that norm_decay_mult knows
    won   bias        weight_decay  its own name is 'bias'
    no    dwconv      weight_decay  its Linear is not a Conv2d with in_channels == groups
    lost  flat        weight_decay  flat_decay_mult would have given 0.001, bias_decay_mult comes first
""",
    ),
    "dwconv": (
        "Convolutions",
        {},
        {"dwconv_decay_mult": 0.2, "bias_decay_mult": 0.5, "flat_decay_mult": 0},
        "depthwise.*",
        """\
depthwise.weight   4×1×3×3   Conv2d
  lr            0.1    = 0.1 × 1     default
  weight_decay  0.002  = 0.01 × 0.2  dwconv (dwconv_decay_mult)
  considered
    no   bias    weight_decay  its own name is 'weight', not 'bias'
    won  dwconv  weight_decay  its Conv2d has in_channels == groups
    no   flat    weight_decay  it has 4 dimensions, not 1

depthwise.bias   4   Conv2d
  lr            0.1    = 0.1 × 1     default
  weight_decay  0.005  = 0.01 × 0.5  bias (bias_decay_mult)
  considered
    no    bias    lr            bias_lr_mult is not set
    won   bias    weight_decay  its own name is 'bias'
    lost  dwconv  weight_decay  dwconv_decay_mult would have given 0.002, bias_decay_mult comes first
    lost  flat    weight_decay  flat_decay_mult would have given 0, bias_decay_mult comes first
""",
    ),
    "flat": (
        "Norms",
        {},
        {"flat_decay_mult": 0.1, "dwconv_decay_mult": 0.2},
        "rms.weight",
        """\
rms.weight   4   RMSNorm
  lr            0.1    = 0.1 × 1     default
  weight_decay  0.001  = 0.01 × 0.1  flat (flat_decay_mult)
  considered
    no   dwconv  weight_decay  its RMSNorm is not a Conv2d with in_channels == groups
    won  flat    weight_decay  it has one dimension
""",
    ),
    "dcn_offset": (
        "Dcn",
        {},
        dict(ALL),
        "pack.conv_offset.bias",
        """\
pack.conv_offset.bias   27   Conv2d
  lr            0.01  = 0.1 × 0.1  dcn_offset (dcn_offset_lr_mult)
  weight_decay  0.01  = 0.01 × 1   default
  considered
    won  dcn_offset  lr            its module stands in a deformable convolution, 'conv_offset' is in its path
    no   bias        lr            its module stands in a deformable convolution
    no   norm        weight_decay  Conv2d is not one of the classes that norm_decay_mult knows
    no   bias        weight_decay  its module stands in a deformable convolution
    no   dwconv      weight_decay  its Conv2d is not a Conv2d with in_channels == groups
    no   flat        weight_decay  its module stands in a deformable convolution
""",
    ),
    "longest_key": (
        "Norms",
        {},
        {
            "norm_decay_mult": 0,
            "custom_keys": {"layer": {"lr_mult": 0.5}, "layer.b": {"decay_mult": 0.1}, "head": {}},
        },
        "layer.bias",
        """\
layer.bias   4×4   LayerNorm
  lr            0.1    = 0.1 × 1     custom_key 'layer.b'
  weight_decay  0.001  = 0.01 × 0.1  custom_key 'layer.b'
  considered
    won   custom_key 'layer.b'  lr, weight_decay  the longest key in the name
    lost  custom_key 'layer'    lr, weight_decay  'layer' matches too, but 'layer.b' is longer
    lost  norm                  weight_decay      norm_decay_mult would have given 0, a custom key cancels it
    no    custom_key                              not in 'layer.bias': 'head'
""",
    ),
    "first_key_in_the_alphabet": (
        "Norms",
        {},
        {
            "custom_keys": {
                "rms": {"lr_mult": 0.5},
                "ms.": {},
                "s.w": {"lr": 3, "weight_decay": 0.7},
            }
        },
        "rms.weight",
        """\
rms.weight   4   RMSNorm
  lr            0.1   = 0.1 × 1   custom_key 'ms.'
  weight_decay  0.01  = 0.01 × 1  custom_key 'ms.'
  considered
    won   custom_key 'ms.'  lr, weight_decay  the longest key in the name
    lost  custom_key 'rms'  lr, weight_decay  'rms' is as long as 'ms.', which comes first in the alphabet
    lost  custom_key 's.w'  lr, weight_decay  's.w' is as long as 'ms.', which comes first in the alphabet
""",
    ),
    "set_by_the_key": (
        "Norms",
        {},
        {"custom_keys": {"rms": {"lr": 3, "weight_decay": 0.7, "lr_mult": 2}}},
        "rms.weight",
        """\
rms.weight   4   RMSNorm
  lr            3    = set by the key  custom_key 'rms'
  weight_decay  0.7  = set by the key  custom_key 'rms'
  considered
    won  custom_key 'rms'  lr, weight_decay  the longest key in the name
""",
    ),
    "frozen": (
        "PartlyFrozen",
        {},
        {"norm_decay_mult": 0},
        "stem.weight",
        """\
stem.weight   4×3×3×3   Conv2d   frozen
  frozen (requires_grad is false), so it is in no group
""",
    ),
    "frozen_in_a_group": (
        "PartlyFrozen",
        {},
        {},
        "stem.weight",
        """\
stem.weight   4×3×3×3   Conv2d   frozen
  frozen (requires_grad is false), but in a group: an empty paramwise_cfg takes all
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
""",
    ),
    "duplicate": (
        "TiedAcrossParents",
        {},
        {"bypass_duplicate": True, "norm_decay_mult": 0},
        "{embedding,decoder}.weight",
        """\
embedding.weight   5×4   Embedding   tied to decoder.weight
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  norm  weight_decay  Embedding is not one of the classes that norm_decay_mult knows

decoder.weight   5×4   Linear   tied to embedding.weight
  the tensor of embedding.weight, which is in a group already (bypass_duplicate)
""",
    ),
    "never_visited": (
        "TiedInOneModule",
        {},
        {"norm_decay_mult": 0},
        "*",
        """\
first   3   TiedInOneModule   tied to second
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  norm  weight_decay  TiedInOneModule is not one of the classes that norm_decay_mult knows
    no  flat  weight_decay  flat_decay_mult is not set

second   3   TiedInOneModule   tied to first
  the tensor of first, and under this name it is never visited

body.weight   2×2   Linear
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  norm  weight_decay  Linear is not one of the classes that norm_decay_mult knows

body.bias   2   Linear   tied to body.again
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  bias  lr            bias_lr_mult is not set
    no  norm  weight_decay  Linear is not one of the classes that norm_decay_mult knows
    no  bias  weight_decay  bias_decay_mult is not set
    no  flat  weight_decay  flat_decay_mult is not set

body.again   2   Linear   tied to body.bias
  the tensor of body.bias, and under this name it is never visited
""",
    ),
    "uncovered": (
        "Wrapper",
        {},
        {"norm_decay_mult": 0},
        "{scale,module.tok}",
        """\
scale   1   Wrapper
  trainable, but in no group: only what is below the child 'module' is optimized

module.tok   1×1×4   RootParameter
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  norm  weight_decay  RootParameter is not one of the classes that norm_decay_mult knows
""",
    ),
    "no_base_decay": (
        "Norms",
        {"weight_decay": None},
        {"flat_decay_mult": 0.1},
        "rms.weight",
        """\
rms.weight   4   RMSNorm
  lr            0.1  = 0.1 × 1  default
  weight_decay  0    = 0 × 1    default  not set in the config: the optimizer's own default
  considered
    no  flat  weight_decay  flat_decay_mult does nothing: the optimizer sets no weight_decay
""",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_text(case: str) -> None:
    model, optimizer, paramwise, names, text = TEXTS[case]
    found = explained(planned(model, paramwise, **optimizer), names)
    assert explain_text(found, width=None, color=False) == text


NARROW = """\
scale   1   Wrapper
  trainable, but in no group: only what is
  below the child 'module' is optimized

module.tok   1×1×4   RootParameter
  lr            0.1   = 0.1 × 1   default
  weight_decay  0.01  = 0.01 × 1  default
  considered
    no  norm  weight_decay
        RootParameter is not one of the
        classes that norm_decay_mult knows
"""


def test_text_on_a_narrow_terminal() -> None:
    model, optimizer, paramwise, names, _ = TEXTS["uncovered"]
    found = explained(planned(model, paramwise, **optimizer), names)
    assert explain_text(found, width=42, color=False) == NARROW


def test_places_stand_on_a_narrow_terminal_too(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1, weight_decay=0.01)\n"
        "paramwise_cfg = dict(norm_decay_mult=0.,\n"
        "    custom_keys={'rms': dict(lr_mult=2.)})\n"
        "optim_wrapper = dict(optimizer=optimizer, paramwise_cfg=paramwise_cfg)\n"
    )
    made = plan_with_facts(hard_case("Norms"), load_config(tmp_path / "a.py"))
    text = explain_text(explained(made, "rms.weight"), width=70, color=False)
    assert "    won  custom_key 'rms'  lr, weight_decay  a.py:3\n" in text
    assert "    no   norm              weight_decay      a.py:2\n" in text


@pytest.mark.parametrize("width", [42, 80, 100, 120, None])
@pytest.mark.parametrize("case", TEXTS)
def test_colours_change_no_line(case: str, width: int | None) -> None:
    """Styles take no room: what fits a terminal without them fits with them."""
    model, optimizer, paramwise, names, _ = TEXTS[case]
    found = explained(planned(model, paramwise, **optimizer), names)
    coloured = explain_text(found, width=width, color=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert coloured != plain
    assert plain == explain_text(found, width=width, color=False)


def test_a_key_is_spelled_as_it_is() -> None:
    keys: dict[str, dict[str, float]] = {
        r"n\.[a-z]+": {},
        r"m\.": {},
        "rms": {},
        "it's": {},
        "ms.": {},
    }
    (found,) = explained(planned("Norms", {"custom_keys": keys}), "rms.weight")
    text = explain_text((found,), width=None, color=False)
    assert r"""not in 'rms.weight': 'n\.[a-z]+', 'it's', 'm\.'""" in text


def test_unmatched_names_are_told_all_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        explained(planned("Norms", {}), "rms.weight", "rms.wieght", "nothing*")
    assert [(problem.message, problem.hint) for problem in raised.value.problems] == [
        (
            "'rms.wieght' matches no parameter",
            "did you mean 'rms.weight', 'sync.weight' or 'layer.weight'?",
        ),
        ("'nothing*' matches no parameter", None),
    ]


# option, model, parameter that it decides, and the condition's place in the rule
CONDITIONS = [
    ("bias_lr_mult", "lr", "Norms", "body.weight", 0),
    ("bias_lr_mult", "lr", "Norms", "layer.bias", 1),
    ("bias_lr_mult", "lr", "Dcn", "pack.conv_offset.bias", 2),
    ("dcn_offset_lr_mult", "lr", "Dcn", "plain.conv_offset.weight", 0),
    ("dcn_offset_lr_mult", "lr", "Dcn", "nested.other.weight", 1),
    ("dcn_offset_lr_mult", "lr", "Dcn", "other.conv_offset.weight", 2),
    ("norm_decay_mult", "weight_decay", "Norms", "body.bias", 0),
    ("bias_decay_mult", "weight_decay", "Norms", "rms.weight", 0),
    ("bias_decay_mult", "weight_decay", "Dcn", "pack.conv_offset.bias", 1),
    ("dwconv_decay_mult", "weight_decay", "Norms", "rms.weight", 0),
    ("flat_decay_mult", "weight_decay", "Norms", "body.weight", 0),
    ("flat_decay_mult", "weight_decay", "Dcn", "pack.conv_offset.bias", 1),
]


@pytest.mark.parametrize(("option", "setting", "model", "name", "index"), CONDITIONS)
def test_a_changed_rule_changes_plan_and_explanation_alike(
    option: str,
    setting: str,
    model: str,
    name: str,
    index: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without one of its conditions a rule decides a parameter that it left alone, in both."""
    paramwise = {option: 0.5}
    before = plan_and_explanation(model, paramwise, name, setting)
    assert before == ("default", "default")
    rules = dict(getattr(DEFAULT_RULES, f"{setting}_rules"))
    always = Condition(lambda _: True, lambda _: "")
    rules[option] = tuple(always if i == index else c for i, c in enumerate(rules[option]))
    change_rules(monkeypatch, **{f"{setting}_rules": rules})
    rule = {"dcn_offset_lr_mult": "dcn_offset"}.get(option, option.partition("_")[0])
    assert plan_and_explanation(model, paramwise, name, setting) == (rule, rule)


def change_rules(monkeypatch: pytest.MonkeyPatch, **tables: Any) -> None:
    """Give the default constructor other tables of rules."""
    changed = replace(DEFAULT_RULES, **tables)
    monkeypatch.setattr(DefaultOptimizerConstructor, "rules", changed)


def plan_and_explanation(
    model: str, paramwise: Mapping[str, Any], name: str, setting: str
) -> tuple[str, str]:
    """The rule in the plan, and the candidate that the explanation says has won."""
    made = planned(model, paramwise)
    (found,) = explained(made, name)
    use = getattr(found.row, f"{setting}_rule")
    (value,) = [value for value in found.values if value.setting == setting]
    won = [c.verdict.rule.value for c in value.candidates if c.outcome.value == "won"]
    return use.rule.value, won[0] if won else "default"


def test_another_order_of_keys_changes_both(monkeypatch: pytest.MonkeyPatch) -> None:
    paramwise = {"custom_keys": {"rms": {"lr_mult": 0.5}, "rms.w": {"lr_mult": 0.1}}}
    made = planned("Norms", paramwise)
    (found,) = explained(made, "rms.weight")
    assert (found.row.lr, found.values[0].candidates[0].verdict.key) == (0.1 * 0.1, "rms.w")
    monkeypatch.setattr("optplan.rules.options.key_order", len)
    made = planned("Norms", paramwise)
    (found,) = explained(made, "rms.weight")
    assert (found.row.lr, found.values[0].candidates[0].verdict.key) == (0.1 * 0.5, "rms")


def test_another_order_of_rules_changes_both(monkeypatch: pytest.MonkeyPatch) -> None:
    paramwise = {"norm_decay_mult": 0.5, "flat_decay_mult": 0.1}
    before = plan_and_explanation("Norms", paramwise, "bn2d.weight", "weight_decay")
    assert before == ("norm", "norm")
    turned = dict(reversed(list(DEFAULT_RULES.weight_decay_rules.items())))
    change_rules(monkeypatch, weight_decay_rules=turned)
    after = plan_and_explanation("Norms", paramwise, "bn2d.weight", "weight_decay")
    assert after == ("flat", "flat")
