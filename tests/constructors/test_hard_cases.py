"""Every hard-case model against the running mmengine, and what it does where it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

import optplan
from optplan import Plan
from tests.agreement import assert_agrees
from tests.grid import ALL_OPTIONS, BASES, PARAMWISE, Entries
from tests.models import HARD_CASES, TiedAcrossParents, hard_case
from tests.reference import run_reference

# What the names of these models ask for.
PARAMWISE_HERE: dict[str, Entries] = {
    "tied_keys": {
        "custom_keys": {"decoder": {"lr_mult": 0.1}, "second": {"lr_mult": 0.2}},
        "bypass_duplicate": True,
    },
    "through_the_wall": {
        "custom_keys": {"module": {"lr_mult": 0.1}, ".tok": {"decay_mult": 0.0}, "after": {}},
        "bypass_duplicate": True,
    },
    "keys_of_markup": {
        "custom_keys": {
            "[red]": {"lr_mult": 0.1},
            "[/x].": {"decay_mult": 0.2},
            "a b": {"lr_mult": 0.0},
            "ö": {"lr_mult": 0.3, "[/bold]": "[red]"},
            "{a,b}*": {"lr_mult": 0.4},
            "\\": {"decay_mult": 0.5},
        },
    },
    "offsets": {
        "custom_keys": {"nested.conv_offset.0": {"lr_mult": 0.3}, "pack.conv": {"decay_mult": 0}},
        **ALL_OPTIONS,
    },
    "norm_parts": {
        "custom_keys": {"parametrizations": {"decay_mult": 0.0}, "original1": {"lr_mult": 3}},
        **ALL_OPTIONS,
    },
}
ALL_PARAMWISE = {"left_out": None, **PARAMWISE, **PARAMWISE_HERE}
ZERO_DECAY: Entries = {"type": "AdamW", "lr": 1e-3, "weight_decay": 0}


ALL_BASES = (*BASES.values(), ZERO_DECAY)


@pytest.mark.parametrize("case", HARD_CASES)
def test_against_reference(case: str) -> None:
    model = hard_case(case)
    for turn, paramwise in enumerate(ALL_PARAMWISE.values(), start=list(HARD_CASES).index(case)):
        assert_agrees(model, BASES["sgd"], paramwise)
        assert_agrees(model, ALL_BASES[turn % len(ALL_BASES)], paramwise)


@pytest.mark.parametrize("case", [name for name in HARD_CASES if "Tied" in name or "Two" in name])
def test_with_duplicates_left_out(case: str) -> None:
    model = hard_case(case)
    for paramwise in ALL_PARAMWISE.values():
        left_out = {**(paramwise or {}), "bypass_duplicate": True}
        assert not isinstance(assert_agrees(model, BASES["sgd"], left_out), Exception)


@pytest.mark.sweep
@pytest.mark.parametrize("case", HARD_CASES)
def test_with_every_base(case: str) -> None:
    model = hard_case(case)
    for paramwise in ALL_PARAMWISE.values():
        for base in ALL_BASES:
            assert_agrees(model, base, paramwise)
            assert_agrees(model, base, {**(paramwise or {}), "bypass_duplicate": True})


@pytest.mark.parametrize("case", HARD_CASES)
def test_with_real_memory_and_without_are_one_plan(case: str) -> None:
    config = {"optimizer": {**BASES["sgd"], "paramwise_cfg": PARAMWISE["all_options"]}}
    on_meta = plan_or_error(hard_case(case), config)
    assert plan_or_error(HARD_CASES[case](), config) == on_meta
    if isinstance(on_meta, Plan):
        assert Plan.from_json(on_meta.to_json()) == on_meta


def plan_or_error(model: nn.Module, config: Entries) -> Plan | str:
    try:
        return optplan.make_plan(model, config)
    except optplan.OptplanError as error:
        return str(error)


@pytest.mark.parametrize("case", ["Dcn", "TiedAcrossParents", "PartlyFrozen", "Wrapper"])
def test_the_older_form_gives_the_same(case: str) -> None:
    paramwise = PARAMWISE["everything"]
    older = {"optimizer": {**BASES["sgd"], "paramwise_cfg": paramwise}}
    newer = {"optim_wrapper": {"optimizer": BASES["sgd"], "paramwise_cfg": paramwise}}
    model = hard_case(case)
    plans = [optplan.make_plan(model, config) for config in (older, newer)]
    assert [plan.generation and plan.generation.because for plan in plans] == [
        ("optimizer",),
        ("optim_wrapper",),
    ]
    assert replace(plans[0], generation=plans[1].generation) == plans[1]
    groups = optplan.build_optimizer(model, older).param_groups
    assert str(groups) == str(optplan.build_optimizer(model, newer).param_groups)


def test_a_plan_leaves_the_model_as_it_was() -> None:
    model = TiedAcrossParents()
    model.norm.requires_grad_(requires_grad=False)
    before = {name: (id(p), p.requires_grad) for name, p in model.named_parameters()}
    values = {name: p.detach().clone() for name, p in model.named_parameters()}
    config = {"optimizer": {**BASES["sgd"], "paramwise_cfg": PARAMWISE["all_options"]}}
    optplan.make_plan(model, config)
    optplan.build_optimizer(model, config)
    assert {name: (id(p), p.requires_grad) for name, p in model.named_parameters()} == before
    assert all(torch.equal(p, values[name]) for name, p in model.named_parameters())
    assert all(p.grad is None for p in model.parameters())


# model, optimizer, paramwise_cfg, what the reference raises, what optplan says
SGD: Entries = {"type": "SGD", "lr": 0.1, "weight_decay": 0.1}
NO_DECAY: Entries = {"type": "SGD", "lr": 0.1}
NO_LR: Entries = {"type": "SGD", "weight_decay": 0.1}
REFUSALS: dict[str, tuple[str, Entries, Entries | None, str, str]] = {
    "norm_without_decay": (
        "RootParameter",
        NO_DECAY,
        {"norm_decay_mult": 0.0},
        "ValueError: base_wd should not be None",
        r"^norm_decay_mult multiplies a base weight_decay, but the optimizer sets none",
    ),
    "bias_of_none_without_decay": (
        "RootParameter",
        NO_DECAY,
        {"bias_decay_mult": None},
        "ValueError: base_wd should not be None",
        r"^bias_decay_mult multiplies a base weight_decay, but the optimizer sets none",
    ),
    "dwconv_without_decay": (
        "RootParameter",
        NO_DECAY,
        {"dwconv_decay_mult": 1.0},
        "ValueError: base_wd should not be None",
        r"^dwconv_decay_mult multiplies a base weight_decay, but the optimizer sets none",
    ),
    "key_without_decay": (
        "RootParameter",
        NO_DECAY,
        {"custom_keys": {"nowhere": {"decay_mult": 0.0}}},
        "ValueError: base_wd should not be None",
        r"^decay_mult of custom key 'nowhere' multiplies a base weight_decay",
    ),
    "key_without_lr": (
        "RootParameter",
        NO_LR,
        {"custom_keys": {".tok": {"decay_mult": 0.0}}},
        "TypeError: unsupported operand type(s) for *: 'NoneType' and 'float'",
        r"^custom key '\.tok' multiplies a base lr for 'tok', but the optimizer sets no lr",
    ),
    "lr_in_key_without_lr": (
        "RootParameter",
        NO_LR,
        {"custom_keys": {".tok": {"lr": 0.1}}},
        "TypeError: unsupported operand type(s) for *: 'NoneType' and 'float'",
        r"^custom key '\.tok' multiplies a base lr for 'tok', but the optimizer sets no lr",
    ),
    "bias_without_lr": (
        "RootParameter",
        NO_LR,
        {"bias_lr_mult": 2},
        "TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'",
        r"^bias_lr_mult multiplies a base lr for 'body\.bias', but the optimizer sets no lr",
    ),
    "dcn_without_lr": (
        "Dcn",
        NO_LR,
        {"dcn_offset_lr_mult": 0.1},
        "TypeError: unsupported operand type(s) for *: 'NoneType' and 'float'",
        r"^dcn_offset_lr_mult multiplies a base lr for 'pack\.conv_offset\.weight'",
    ),
    "tied": (
        "TiedAcrossParents",
        SGD,
        {"bias_lr_mult": 2.0},
        "ValueError: some parameters appear in more than one parameter group",
        r"^tied parameters would be in several groups.*: decoder\.weight \(= embedding\.weight\)",
    ),
    "all_frozen": (
        "AllFrozen",
        SGD,
        {"bias_lr_mult": 2.0},
        "ValueError: optimizer got an empty parameter list",
        r"^every parameter is frozen, the optimizer would get none$",
    ),
    "no_parameters": (
        "NoParameters",
        SGD,
        None,
        "ValueError: optimizer got an empty parameter list",
        r"^the model tests\.models\.NoParameters has no parameters",
    ),
    "module_is_text": (
        "ModuleIsNoModule",
        SGD,
        None,
        "AttributeError: 'str' object has no attribute 'parameters'",
        r"^the model's attribute 'module' is a str: .* \(rename the attribute\)$",
    ),
    "module_is_none": (
        "ModuleIsNone",
        SGD,
        {"bias_lr_mult": 2.0},
        "AttributeError: 'NoneType' object has no attribute 'named_parameters'",
        r"^the model's attribute 'module' is a NoneType",
    ),
    "keys_are_a_list": (
        "RootParameter",
        SGD,
        {"custom_keys": ["bias"]},
        "TypeError: If specified, custom_keys must be a dict, but got <class 'list'>",
        r"^custom_keys must be a dict, got list \['bias'\]$",
    ),
    "key_is_a_number": (
        "RootParameter",
        SGD,
        {"custom_keys": {"bias": 0.1}},
        "AttributeError: 'float' object has no attribute 'get'",
        r"^custom key 'bias' must hold a dict, got float 0\.1",
    ),
    "mult_is_text": (
        "RootParameter",
        SGD,
        {"bias_lr_mult": "2"},
        "TypeError: can't multiply sequence by non-int of type 'float'",
        r"^bias_lr_mult must be a number, got the string '2' \(write 2\.0, without quotes\)$",
    ),
    "unknown_argument": (
        "RootParameter",
        {"type": "SGD", "lr": 0.1, "weight_decays": 0.1},
        None,
        "TypeError: SGD.__init__() got an unexpected keyword argument 'weight_decays'",
        r"^SGD takes no argument 'weight_decays' \(did you mean 'weight_decay'\?\)$",
    ),
    "unknown_optimizer": (
        "RootParameter",
        {"type": "SDG", "lr": 0.1},
        None,
        "TypeError: None is not a callable object",
        r"^there is no optimizer 'SDG' \(did you mean 'SGD'\?\)$",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    case, optimizer, paramwise, theirs, ours = REFUSALS[name]
    model = hard_case(case)
    raised = run_reference(model, optimizer, paramwise)
    assert isinstance(raised, Exception)
    said, _, _ = str(raised).partition(". Did you mean")  # which Python adds from 3.13 on
    assert f"{type(raised).__name__}: {said}" == theirs
    config = {"optim_wrapper": {"optimizer": optimizer, "paramwise_cfg": paramwise}}
    with pytest.raises(optplan.OptplanError, match=ours):
        optplan.make_plan(model, config)
    with pytest.raises(optplan.OptplanError):
        optplan.build_optimizer(model, config)
