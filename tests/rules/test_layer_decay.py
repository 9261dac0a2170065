"""What a trace and the statistics say where lrs go by layers."""

from __future__ import annotations

from typing import Any

import pytest

from optplan.errors import PlanError
from optplan.facts import Inventory
from optplan.model import make_inventory, model_layers
from optplan.names import Rule
from optplan.rules import (
    DEFAULT_RULES,
    LAYER_DECAY_RULES,
    MMPRETRAIN_RULES,
    Decision,
    Options,
    RuleSet,
    Skipped,
    decide,
    read_options,
    trace,
)
from optplan.rules.statistics import EntryStatistics, entry_statistics
from tests.layered_models import layered_model

Entries = dict[str, Any]


def inventory() -> Inventory:
    model = layered_model("Classifier")
    known = make_inventory(model)
    layers = model_layers(model, known)
    assert layers is not None
    return known.with_layers(layers)


def options(
    rules: RuleSet, decay: float | None = 0.25, lr: float | None = 0.5, **raw: Any
) -> Options:
    return read_options(rules, lr, decay, {"layer_decay_rate": 0.5, **raw}, {})


def tried(name: str, given: Options) -> list[tuple[str, str | None, float | None, str, str]]:
    """Setting, option or key, value, outcome and reason of each candidate."""
    (facts,) = (facts for facts in inventory().parameters if facts.name == name)
    decision, candidates = trace(facts, given)
    assert decision == decide(facts, given)
    return [
        (c.setting, c.verdict.key or c.verdict.option, c.verdict.value, c.outcome.value, c.reason)
        for c in candidates
    ]


KEYS = {
    "blocks.1.": {"lr_mult": 4.0},
    "blocks": {"decay_mult": 3.0},
    "cls_token": {"lr": 0.75},
    "head": {"decay_mult": 0.0},
}


def test_trace_of_optplans_own() -> None:
    given = options(LAYER_DECAY_RULES, custom_keys=KEYS, bias_lr_mult=2.0, norm_decay_mult=0.0)
    longest = "the longest key in the name"
    not_longest = "'blocks' matches too, but 'blocks.1.' is longer"
    assert tried("backbone.blocks.1.conv.bias", given) == [
        ("lr", "blocks.1.", 2.0, "won", longest),
        ("weight_decay", "blocks.1.", 0.25, "won", longest),
        # a key that sets no lr has no part in it
        ("weight_decay", "blocks", 0.75, "lost", not_longest),
        (
            "lr",
            "bias_lr_mult",
            1.0,
            "lost",
            "bias_lr_mult would have given 1, a custom key cancels it",
        ),
        (
            "weight_decay",
            "norm_decay_mult",
            0.0,
            "not applicable",
            "Conv2d is not one of the classes that norm_decay_mult knows",
        ),
        (
            "lr",
            "layer_decay_rate",
            0.25,
            "won",
            "layer 2 of 0–3, 0.5 ^ 1, multiplies what the key gives",
        ),
    ]
    assert tried("head.bias", given)[-1] == (
        "lr",
        "layer_decay_rate",
        0.5,
        "won",
        "layer 3 of 0–3, 0.5 ^ 0",
    )
    assert tried("backbone.cls_token", given)[-1] == (
        "lr",
        "layer_decay_rate",
        0.0625,
        "lost",
        "layer 0 of 0–3, 0.5 ^ 3, would have given 0.0625, but the key sets the lr itself",
    )
    assert tried("backbone.dcn.conv_offset.bias", given)[-1][-1] == "layer 3 of 0–3, 0.5 ^ 0"
    without = options(LAYER_DECAY_RULES, bias_lr_mult=2.0)
    assert tried("head.bias", without)[-1][-1] == (
        "layer 3 of 0–3, 0.5 ^ 0, multiplies what bias_lr_mult gives"
    )


def test_trace_of_mmpretrains() -> None:
    given = options(
        MMPRETRAIN_RULES,
        custom_keys={".scale": {"decay_mult": 2.0}, "scale": {"lr_mult": 3.0, "decay_mult": 5.0}},
        bias_decay_mult=0.5,
    )
    assert tried("scale", given) == [
        ("weight_decay", "scale", 1.25, "won", "the longest key in the name"),
        (
            "weight_decay",
            "bias_decay_mult",
            0.125,
            "not applicable",
            "its own name is 'scale', not 'bias'",
        ),
        ("lr", "layer_decay_rate", 0.5, "won", "layer 3 of 0–3, 0.5 ^ 0"),
    ]
    # its bias rule does not leave out what stands in a deformable convolution
    found = tried("backbone.dcn.conv_offset.bias", given)
    assert found[0] == ("weight_decay", "bias_decay_mult", 0.125, "won", "its own name is 'bias'")


