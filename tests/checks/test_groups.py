"""OPT207, OPT410 and OPT411: the groups that functions make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optplan.app.planning import plan_with_facts
from optplan.checks import Context
from optplan.config import NO_SECTION
from optplan.dialects.function.load import load_function
from optplan.plan import Plan
from optplan.reporters.plan_summary import coverage_lines
from tests.checks.given import lines, meta
from tests.checks.models import Net
from tests.conftest import Invoke
from tests.schema import validate

FUNCTIONS = str(Path(__file__).with_name("group_functions.py"))
FLAT = "backbone.0.bias, backbone.1.weight, backbone.1.bias, head.bias"
BACKBONE = "backbone.0.weight backbone.0.bias backbone.1.weight backbone.1.bias"
ALL = f"{BACKBONE} head.weight head.bias"
OWN_LR = "(give the group an 'lr' of its own)"
OWN_DECAY = "(give the group a 'weight_decay' of its own)"
SELECTS = "(what selects its parameters matches none of the model's names)"


def context_of(name: str) -> Context:
    config = load_function(f"{FUNCTIONS}:{name}")
    planned = plan_with_facts(meta(Net), config)
    return Context(config=config, section=NO_SECTION, planned=planned, has_model=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty", [f"warning: group 1 (lr 0.01) has no parameters {SELECTS}"]),
        (
            "empty_between",
            [f"warning: group 0 of optimizer a (lr 0.1) has no parameters {SELECTS}"],
        ),
        ("filled_by_a_loss", []),
        ("lr_mult", []),
    ],
)
def test_opt410(name: str, expected: list[str]) -> None:
    assert lines("OPT410", context_of(name)) == expected


def test_the_plan_keeps_empty_groups() -> None:
    plan = plan_with_facts(meta(Net), load_function(f"{FUNCTIONS}:empty_between")).plan
    assert coverage_lines(plan)[-1] == "group 0 of optimizer a (lr 0.1) has no parameters"
    text = plan.to_json()
    validate(json.loads(text), "plan-1.0")
    assert Plan.from_json(text) == plan


def test_show_says_that_a_group_is_empty(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("show", f"{FUNCTIONS}:empty", "--model", "tests.checks.models:Net")
    assert done.stdout.splitlines()[-1] == " group 1 (lr 0.01) has no parameters"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "inverted",
            [
                "warning: 4 parameters with one dimension have weight_decay 0.1, while none of 2 matrices has"
                f" any: {FLAT} (swap the weight decay of the groups, if matrices are to be decayed)"
                " [backbone.0.bias backbone.1.weight backbone.1.bias head.bias]"
            ],
        ),
        ("upright", []),
        ("biases_only", []),
        ("nothing_decayed", []),
        ("some_matrices_decayed", []),
    ],
)
def test_opt207(name: str, expected: list[str]) -> None:
    assert lines("OPT207", context_of(name)) == expected


def test_opt207_over_several_optimizers() -> None:
    (line,) = lines("OPT207", context_of("inverted_in_one_of_two"))
    assert "none of 2 matrices has any" in line


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "lr_mult",
            "groups differ in 'lr_mult' (0.1, none), which SGD does not read: it does nothing"
            f" {OWN_LR} [{BACKBONE}]",
        ),
        (
            "wd_multiplier",
            "groups differ in 'wd_multiplier' (0, 1), which AdamW does not read: it does nothing"
            f" {OWN_DECAY} [{ALL}]",
        ),
        (
            "use_muon",
            "groups differ in 'use_muon' (True, False), which AdamW does not read: it does nothing"
            f" (remove it, or use an optimizer that reads it) [{ALL}]",
        ),
        (
            "kinds",
            "groups differ in 'kind' (muon, adamw), which AdamW does not read: it does nothing"
            f" (remove it, or use an optimizer that reads it) [{ALL}]",
        ),
        (
            "shared_kinds",
            "groups differ in 'kind' (muon, adamw), which AdamW does not read: it does nothing"
            f" (remove it, or use an optimizer that reads it) [{ALL}]",
        ),
        (
            "layer_decay",
            "groups differ in 'layer_decay' (0.5, 0.25), which SGD does not read: it does nothing"
            f" {OWN_DECAY} [{ALL}]",
        ),
        (
            "other_entry",
            "groups differ in 'lr_multiplier' (0.1, 1), which Inheriting does not read: it does nothing"
            f" {OWN_LR} [{ALL}]",
        ),
    ],
)
def test_opt411(name: str, expected: str) -> None:
    assert lines("OPT411", context_of(name)) == [f"warning: {expected}"]


@pytest.mark.parametrize(
    "name",
    [
        "lr_mult_alike",
        "lr_mult_applied",
        "flag_applied",
        "names",
        "shared_names",
        "scale_for_timm",
        "only_groups",
        "read_by_its_class",
        "read_by_a_base",
    ],
)
def test_opt411_is_silent(name: str) -> None:
    assert lines("OPT411", context_of(name)) == []
