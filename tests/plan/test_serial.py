"""A plan survives its way through JSON, and a damaged one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from torch import nn

import optplan
from optplan.errors import PlanError
from optplan.plan import Plan, plain
from tests.schema import validate


@pytest.fixture(scope="module")
def plan() -> Plan:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    model.add_module("again", model[2])
    model[0].weight.requires_grad_(False)
    keys = {
        "2.": {
            "lr": 1,
            "betas": (0.5, 0.9),
            "tags": {"deep": [1, (2.5, None)], 3: {4}},
            "limit": float("inf"),
            "name": "[red]\x1b\ud83d\ude00",
            "kind": nn.Linear,
        }
    }
    section = {
        "type": "AdamW",
        "lr": 0.001,
        "paramwise_cfg": {"custom_keys": keys, "bypass_duplicate": True},
    }
    return optplan.make_plan(model, {"optimizer": section})


def test_round_trip(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json(indent=None).encode()) == plan


def test_fits_the_schema_and_is_plain_ascii(plan: Plan) -> None:
    text = plan.to_json()
    assert text.isascii()
    validate(json.loads(text), "plan-1.0")


def test_values_of_any_kind(plan: Plan) -> None:
    row = next(row for row in plan.parameters if row.name == "2.weight")
    assert row.options == {"betas": (0.5, 0.9)}
    assert row.extra == {
        "tags": {"deep": (1, (2.5, None)), "3": (4,)},
        "limit": "inf",
        "name": "[red]\x1b\U0001f600",
        "kind": "<class 'torch.nn.modules.linear.Linear'>",
    }
    assert (row.lr, type(row.lr)) == (1, int)


def test_statuses(plan: Plan) -> None:
    assert {row.name: (row.status.value, row.group) for row in plan.parameters} == {
        "0.weight": ("frozen", None),
        "0.bias": ("optimized", 0),
        "1.weight": ("optimized", 1),
        "1.bias": ("optimized", 2),
        "2.weight": ("optimized", 3),
        "2.bias": ("optimized", 4),
        "again.weight": ("duplicate", None),
        "again.bias": ("duplicate", None),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": "2.0"}, "the saved plan has format 2.0, this optplan reads 1.0"),
        ({"format_version": None}, "not a saved plan: it has no format_version"),
        ({"format_version": 1}, "the saved plan is damaged: format_version is 1, not text"),
        ({"model": None}, "the saved plan is damaged"),
        ({"parameters": [{}]}, "the saved plan is damaged"),
        ({"parameters": 3}, "the saved plan is damaged"),
        ({"settings": {}}, r"the saved plan is damaged: settings: expected a list, got \{\}"),
        (
            {"narrowed": "--rule norm"},
            "the saved plan is not whole, it was narrowed by --rule norm",
        ),
    ],
)
def test_damaged(plan: Plan, change: dict[str, Any], message: str) -> None:
    text = json.dumps({**json.loads(plan.to_json()), **change})
    with pytest.raises(PlanError, match=message):
        Plan.from_json(text)


@pytest.mark.parametrize("text", ["", "[", "[]", "3", '"a"', b"\xff"])
def test_no_plan(text: str | bytes) -> None:
    with pytest.raises(PlanError, match="not a saved plan"):
        Plan.from_json(text)


def test_newer_minor_formats_are_read(plan: Plan) -> None:
    data = json.loads(plan.to_json())
    data["format_version"] = "1.7"
    data["parameters"][0]["a_new_field"] = 1
    assert Plan.from_json(json.dumps(data)) == plan


def test_plain_keeps_types() -> None:
    assert [type(plain(value)) for value in (True, 1, 1.0, "a", None, [1], {1})] == [
        bool,
        int,
        float,
        str,
        type(None),
        tuple,
        tuple,
    ]
