"""What people trip over, with the values written by hand; the base lr is 0.5, the base decay 0.25."""

from __future__ import annotations

from typing import Any

import pytest

import optplan
from optplan.names import Status
from optplan.plan import PlannedParameter, RuleUse
from tests.models import hard_case
from tests.reference import ReferenceOptimizer, run_reference

Entries = dict[str, Any]
Row = tuple[float | None, float | None, str | None, str | None]

SGD: Entries = {"type": "SGD", "lr": 0.5, "weight_decay": 0.25}


def planned(case: str, optimizer: Entries, paramwise: Entries | None) -> list[PlannedParameter]:
    config = {"optim_wrapper": {"optimizer": optimizer, "paramwise_cfg": paramwise}}
    return list(optplan.make_plan(hard_case(case), config).parameters)


def said(use: RuleUse | None) -> str | None:
    """``rule``, ``rule ×mult`` or ``rule 'key' ×mult``."""
    if use is None:
        return None
    key = "" if use.key is None else f" {use.key!r}"
    return f"{use.rule}{key}" + ("" if use.rule == "default" else f" ×{use.mult}")


def rows(case: str, optimizer: Entries, paramwise: Entries | None) -> dict[str, Row]:
    return {
        row.name: (row.lr, row.weight_decay, said(row.lr_rule), said(row.weight_decay_rule))
        for row in planned(case, optimizer, paramwise)
    }


DEFAULT: Row = (0.5, 0.25, "default", "default")
NOTHING: Row = (None, None, None, None)

