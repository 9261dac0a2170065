"""The rules on facts alone: no model, no torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from optplan.config.paramwise import parse_paramwise
from optplan.errors import PlanError
from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.rules import (
    Candidate,
    Decision,
    Options,
    Outcome,
    Skipped,
    decide,
    make_options,
    trace,
)

Entries = dict[str, Any]


def a_parameter(name: str, **facts: Any) -> ParameterFacts:
    prefix, _, local = name.rpartition(".")
    shape = facts.pop("shape", (4, 4))
    return ParameterFacts(
        name=name,
        prefix=prefix,
        local=local,
        shape=shape,
        dtype="float32",
        requires_grad=facts.pop("requires_grad", True),
        module="torch.nn.modules.linear.Linear",
        tensor=0,
        **facts,
    )


def options(
    paramwise: Entries, *, lr: float | None = 0.5, weight_decay: float | None = 0.25
) -> Options:
    parsed, problems = parse_paramwise(paramwise, has_weight_decay=weight_decay is not None)
    assert problems == []
    return make_options(parsed, base_lr=lr, base_weight_decay=weight_decay)


def decided(facts: ParameterFacts, paramwise: Entries, **base: float | None) -> Decision:
    decision = decide(facts, options(paramwise, **base))
    assert isinstance(decision, Decision)
    return decision


NORM_BIAS = a_parameter("a.norm.bias", shape=(4,), owner_is_norm=True)
DEPTHWISE_BIAS = a_parameter(
    "a.conv.bias", shape=(4,), owner_is_conv2d=True, owner_is_depthwise=True
)
OFFSET_BIAS = a_parameter(
    "a.conv_offset.bias", shape=(4,), owner_is_conv2d=True, parent_is_dcn=True
)
ALL: Entries = {
    "norm_decay_mult": 2,
    "bias_decay_mult": 3,
    "dwconv_decay_mult": 5,
    "flat_decay_mult": 7,
    "bias_lr_mult": 11,
    "dcn_offset_lr_mult": 13,
}


def without(*names: str) -> Entries:
    return {name: value for name, value in ALL.items() if name not in names}


# facts, paramwise_cfg, rule and value of the lr, rule and value of the weight decay
@pytest.mark.parametrize(
    ("facts", "paramwise", "lr", "weight_decay"),
    [
        (NORM_BIAS, ALL, (Rule.DEFAULT, None), (Rule.NORM, 0.5)),
        (NORM_BIAS, without("norm_decay_mult"), (Rule.DEFAULT, None), (Rule.BIAS, 0.75)),
        (DEPTHWISE_BIAS, ALL, (Rule.BIAS, 5.5), (Rule.BIAS, 0.75)),
        (DEPTHWISE_BIAS, without("bias_decay_mult"), (Rule.BIAS, 5.5), (Rule.DWCONV, 1.25)),
        (
            DEPTHWISE_BIAS,
            without("bias_decay_mult", "dwconv_decay_mult", "bias_lr_mult"),
            (Rule.DEFAULT, None),
            (Rule.FLAT, 1.75),
        ),
        (OFFSET_BIAS, ALL, (Rule.DCN_OFFSET, 6.5), (Rule.DEFAULT, None)),
        (OFFSET_BIAS, without("dcn_offset_lr_mult"), (Rule.DEFAULT, None), (Rule.DEFAULT, None)),
        (a_parameter("a.weight"), ALL, (Rule.DEFAULT, None), (Rule.DEFAULT, None)),
        (a_parameter("gamma", shape=(4,)), ALL, (Rule.DEFAULT, None), (Rule.FLAT, 1.75)),
        (a_parameter("scale", shape=()), ALL, (Rule.DEFAULT, None), (Rule.DEFAULT, None)),
    ],
)
def test_who_wins(
    facts: ParameterFacts,
    paramwise: Entries,
    lr: tuple[Rule, float | None],
    weight_decay: tuple[Rule, float | None],
) -> None:
    decision = decided(facts, paramwise)
    assert (decision.lr.rule, decision.lr.value) == lr
    assert (decision.weight_decay.rule, decision.weight_decay.value) == weight_decay
    pairs = (("lr", lr[1]), ("weight_decay", weight_decay[1]))
    assert decision.entries == {name: value for name, value in pairs if value is not None}


# The keys are tried as the reference sorts them.
@pytest.mark.parametrize(
    ("keys", "name", "winner"),
    [
        (["a", "a.b", "a.b.c"], "a.b.c.weight", "a.b.c"),
        (["bbb", "aaa"], "aaa.bbb.weight", "aaa"),
        (["aaa", "bbb"], "bbb.aaa.weight", "aaa"),
        (["Zoo", "aaa"], "Zoo.aaa.weight", "Zoo"),
        (["weight", "layer4"], "layer4.weight", "layer4"),
        ([".tok", "tok"], "tok", ".tok"),
        ([".tok", "tok"], "a.tok", ".tok"),
        ([".tok", "tok"], "tokens.weight", "tok"),
        (["", "tok"], "a.weight", ""),
        ([""], "tok", ""),
        (["größe", "grosse"], "a.größe.weight", "größe"),
    ],
)
def test_which_key_wins(keys: list[str], name: str, winner: str) -> None:
    paramwise = {"custom_keys": {key: {"lr_mult": 2} for key in keys}}
    decision = decided(a_parameter(name), paramwise)
    assert decision.lr.key == winner
    assert decision.weight_decay.key == winner


def test_trace_names_all_that_applied_and_why_the_others_did_not() -> None:
    paramwise = {"custom_keys": {"norm": {"lr_mult": 2}, "a": {}, "bias": {}}, **ALL}
    _, candidates = trace(NORM_BIAS, options(paramwise))
    assert [summary(candidate) for candidate in candidates] == [
        ("lr", "bias", Outcome.WON, "the longest key in the name"),
        ("weight_decay", "bias", Outcome.WON, "the longest key in the name"),
        (
            "lr",
            "norm",
            Outcome.LOST,
            "'norm' is as long as 'bias', which comes first in the alphabet",
        ),
        (
            "weight_decay",
            "norm",
            Outcome.LOST,
            "'norm' is as long as 'bias', which comes first in the alphabet",
        ),
        ("lr", "a", Outcome.LOST, "'a' matches too, but 'bias' is longer"),
        ("weight_decay", "a", Outcome.LOST, "'a' matches too, but 'bias' is longer"),
        (
            "lr",
            "dcn_offset_lr_mult",
            Outcome.NOT_APPLICABLE,
            "its module does not stand in a deformable convolution",
        ),
        (
            "lr",
            "bias_lr_mult",
            Outcome.NOT_APPLICABLE,
            "bias_lr_mult leaves norms out, and Linear is one",
        ),
        (
            "weight_decay",
            "norm_decay_mult",
            Outcome.LOST,
            "norm_decay_mult would have given 0.5, a custom key cancels it",
        ),
        (
            "weight_decay",
            "bias_decay_mult",
            Outcome.LOST,
            "bias_decay_mult would have given 0.75, a custom key cancels it",
        ),
        (
            "weight_decay",
            "dwconv_decay_mult",
            Outcome.NOT_APPLICABLE,
            "its Linear is not a Conv2d with in_channels == groups",
        ),
        (
            "weight_decay",
            "flat_decay_mult",
            Outcome.LOST,
            "flat_decay_mult would have given 1.75, a custom key cancels it",
        ),
    ]


def summary(candidate: Candidate) -> tuple[str, str | None, Outcome, str]:
    verdict = candidate.verdict
    who = verdict.option if verdict.key is None else verdict.key
    return candidate.setting, who, candidate.outcome, candidate.reason


def test_the_first_rule_beats_the_later_ones() -> None:
    _, candidates = trace(DEPTHWISE_BIAS, options(without("norm_decay_mult")))
    told = {c.verdict.option: (c.outcome, c.reason) for c in candidates}
    assert told == {
        "dcn_offset_lr_mult": (
            Outcome.NOT_APPLICABLE,
            "its module does not stand in a deformable convolution",
        ),
        "bias_lr_mult": (Outcome.WON, "its own name is 'bias'"),
        "bias_decay_mult": (Outcome.WON, "its own name is 'bias'"),
        "dwconv_decay_mult": (
            Outcome.LOST,
            "dwconv_decay_mult would have given 1.25, bias_decay_mult comes first",
        ),
        "flat_decay_mult": (
            Outcome.LOST,
            "flat_decay_mult would have given 1.75, bias_decay_mult comes first",
        ),
    }


def test_without_a_base_decay_no_decay_rule_is_tried() -> None:
    chosen = options({"flat_decay_mult": 0.0}, weight_decay=None)
    decision, candidates = trace(NORM_BIAS, chosen)
    assert [summary(candidate) for candidate in candidates] == [
        (
            "weight_decay",
            "flat_decay_mult",
            Outcome.NOT_APPLICABLE,
            "flat_decay_mult does nothing: the optimizer sets no weight_decay",
        ),
    ]
    assert isinstance(decision, Decision)
    assert (decision.weight_decay.rule, decision.entries) == (Rule.DEFAULT, {})


def test_a_key_without_a_base_decay_leaves_it_to_the_optimizer() -> None:
    chosen = {"custom_keys": {"norm": {"lr_mult": 2}}}
    decision = decided(NORM_BIAS, chosen, weight_decay=None)
    assert decision.entries == {"lr": 1.0, "lr_mult": 2}
    assert decision.weight_decay.rule is Rule.DEFAULT


@pytest.mark.parametrize(
    ("requires_grad", "in_group", "bypass", "expected"),
    [
        (True, True, True, Skipped.DUPLICATE),
        (False, True, True, Skipped.DUPLICATE),
        (False, False, True, Skipped.FROZEN),
        (False, True, False, Skipped.FROZEN),
    ],
)
def test_what_gets_into_no_group(
    requires_grad: bool, in_group: bool, bypass: bool, expected: Skipped
) -> None:
    facts = a_parameter("a.weight", requires_grad=requires_grad)
    chosen = options({"bypass_duplicate": bypass, "unknown": 1})
    assert decide(facts, chosen, in_group=in_group) is expected


def test_an_empty_paramwise_cfg_decides_nothing() -> None:
    facts = a_parameter("a.weight", requires_grad=False)
    decision = decided(facts, {})
    assert (decision.lr.rule, decision.weight_decay.rule) == (Rule.DEFAULT, Rule.DEFAULT)
    assert decision.entries == {}


@pytest.mark.parametrize(
    ("facts", "paramwise", "said"),
    [
        (NORM_BIAS, {"custom_keys": {"norm": {"lr": 1.0}}}, "^custom key 'norm' multiplies a base"),
        (OFFSET_BIAS, {"dcn_offset_lr_mult": 1}, "^dcn_offset_lr_mult multiplies a base lr for 'a"),
        (DEPTHWISE_BIAS, {"bias_lr_mult": 1}, "^bias_lr_mult multiplies a base lr for 'a.conv.bia"),
    ],
)
@pytest.mark.parametrize("ask", [decide, trace])
def test_a_missing_base_lr_is_told_only_for_what_is_hit(
    ask: Any, facts: ParameterFacts, paramwise: Entries, said: str
) -> None:
    chosen = options(paramwise, lr=None)
    ask(a_parameter("b.weight"), chosen)
    with pytest.raises(PlanError, match=said):
        ask(facts, chosen)


def test_no_torch_is_needed() -> None:
    code = "import sys, optplan.rules, optplan.facts; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_is_not_set_is_told_only_where_nothing_else_decides() -> None:
    _, candidates = trace(NORM_BIAS, options({"bypass_duplicate": True}))
    assert [summary(candidate) for candidate in candidates] == [
        ("weight_decay", "norm_decay_mult", Outcome.NOT_APPLICABLE, "norm_decay_mult is not set"),
        ("weight_decay", "bias_decay_mult", Outcome.NOT_APPLICABLE, "bias_decay_mult is not set"),
        ("weight_decay", "flat_decay_mult", Outcome.NOT_APPLICABLE, "flat_decay_mult is not set"),
    ]