def test_one_verdict_for_parameters_that_get_the_same() -> None:
    given = options(LAYER_DECAY_RULES, custom_keys={"norm.bias": {"momentum": 0.1}}, decay=None)
    decisions = {
        facts.name: decision
        for facts in inventory().parameters
        if isinstance(decision := decide(facts, given), Decision)
    }
    first, second = (decisions[f"backbone.blocks.1.conv.{name}"] for name in ("weight", "bias"))
    assert first.lr is second.lr
    # what a key puts into a group sets it apart, though lr and weight decay are the same
    other = decisions["backbone.blocks.1.norm.bias"]
    assert (other.lr, other.weight_decay) == (first.lr, first.weight_decay)
    assert other.lr is not first.lr
    assert (first.entries, other.entries) == (
        {"lr": 0.25, "lr_scale": 0.5, "layer_id": 2},
        {"lr": 0.25, "lr_scale": 0.5, "layer_id": 2, "momentum": 0.1},
    )
    assert (other.key, other.name) == ("norm.bias", "backbone.blocks.1.norm.bias")


def test_what_is_frozen_or_empty_has_no_layer() -> None:
    frozen = next(facts for facts in inventory().parameters if not facts.requires_grad)
    assert decide(frozen, options(LAYER_DECAY_RULES)) is Skipped.FROZEN
    empty = read_options(MMPRETRAIN_RULES, 0.5, 0.25, {}, {})
    decision = decide(inventory().parameters[0], empty)
    assert isinstance(decision, Decision)
    assert (decision.lr.rule, decision.entries, decision.name) == (Rule.DEFAULT, {}, None)


@pytest.mark.parametrize(
    ("rules", "decay", "lr", "message"),
    [
        (LAYER_DECAY_RULES, 0.25, None, "layer_decay_rate multiplies a base lr for 'scale', but"),
        (MMPRETRAIN_RULES, 0.25, None, "layer_decay_rate multiplies a base lr for 'scale', but"),
        (
            MMPRETRAIN_RULES,
            None,
            0.5,
            "LearningRateDecayOptimWrapperConstructor fails where the optimizer sets no weight_decay",
        ),
    ],
)
def test_base_values_that_are_missing(
    rules: RuleSet, decay: float | None, lr: float | None, message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        decide(inventory().parameters[0], options(rules, decay, lr))


def counted(given: Options, paramwise: Entries) -> dict[str, EntryStatistics]:
    places = dict.fromkeys(name for name in paramwise if name != "custom_keys")
    return {e.name.text: e for e in entry_statistics(inventory(), given, places)}


def test_statistics_of_optplans_own() -> None:
    raw: Entries = {
        "layers": ["*"],
        "custom_keys": KEYS,
        "bias_lr_mult": 2.0,
        "bypass_duplicate": True,
    }
    found = counted(options(LAYER_DECAY_RULES, **raw), raw)
    lost = {name: [(rival.text, count) for rival, count in e.lost] for name, e in found.items()}
    assert {name: (e.matched, e.won, e.skipped, lost[name]) for name, e in found.items()} == {
        "blocks.1.": (4, 4, 0, []),
        "cls_token": (1, 1, 0, []),
        "blocks": (6, 2, 2, [("blocks.1.", 4)]),
        "head": (2, 2, 0, []),
        # the layer multiplies what a key gives, but not the lr that it sets
        "bias_lr_mult": (3, 1, 1, [("blocks.1.", 1), ("head", 1)]),
        "layer_decay_rate": (15, 14, 2, [("cls_token", 1)]),
        "layers": (15, 15, 0, []),
        "bypass_duplicate": (0, 0, 0, []),
    }
    rate = found["layer_decay_rate"].lr
    assert rate is not None
    assert (rate.rule, rate.mult) == (Rule.LAYER_DECAY, 0.5)


def test_statistics_of_mmpretrains() -> None:
    raw: Entries = {
        "custom_keys": {"head": {"lr_mult": 2.0}, ".scale": {"decay_mult": 0.0}},
        "flat_decay_mult": 0.0,
        "layers": ["*"],
        "bypass_duplicate": True,
        "bias_lr_mult": 1.0,
    }
    found = counted(options(MMPRETRAIN_RULES, **raw), raw)
    assert {name: (e.is_read, e.matched, e.won) for name, e in found.items()} == {
        ".scale": (True, 0, 0),
        "head": (True, 2, 2),
        "flat_decay_mult": (True, 9, 8),
        "layer_decay_rate": (True, 15, 15),
        "layers": (False, 0, 0),
        "bypass_duplicate": (False, 0, 0),
        "bias_lr_mult": (False, 0, 0),
    }


def test_what_each_constructor_reads() -> None:
    default = {
        "bias_lr_mult",
        "dcn_offset_lr_mult",
        "norm_decay_mult",
        "bias_decay_mult",
        "dwconv_decay_mult",
        "flat_decay_mult",
        "custom_keys",
        "bypass_duplicate",
    }
    assert DEFAULT_RULES.options == default
    assert LAYER_DECAY_RULES.options == default | {"layer_decay_rate", "layers"}
    assert MMPRETRAIN_RULES.options == {
        "custom_keys",
        "layer_decay_rate",
        "norm_decay_mult",
        "bias_decay_mult",
        "flat_decay_mult",
    }