# model, what the optimizer has besides SGD with lr 0.5 and decay 0.25, paramwise_cfg, rows
TABLES: dict[str, tuple[str, Entries, Entries | None, dict[str, Row]]] = {
    "bias_decay_reaches_norm_biases": (
        "PartlyFrozen",
        SGD,
        {"bias_decay_mult": 0.5},
        {
            "stem.weight": NOTHING,
            "stem.bias": NOTHING,
            "norm.weight": DEFAULT,
            "norm.bias": NOTHING,
            "head.weight": DEFAULT,
            "head.bias": (0.5, 0.125, "default", "bias ×0.5"),
        },
    ),
    "bias_decay_in_norms_of_one_model": (
        "ModuleProperty",
        SGD,
        {"bias_decay_mult": 0.5, "bias_lr_mult": 2},
        {
            "head.weight": NOTHING,
            "head.bias": NOTHING,
            "inner.0.weight": DEFAULT,
            "inner.0.bias": (1.0, 0.125, "bias ×2", "bias ×0.5"),
            "inner.1.weight": DEFAULT,
            "inner.1.bias": (0.5, 0.125, "default", "bias ×0.5"),
        },
    ),
    "norm_comes_before_bias": (
        "ModuleProperty",
        SGD,
        {"bias_decay_mult": 0.5, "norm_decay_mult": 0},
        {
            "head.weight": NOTHING,
            "head.bias": NOTHING,
            "inner.0.weight": DEFAULT,
            "inner.0.bias": (0.5, 0.125, "default", "bias ×0.5"),
            "inner.1.weight": (0.5, 0.0, "default", "norm ×0"),
            "inner.1.bias": (0.5, 0.0, "default", "norm ×0"),
        },
    ),
    "dwconv_decay_reaches_its_biases": (
        "Convolutions",
        SGD,
        {"dwconv_decay_mult": 0.5},
        {
            "one_channel.weight": (0.5, 0.125, "default", "dwconv ×0.5"),
            "one_channel.bias": (0.5, 0.125, "default", "dwconv ×0.5"),
            "depthwise.weight": (0.5, 0.125, "default", "dwconv ×0.5"),
            "depthwise.bias": (0.5, 0.125, "default", "dwconv ×0.5"),
            "multiplied.weight": (0.5, 0.125, "default", "dwconv ×0.5"),
            "grouped.weight": DEFAULT,
            "grouped.bias": DEFAULT,
            "depthwise_1d.weight": DEFAULT,
            "depthwise_1d.bias": DEFAULT,
            "transposed.weight": DEFAULT,
            "transposed.bias": DEFAULT,
            "transposed_one_channel.weight": DEFAULT,
            "transposed_one_channel.bias": DEFAULT,
        },
    ),
    "bias_comes_before_dwconv_and_dwconv_before_flat": (
        "Convolutions",
        SGD,
        {"dwconv_decay_mult": 0.5, "flat_decay_mult": 0.0, "bias_decay_mult": 3},
        {
            "one_channel.weight": (0.5, 0.125, "default", "dwconv ×0.5"),
            "one_channel.bias": (0.5, 0.75, "default", "bias ×3"),
            "depthwise.weight": (0.5, 0.125, "default", "dwconv ×0.5"),
            "depthwise.bias": (0.5, 0.75, "default", "bias ×3"),
            "multiplied.weight": (0.5, 0.125, "default", "dwconv ×0.5"),
            "grouped.weight": DEFAULT,
            "grouped.bias": (0.5, 0.75, "default", "bias ×3"),
            "depthwise_1d.weight": DEFAULT,
            "depthwise_1d.bias": (0.5, 0.75, "default", "bias ×3"),
            "transposed.weight": DEFAULT,
            "transposed.bias": (0.5, 0.75, "default", "bias ×3"),
            "transposed_one_channel.weight": DEFAULT,
            "transposed_one_channel.bias": (0.5, 0.75, "default", "bias ×3"),
        },
    ),
    "flat_is_one_dimension_and_no_less": (
        "FewDimensions",
        SGD,
        {"flat_decay_mult": 0.0},
        {
            "scale": DEFAULT,
            "gamma": (0.5, 0.0, "default", "flat ×0.0"),
            "bias": (0.5, 0.0, "default", "flat ×0.0"),
            "none": (0.5, 0.0, "default", "flat ×0.0"),
            "body.weight": DEFAULT,
            "body.bias": (0.5, 0.0, "default", "flat ×0.0"),
        },
    ),
    "flat_without_a_base_decay_does_nothing": (
        "RootParameter",
        {"type": "SGD", "lr": 0.5},
        {"flat_decay_mult": 0.0},
        {
            "tok": (0.5, 0, "default", "default"),
            "body.weight": (0.5, 0, "default", "default"),
            "body.bias": (0.5, 0, "default", "default"),
            "tokens.weight": (0.5, 0, "default", "default"),
        },
    ),
    "without_a_base_decay_the_optimizers_own_holds": (
        "RootParameter",
        {"type": "AdamW", "lr": 0.5},
        {"custom_keys": {"body": {"lr_mult": 0.5}}},
        {
            "tok": (0.5, 0.01, "default", "default"),
            "body.weight": (0.25, 0.01, "custom_key 'body' ×0.5", "default"),
            "body.bias": (0.25, 0.01, "custom_key 'body' ×0.5", "default"),
            "tokens.weight": (0.5, 0.01, "default", "default"),
        },
    ),
    "without_a_base_lr_what_hits_nothing_does_nothing": (
        "NormsWithoutParameters",
        {"type": "SGD", "weight_decay": 0.25},
        {"custom_keys": {"head": {"lr_mult": 2.0}}, "bias_lr_mult": 2.0},
        {"body.weight": (0.001, 0.25, "default", "default")},
    ),
    "unknown_names_do_nothing": (
        "NormsWithoutParameters",
        SGD,
        {"norm_decay_mul": 0.0, "biaslr_mult": 2.0},
        {"body.weight": DEFAULT},
    ),
    "a_key_with_an_unknown_field_still_decides_alone": (
        "ModuleProperty",
        SGD,
        {"custom_keys": {"1.": {"wd_mult": 0.0}}, "norm_decay_mult": 0.0},
        {
            "head.weight": NOTHING,
            "head.bias": NOTHING,
            "inner.0.weight": DEFAULT,
            "inner.0.bias": DEFAULT,
            "inner.1.weight": (0.5, 0.25, "custom_key '1.' ×1.0", "custom_key '1.' ×1.0"),
            "inner.1.bias": (0.5, 0.25, "custom_key '1.' ×1.0", "custom_key '1.' ×1.0"),
        },
    ),
    "an_lr_key_cancels_norm_decay": (
        "ModuleProperty",
        SGD,
        {"custom_keys": {"1.w": {"lr_mult": 0.5}}, "norm_decay_mult": 0.0},
        {
            "head.weight": NOTHING,
            "head.bias": NOTHING,
            "inner.0.weight": DEFAULT,
            "inner.0.bias": DEFAULT,
            "inner.1.weight": (0.25, 0.25, "custom_key '1.w' ×0.5", "custom_key '1.w' ×1.0"),
            "inner.1.bias": (0.5, 0.0, "default", "norm ×0.0"),
        },
    ),
    "the_root_dot": (
        "RootParameter",
        SGD,
        {"custom_keys": {".tok": {"decay_mult": 0}, "tok": {"lr_mult": 2}}},
        {
            "tok": (0.5, 0.0, "custom_key '.tok' ×1.0", "custom_key '.tok' ×0"),
            "body.weight": DEFAULT,
            "body.bias": DEFAULT,
            # '.tok' is not in 'tokens.weight', which has no dot before it
            "tokens.weight": (1.0, 0.25, "custom_key 'tok' ×2", "custom_key 'tok' ×1.0"),
        },
    ),
    "the_longest_key_then_the_alphabet": (
        "RootParameter",
        SGD,
        {
            "custom_keys": {
                "weight": {"lr_mult": 0.5},
                "tokens": {"lr_mult": 2},
                "body": {"lr_mult": 4},
                "bias": {"lr_mult": 8},
                "": {"lr_mult": 0},
            }
        },
        {
            "tok": (0.0, 0.25, "custom_key '' ×0", "custom_key '' ×1.0"),
            "body.weight": (0.25, 0.25, "custom_key 'weight' ×0.5", "custom_key 'weight' ×1.0"),
            "body.bias": (4.0, 0.25, "custom_key 'bias' ×8", "custom_key 'bias' ×1.0"),
            "tokens.weight": (1.0, 0.25, "custom_key 'tokens' ×2", "custom_key 'tokens' ×1.0"),
        },
    ),
    "an_lr_in_a_key_stands_above_its_multiplier": (
        "NormsWithoutParameters",
        SGD,
        {"custom_keys": {"body": {"lr": 3, "lr_mult": 0.5, "weight_decay": 0, "decay_mult": 2}}},
        {"body.weight": (3, 0, "custom_key 'body' ×None", "custom_key 'body' ×None")},
    ),
    "products_are_not_rounded": (
        "NormsWithoutParameters",
        {"type": "SGD", "lr": 0.1, "weight_decay": 0.7},
        {"custom_keys": {"body": {"lr_mult": 3, "decay_mult": 0.1}}},
        {
            "body.weight": (
                0.30000000000000004,
                0.06999999999999999,
                "custom_key 'body' ×3",
                "custom_key 'body' ×0.1",
            )
        },
    ),
    "a_whole_lr_stays_whole": (
        "NormsWithoutParameters",
        {"type": "SGD", "lr": 2, "weight_decay": 1},
        {"custom_keys": {"body": {"lr_mult": 3, "decay_mult": True}}},
        {"body.weight": (6, 1, "custom_key 'body' ×3", "custom_key 'body' ×True")},
    ),
    "norms_are_those_that_torch_calls_so": (
        "Norms",
        SGD,
        {"norm_decay_mult": 0.5},
        {
            f"{module}.{name}": (0.5, 0.125, "default", "norm ×0.5")
            for module in (
                *("bn1d", "bn2d", "bn3d", "sync", "instance", "group", "layer"),
                *("layer_without_bias", "own_layer"),
            )
            for name in (("weight",) if "without" in module else ("weight", "bias"))
        }
        | {
            "rms.weight": DEFAULT,
            "like.weight": DEFAULT,
            "like.bias": DEFAULT,
            "body.weight": DEFAULT,
            "body.bias": DEFAULT,
        },
    ),
    "attention_has_biases_of_other_names": (
        "Attention",
        SGD,
        {"bias_lr_mult": 2, "bias_decay_mult": 0},
        {
            "attention.in_proj_weight": DEFAULT,
            "attention.in_proj_bias": DEFAULT,
            "attention.bias_k": DEFAULT,
            "attention.bias_v": DEFAULT,
            "attention.out_proj.weight": DEFAULT,
            "attention.out_proj.bias": (1.0, 0.0, "bias ×2", "bias ×0"),
            "split.q_proj_weight": DEFAULT,
            "split.k_proj_weight": DEFAULT,
            "split.v_proj_weight": DEFAULT,
            "split.in_proj_bias": DEFAULT,
            "split.out_proj.weight": DEFAULT,
            "split.out_proj.bias": (1.0, 0.0, "bias ×2", "bias ×0"),
        },
    ),
    "a_bias_need_not_be_a_vector": (
        "OddBias",
        SGD,
        {"bias_decay_mult": 0.5, "flat_decay_mult": 0.0},
        {
            "table.bias": (0.5, 0.125, "default", "bias ×0.5"),
            "table.rel_bias": (0.5, 0.0, "default", "flat ×0.0"),
            "bias.weight": DEFAULT,
            "bias.bias": (0.5, 0.125, "default", "bias ×0.5"),
            "bilinear.weight": DEFAULT,
            "bilinear.bias": (0.5, 0.125, "default", "bias ×0.5"),
        },
    ),
    "duplicates_go_by_their_first_name": (
        "TiedNormAndBias",
        SGD,
        {"norm_decay_mult": 0.0, "bias_lr_mult": 2, "bypass_duplicate": True},
        {
            "head.weight": DEFAULT,
            "head.bias": (1.0, 0.25, "bias ×2", "default"),
            "norm.weight": NOTHING,
            "norm.bias": (0.5, 0.0, "default", "norm ×0.0"),
        },
    ),
    "below_one_parent_no_key_sees_the_second_name": (
        "ModuleTwiceBelowOneParent",
        SGD,
        {"custom_keys": {"second": {"lr_mult": 0}, "first.b": {"lr_mult": 2}}},
        {
            "first.weight": DEFAULT,
            "first.bias": (1.0, 0.25, "custom_key 'first.b' ×2", "custom_key 'first.b' ×1.0"),
            "second.weight": NOTHING,
            "second.bias": NOTHING,
            "tail.weight": DEFAULT,
            "tail.bias": DEFAULT,
        },
    ),
    "only_what_is_below_module_is_walked": (
        "Wrapper",
        SGD,
        {"custom_keys": {".tok": {"lr_mult": 0}, "module": {"lr_mult": 4}, "before": {}}},
        {
            "scale": NOTHING,
            "before.weight": NOTHING,
            "before.bias": NOTHING,
            "module.tok": (0.0, 0.25, "custom_key '.tok' ×0", "custom_key '.tok' ×1.0"),
            "module.body.weight": DEFAULT,
            "module.body.bias": DEFAULT,
            "module.tokens.weight": DEFAULT,
            "after.weight": NOTHING,
            "after.bias": NOTHING,
        },
    ),
    "deformable_convolutions": (
        "Dcn",
        SGD,
        {
            "dcn_offset_lr_mult": 0.5,
            "bias_lr_mult": 2,
            "bias_decay_mult": 3,
            "norm_decay_mult": 0,
            "dwconv_decay_mult": 5,
            "flat_decay_mult": 7,
        },
        {
            # the deformable convolution's own bias is one like any other
            "pack.weight": DEFAULT,
            "pack.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "pack.conv_offset.weight": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "pack.conv_offset.bias": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "nested.weight": DEFAULT,
            "nested.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            # the parent of these two is the Sequential
            "nested.conv_offset.0.weight": DEFAULT,
            "nested.conv_offset.0.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "nested.conv_offset.1.weight": DEFAULT,
            "nested.conv_offset.1.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "nested.norm.weight": (0.5, 0.0, "default", "norm ×0"),
            "nested.norm.bias": (0.5, 0.0, "default", "norm ×0"),
            "nested.other.weight": DEFAULT,
            "nested.other.bias": DEFAULT,
            "nested.depthwise.weight": (0.5, 1.25, "default", "dwconv ×5"),
            "nested.depthwise.bias": (0.5, 1.25, "default", "dwconv ×5"),
            "torchvision.weight": DEFAULT,
            "torchvision.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "torchvision.conv_offset.weight": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "torchvision.conv_offset.bias": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "plain.conv_offset.weight": DEFAULT,
            "plain.conv_offset.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "other.weight": DEFAULT,
            "other.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "other.conv_offset.weight": DEFAULT,
            "other.conv_offset.bias": DEFAULT,
            "other.my_conv_offset_2.weight": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "other.my_conv_offset_2.bias": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "other.transposed_conv_offset.weight": DEFAULT,
            "other.transposed_conv_offset.bias": DEFAULT,
            "conv_offset.0.weight": DEFAULT,
            "conv_offset.0.bias": (1.0, 0.75, "bias ×2", "bias ×3"),
            "conv_offset.0.conv_offset.weight": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            "conv_offset.0.conv_offset.bias": (0.25, 0.25, "dcn_offset ×0.5", "default"),
        },
    ),
    "a_key_decides_alone_in_deformable_convolutions_too": (
        "DcnBackbone",
        SGD,
        {"custom_keys": {"offset.w": {"lr_mult": 4}}, "dcn_offset_lr_mult": 0.5},
        {
            f"blocks.{block}.{name}": row
            for block in range(8)
            for name, row in {
                "norm1.weight": DEFAULT,
                "norm1.bias": DEFAULT,
                "conv1.weight": DEFAULT,
                "conv1.bias": DEFAULT,
                "conv2.weight": DEFAULT,
                "conv2.bias": DEFAULT,
                "conv2.conv_offset.weight": (
                    2.0,
                    0.25,
                    "custom_key 'offset.w' ×4",
                    "custom_key 'offset.w' ×1.0",
                ),
                "conv2.conv_offset.bias": (0.25, 0.25, "dcn_offset ×0.5", "default"),
            }.items()
        }
        | dict.fromkeys(("stem.weight", "stem.bias", "head.weight", "head.bias"), DEFAULT),
    ),
    "an_empty_paramwise_cfg_takes_frozen_ones_too": (
        "PartlyFrozen",
        SGD,
        {},
        dict.fromkeys(
            ("stem.weight", "stem.bias", "norm.weight", "norm.bias", "head.weight", "head.bias"),
            DEFAULT,
        ),
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str) -> None:
    case, optimizer, paramwise, expected = TABLES[name]
    found = rows(case, optimizer, paramwise)
    assert found == expected
    # 0 and 0.0, 1 and True are equal, and yet not the same
    assert repr(sorted(found.items())) == repr(sorted(expected.items()))


def test_what_a_key_copies_into_the_group() -> None:
    fields = {"momentum": 0.5, "betas": (0.8, 0.9), "wd_mult": 0.0, "lr_mult": 1, "note": None}
    (row,) = planned("NormsWithoutParameters", SGD, {"custom_keys": {"body": fields}})
    assert row.options == {"momentum": 0.5}
    assert row.extra == {"betas": (0.8, 0.9), "wd_mult": 0.0, "lr_mult": 1, "note": None}


def test_lists_in_a_key_become_tuples() -> None:
    fields = {"foo": [1, [2.0]], "param_names": ["a"]}
    (row,) = planned("NormsWithoutParameters", SGD, {"custom_keys": {"body": fields}})
    assert row.extra == {"foo": (1, (2.0,)), "param_names": ("a",)}


def test_status_and_aliases() -> None:
    found = {row.name: (row.status, row.aliases) for row in planned("Wrapper", SGD, None)}
    assert found == {
        "scale": (Status.UNCOVERED, ()),
        "before.weight": (Status.DUPLICATE, ("module.body.weight",)),
        "before.bias": (Status.UNCOVERED, ()),
        "module.tok": (Status.OPTIMIZED, ()),
        "module.body.weight": (Status.OPTIMIZED, ("before.weight",)),
        "module.body.bias": (Status.OPTIMIZED, ("after.weight",)),
        "module.tokens.weight": (Status.OPTIMIZED, ()),
        "after.weight": (Status.DUPLICATE, ("module.body.bias",)),
        "after.bias": (Status.UNCOVERED, ()),
    }


def test_frozen_parameters_are_in_the_one_group_of_an_empty_paramwise_cfg() -> None:
    without = [(row.name, row.status, row.group) for row in planned("PartlyFrozen", SGD, None)]
    assert without == [
        ("stem.weight", Status.FROZEN, 0),
        ("stem.bias", Status.FROZEN, 0),
        ("norm.weight", Status.OPTIMIZED, 0),
        ("norm.bias", Status.FROZEN, 0),
        ("head.weight", Status.OPTIMIZED, 0),
        ("head.bias", Status.OPTIMIZED, 0),
    ]
    with_one = planned("PartlyFrozen", SGD, {"unknown": 1})
    assert [row.group for row in with_one] == [None, None, 0, None, 1, 2]


# The reference builds these, and trains with nonsense.
NONSENSE: dict[str, tuple[Entries, str]] = {
    "negative_multiplier": (
        {"bias_lr_mult": -1.0},
        r"^lr would be -0\.5 for body\.bias \(bias_lr_mult\): it must be finite and not negative$",
    ),
    "negative_decay_in_a_key": (
        {"custom_keys": {".tok": {"weight_decay": -1}}},
        r"^weight_decay would be -1 for tok \(custom key '\.tok'\): it must be",
    ),
    "infinite_product": (
        {"custom_keys": {".tok": {"lr_mult": 1e308}, "tokens": {"lr": 1e308}}, "bias_lr_mult": 1},
        r"^lr would be inf for tok \(custom key '\.tok'\): it must be finite and not negative$",
    ),
    "too_large_for_a_float": (
        {"bias_lr_mult": 10**400},
        r"^bias_lr_mult is too large for a float$",
    ),
    "product_too_large_for_a_float": (
        {"custom_keys": {"body": {"lr_mult": 10**300}, ".tok": {"lr": 10**200}}},
        r"^lr would be inf for body\.weight, body\.bias \(custom key 'body'\): it must be finite",
    ),
    "nan": ({"bias_lr_mult": float("nan")}, r"^bias_lr_mult must be finite, got nan$"),
    "none_in_a_key": (
        {"custom_keys": {".tok": {"lr": None}}},
        r"^custom key '\.tok': lr must be a number, got NoneType None$",
    ),
    "params_in_a_key": (
        {"custom_keys": {".tok": {"params": []}}},
        r"^custom key '\.tok' may not set 'params': it would replace the parameter itself$",
    ),
}
BASES_OF_NONSENSE: dict[str, Entries] = {
    "infinite_product": {"lr": 50.0},
    "product_too_large_for_a_float": {"lr": 10**300},
}
REFUSED_BY_BOTH = ("too_large_for_a_float",)


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_that_the_reference_takes_is_refused(name: str) -> None:
    paramwise, said_here = NONSENSE[name]
    base = {**SGD, **BASES_OF_NONSENSE.get(name, {})}
    if name not in REFUSED_BY_BOTH:
        theirs = run_reference(hard_case("RootParameter"), base, paramwise)
        assert isinstance(theirs, ReferenceOptimizer)
    with pytest.raises(optplan.OptplanError, match=said_here):
        planned("RootParameter", base, paramwise)


def test_without_mmcv_the_reference_knows_no_deformable_convolution() -> None:
    model = hard_case("DcnBackbone")
    paramwise = {"dcn_offset_lr_mult": 0.1}
    without = run_reference(model, SGD, paramwise, mmcv=False)
    assert isinstance(without, ReferenceOptimizer)
    assert {group.final["lr"] for group in without.groups} == {0.5}
    lrs = {row.lr for row in planned("DcnBackbone", SGD, paramwise)}
    assert lrs == {0.5, 0.05}
