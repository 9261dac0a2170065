"""OPT2xx, OPT3xx, OPT4xx and OPT702: what the plan gives to the parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from torch import nn

from optplan.names import Status
from tests.checks.given import changed, context_of, found, lines, meta, section_of
from tests.checks.models import Declaring, DeclaringInside, Net
from tests.models import hard_case

NETS = "backbone.0.weight backbone.0.bias backbone.1.weight backbone.1.bias head.weight head.bias"
DECLARED = "(add a custom key with decay_mult=0)"


def test_opt201() -> None:
    context = context_of(section_of("norm_decay_mult=0."), hard_case("Norms"))
    hint = "(flat_decay_mult or a custom key reaches them)"
    assert lines("OPT201", context) == [
        "warning: 1 parameter of RMSNorm keeps weight_decay 0.1, while 15 others have none:"
        f" rms.weight {hint} [rms.weight]",
        "warning: 2 parameters of NormLike keep weight_decay 0.1, while 15 others have none:"
        f" like.weight, like.bias {hint} [like.weight like.bias]",
    ]


@pytest.mark.parametrize(
    "paramwise",
    [
        "bias_lr_mult=1.",
        "bias_decay_mult=0.",
        "norm_decay_mult=0., flat_decay_mult=0.",
        # meant, as the keys say it
        "norm_decay_mult=0., custom_keys=dict(rms=dict(decay_mult=1.), like=dict(weight_decay=0.1))",
        # the only norms without decay do not learn
        "custom_keys=dict(bn=dict(lr_mult=0., decay_mult=0.))",
    ],
)
def test_opt201_is_silent(paramwise: str) -> None:
    context = context_of(section_of(paramwise), hard_case("Norms"))
    assert context.planned is not None
    assert lines("OPT201", context) == []


def test_opt201_leaves_to_opt108_what_a_key_cancels() -> None:
    text = section_of("norm_decay_mult=0., custom_keys=dict(bn1d=dict(lr_mult=.1))")
    context = context_of(text, hard_case("Norms"))
    assert [finding.parameters for finding in found("OPT108", context)] == [
        ("bn1d.weight", "bn1d.bias")
    ]
    assert [finding.parameters for finding in found("OPT201", context)] == [
        ("rms.weight",),
        ("like.weight", "like.bias"),
    ]


def test_opt202() -> None:
    text = section_of("custom_keys={'backbone.0': dict(decay_mult=0.)}")
    assert lines("OPT202", context_of(text, meta(Net))) == [
        "info: 1 parameter called bias keeps weight_decay 0.1, while 1 other has none: head.bias"
        " (bias_decay_mult reaches all biases) [head.bias]"
    ]


@pytest.mark.parametrize("paramwise", ["bias_decay_mult=0.", "norm_decay_mult=0.", ""])
def test_opt202_is_silent(paramwise: str) -> None:
    assert lines("OPT202", context_of(section_of(paramwise), meta(Net))) == []


def test_opt203() -> None:
    context = context_of(section_of("norm_decay_mult=0."), meta(Declaring))
    names = ["cls_token", "a_log", "relative_position.weight", "block_1.weight"]
    assert lines("OPT203", context) == [
        "warning: 4 parameters get weight_decay 0.1, though the model declares no decay:"
        f" {', '.join(names)} {DECLARED} [{' '.join(names)}]"
    ]


def test_opt203_a_part_declares() -> None:
    keys = "cls=dict(decay_mult=0), block=dict(decay_mult=0), a_log=dict(lr_mult=0)"
    context = context_of(section_of(f"custom_keys=dict({keys})"), meta(DeclaringInside))
    assert lines("OPT203", context) == [
        "warning: 1 parameter gets weight_decay 0.1, though the model declares no decay:"
        f" backbone.relative_position.weight {DECLARED} [backbone.relative_position.weight]"
    ]
    relative = keys + ", relative_position=dict(decay_mult=0)"
    context = context_of(section_of(f"custom_keys=dict({relative})"), meta(DeclaringInside))
    assert lines("OPT203", context) == []


def test_opt205() -> None:
    context = context_of(section_of("dwconv_decay_mult=0."), hard_case("Convolutions"))
    assert lines("OPT205", context) == [
        "a.py:2:24 warning: dwconv_decay_mult=0 reaches convolutions of one input channel, which are not"
        " depthwise: one_channel.weight, one_channel.bias (give them a custom key)"
        " [one_channel.weight one_channel.bias]"
    ]


@pytest.mark.parametrize(
    "paramwise",
    [
        "dwconv_decay_mult=1.",
        "dwconv_decay_mult=0., custom_keys=dict(one_channel=dict(decay_mult=1.))",
        "norm_decay_mult=0.",
    ],
)
def test_opt205_is_silent(paramwise: str) -> None:
    assert lines("OPT205", context_of(section_of(paramwise), hard_case("Convolutions"))) == []


def scaled(*scales: float | None, **more: Any) -> dict[str, dict[str, Any]]:
    """Replacements that give the rows of ``Net`` these scales in turn."""
    names = NETS.replace(".", "_").split()
    every = [scales[index % len(scales)] for index in range(len(names))]
    return {name: {"lr_scale": scale, **more} for name, scale in zip(names, every, strict=True)}


def test_opt302() -> None:
    context = context_of(section_of(""), meta(Net))
    assert lines("OPT302", changed(context, **scaled(0.5, 1.0))) == [
        "warning: 6 parameters have lr_scale 0.5 to 1, but all the same lr 0.1: a scheduler has to apply it"
        f" (use a scheduler of timm, or multiply lr by lr_scale) [{NETS}]"
    ]
    assert lines("OPT302", context) == []
    assert lines("OPT302", changed(context, **scaled(1.0))) == []
    differing = scaled(0.5, 1.0)
    differing["head_bias"]["lr"] = 0.05
    assert lines("OPT302", changed(context, **differing)) == []


LAYER_DECAY = section_of(
    "layer_decay_rate=0.75), constructor=str('mmpretrain.LearningRateDecayOptimWrapperConstructor'"
)


def decayed_by_layer(text: str, **rows: dict[str, Any]) -> list[str]:
    """OPT304 for a config under a plan that was made by hand, as if code of another package had run."""
    planned = changed(context_of(section_of(""), meta(Net)), **rows).planned
    assert planned is not None
    foreign = replace(planned, read=frozenset())
    return lines("OPT304", replace(context_of(text), planned=foreign))


def test_opt304() -> None:
    told = f"a.py:2:24 error: layer_decay_rate=0.75 has no effect: all 6 parameters have lr 0.1 [{NETS}]"
    assert decayed_by_layer(LAYER_DECAY, **scaled(1.0)) == [told]
    assert decayed_by_layer(LAYER_DECAY) == [told]
    assert decayed_by_layer(LAYER_DECAY, **scaled(0.75, 1.0)) == []
    assert decayed_by_layer(LAYER_DECAY, head_bias={"effective_lr": 0.05}) == []
    assert decayed_by_layer(LAYER_DECAY.replace("0.75", "1.0")) == []
    assert decayed_by_layer(section_of("layer_decay_rate=0.75")) == []  # OPT105 tells that


def test_opt401() -> None:
    context = context_of(section_of(""), meta(Net))
    uncovered = {"status": Status.UNCOVERED, "group": None}
    told = changed(context, head_weight=uncovered, head_bias=uncovered)
    assert lines("OPT401", told) == [
        "error: 2 parameters are trainable, but in no group: head.weight, head.bias"
        " [head.weight head.bias]"
    ]
    assert lines("OPT401", context) == []


def test_opt402() -> None:
    text = section_of("bias_lr_mult=0., custom_keys=dict(backbone=dict(lr_mult=0.))")
    cost = (
        "trainable: gradients and optimizer state are paid for (set requires_grad to false instead)"
    )
    assert lines("OPT402", context_of(text, meta(Net))) == [
        f"a.py:2:58 warning: 4 parameters have lr 0 (key 'backbone'), but are {cost}"
        " [backbone.0.weight backbone.0.bias backbone.1.weight backbone.1.bias]",
        f"a.py:2:24 warning: 1 parameter has lr 0 (bias_lr_mult), but is {cost} [head.bias]",
    ]


def test_opt402_the_base_lr() -> None:
    (told,) = lines("OPT402", context_of("optimizer = dict(type='SGD', lr=0.)", meta(Net)))
    assert told.startswith(
        "a.py:1:30 warning: 6 parameters have lr 0 (the base lr), but are trainable"
    )


def test_opt402_frozen_is_fine() -> None:
    model = meta(Net)
    model.get_submodule("backbone").requires_grad_(False)
    text = section_of("custom_keys=dict(backbone=dict(lr_mult=0.))")
    assert lines("OPT402", context_of(text, model)) == []
    assert lines("OPT402", context_of(section_of("norm_decay_mult=0."), meta(Net))) == []


STATISTICS = (
    "info: 1 batch norm that the optimizer leaves alone updates running statistics in training mode:"
    " backbone.1 (put them into eval mode) [backbone.1.weight backbone.1.bias]"
)


def test_opt403() -> None:
    text = section_of("custom_keys=dict(backbone=dict(lr_mult=0.))")
    assert lines("OPT403", context_of(text, meta(Net))) == [STATISTICS]
    frozen = meta(Net)
    frozen.get_submodule("backbone").requires_grad_(False)
    assert lines("OPT403", context_of(section_of("norm_decay_mult=0."), frozen)) == [STATISTICS]


def test_opt403_is_silent() -> None:
    learning = section_of("norm_decay_mult=0.")
    assert lines("OPT403", context_of(learning, meta(Net))) == []
    # the scale still learns
    assert lines("OPT403", context_of(learning, hard_case("PartlyFrozen"))) == []
    no_statistics = nn.Sequential(nn.LayerNorm(2), nn.BatchNorm1d(2, track_running_stats=False))
    no_statistics.requires_grad_(False).append(nn.Linear(2, 2))
    assert lines("OPT403", context_of(learning, no_statistics)) == []


def test_opt404() -> None:
    model = hard_case("TiedAcrossParents")
    context = context_of(section_of("norm_decay_mult=0."), model)
    assert lines("OPT404", context) == [
        "a.py:2:5 error: tied parameters would be in several groups, which torch refuses: decoder.weight"
        " (= embedding.weight) (set bypass_duplicate=True in paramwise_cfg) [decoder.weight]"
    ]
    assert lines("OPT006", context) == []
    for fine in ("norm_decay_mult=0., bypass_duplicate=True", ""):
        assert lines("OPT404", context_of(section_of(fine), model)) == []


def test_opt405() -> None:
    text = section_of(
        "bypass_duplicate=True, custom_keys=dict(decoder=dict(lr_mult=10, decay_mult=0))"
    )
    assert lines("OPT405", context_of(text, hard_case("TiedAcrossParents"))) == [
        "a.py:2:64 warning: 'decoder.weight' is the tensor of 'embedding.weight', whose rules count: lr is"
        " 0.1 (default), not 1 (key 'decoder'); weight_decay is 0.1 (default), not 0 (key 'decoder')"
        " (write the rule for 'embedding.weight') [embedding.weight decoder.weight]"
    ]


def test_opt405_a_norm_is_a_bias() -> None:
    text = section_of("bypass_duplicate=True, norm_decay_mult=0.")
    assert lines("OPT405", context_of(text, hard_case("TiedNormAndBias"))) == [
        "warning: 'norm.weight' is the tensor of 'head.bias', whose rules count: weight_decay is 0.1"
        " (default), not 0 (norm_decay_mult) (write the rule for 'head.bias') [head.bias norm.weight]"
    ]


@pytest.mark.parametrize(
    "paramwise",
    [
        "",
        "bypass_duplicate=True, norm_decay_mult=0.",
        "bypass_duplicate=True, custom_keys=dict(decoder=dict(lr_mult=1.))",
    ],
)
def test_opt405_is_silent(paramwise: str) -> None:
    context = context_of(section_of(paramwise), hard_case("TiedAcrossParents"))
    assert context.planned is not None
    assert lines("OPT405", context) == []


def test_opt407() -> None:
    model = hard_case("PartlyFrozen")
    assert lines("OPT407", context_of(section_of(""), model)) == [
        "info: 3 parameters are frozen, but in a group: stem.weight, stem.bias, norm.bias"
        " [stem.weight stem.bias norm.bias]"
    ]
    assert lines("OPT407", context_of(section_of("norm_decay_mult=0."), model)) == []


def test_opt408() -> None:
    context = context_of(section_of(""), meta(Net))
    after = changed(context, head_weight={"requires_grad": False})
    assert lines("OPT408", after) == [
        "warning: the constructor froze 1 parameter of the model: head.weight [head.weight]"
    ]
    assert lines("OPT408", context) == []


class Deep(nn.Sequential):
    """Forty parameters."""

    def __init__(self) -> None:
        super().__init__(*(nn.Linear(2, 2) for _ in range(20)))


def test_opt702() -> None:
    assert lines("OPT702", context_of(section_of("bias_decay_mult=0."), meta(Deep))) == [
        "info: 40 groups hold 2 distinct settings (merge the groups of equal settings)"
    ]
    assert lines("OPT702", context_of(section_of(""), meta(Deep))) == []
    assert lines("OPT702", context_of(section_of("bias_decay_mult=0."), meta(Net))) == []


@pytest.mark.parametrize(
    ("read", "hint"),
    [
        (frozenset({("custom_keys",), ("num_layers",)}), DECLARED),
        (frozenset({("num_layers",)}), ""),  # OPT101 or OPT105 would call it unread
    ],
)
def test_opt203_names_no_option_that_the_constructor_never_reads(
    read: frozenset[tuple[str, ...]], hint: str
) -> None:
    context = context_of(section_of("norm_decay_mult=0."), meta(Declaring))
    assert context.planned is not None
    watched = replace(context, planned=replace(context.planned, read=read, options=None))
    (line,) = lines("OPT203", watched)
    assert line.partition(" [")[0].endswith(hint or "block_1.weight")
