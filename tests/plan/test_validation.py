"""A saved plan is checked field by field against the published schema when it is read."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import jsonschema
import pytest

from optplan.errors import PlanError
from optplan.names import Matcher, Rule, Status
from optplan.plan import Plan
from optplan.plan.codec import path_text
from tests.plan.forged import DROPPED, Path, all_forged, forged, plans

SCHEMA = json.loads(
    resources.files("optplan").joinpath("schemas/plan-1.0.schema.json").read_text("utf-8")
)
PUBLISHED = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def saved() -> dict[str, Plan]:
    return plans()


NAMES = ("keys", "layers", "scaled", "several", "live")


@pytest.mark.parametrize("name", NAMES)
def test_plans_survive(saved: dict[str, Plan], name: str) -> None:
    assert Plan.from_json(saved[name].to_json()) == saved[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_with_every_value(saved: dict[str, Plan], name: str) -> None:
    """Refused with the path of a field, or a plan that the schema accepts and that can be saved again."""
    refused = accepted = 0
    for path, value, data in all_forged(saved[name]):
        try:
            plan = Plan.from_json(json.dumps(data))
        except PlanError as error:
            refused += 1
            (problem,) = error.problems
            assert "\n" not in problem.message
            if path[0] != "format_version" and value is not DROPPED:
                assert problem.message.startswith("the saved plan is damaged: "), path
            continue
        accepted += 1
        assert PUBLISHED.is_valid(data), (path, value)
        assert Plan.from_json(plan.to_json()) == plan
    assert refused > 3 * accepted > 0


ONE_FIELD: list[tuple[Path, Any, str]] = [
    (("parameters", 3, "lr"), "x", 'parameters[3].lr: expected a number or null, got "x"'),
    (("parameters", 0, "lr"), float("nan"), "parameters[0].lr: expected a finite number, got NaN"),
    (("parameters", 0, "lr"), True, "parameters[0].lr: expected a number or null, got true"),
    (("parameters", 0, "elements"), 3.0, "parameters[0].elements: expected an integer, got 3.0"),
    (("parameters", 0, "elements"), -1, "parameters[0].elements: expected at least 0, got -1"),
    (("parameters", 0, "shape", 0), None, "parameters[0].shape[0]: expected an integer, got null"),
    (("parameters", 0, "options"), "x", 'parameters[0].options: expected an object, got "x"'),
    (("parameters", 0, "name"), 1e308, "parameters[0].name: expected a string, got 1e+308"),
    (("parameters", 0, "optimizer"), 99, "parameters[0].optimizer: expected at most 0, got 99"),
    (("parameters", 0, "setting"), 9, "parameters[0].setting: expected at most 2, got 9"),
    (
        ("parameters", 0, "group"),
        None,
        "parameters[0].group: expected an integer where the status is optimized, got null",
    ),
    (("parameters", 0, "name"), "body.bias", 'parameters[2].name: "body.bias" is named twice'),
    (
        ("parameters", 1, "aliases", 0),
        "nowhere",
        'parameters[1].aliases[0]: there is no parameter "nowhere"',
    ),
    (
        ("parameters", 5, "aliases"),
        [],
        "parameters[5].aliases: a duplicate needs the name that carries its tensor",
    ),
    (("parameters", 5, "group"), 0, "parameters[5].group: expected null where the status is dup"),
    (("parameters", 0, "lr_rule", "mult"), DROPPED, "parameters[0].lr_rule.mult: it is missing"),
    (("parameters", 0, "extra"), {"a b": float("inf")}, 'parameters[0].extra["a b"]: expected a'),
    (("parameters", 0, "new"), 1, "parameters[0].new: there is no such field"),
    (("parameters",), [], "parameters: it is empty"),
    (("settings", 1, "index"), 0, "settings[1].index: expected 1, got 0"),
    (("settings", 1, "optimizer"), 1, "settings[1].optimizer: expected at most 0, got 1"),
    (("optimizers",), [], "optimizers: it is empty"),
    (("optimizers", 0, "lr"), 10**400, "optimizers[0].lr: expected a finite number, got 1000"),
    (("model", "source"), "x", 'model.source: expected one of "timm", "import", "file", '),
    (("versions", "torch"), DROPPED, "versions.torch: it is missing"),
]


@pytest.mark.parametrize(("path", "value", "message"), ONE_FIELD, ids=[c[2] for c in ONE_FIELD])
def test_messages(saved: dict[str, Plan], path: Path, value: Any, message: str) -> None:
    data = forged(json.loads(saved["keys"].to_json()), path, value)
    with pytest.raises(PlanError, match=re.escape(f"the saved plan is damaged: {message}")):
        Plan.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_what_json_cannot_read(text: str) -> None:
    with pytest.raises(PlanError, match="not a saved plan: "):
        Plan.from_json(text)


def test_the_schema_names_every_word() -> None:
    """What a plan may hold, the published schema accepts."""
    defined = SCHEMA["$defs"]
    assert set(defined["rule"]["properties"]["rule"]["enum"]) == set(Rule)
    assert set(defined["parameter"]["properties"]["status"]["enum"]) == set(Status)
    assert set(SCHEMA["properties"]["matcher"]["enum"]) == set(Matcher)


def test_numbers_that_json_does_not_have(saved: dict[str, Plan]) -> None:
    """NaN and Infinity are read by Python's parser and by no other."""
    text = saved["keys"].to_json().replace('"mult": 1.0', '"mult": -Infinity', 1)
    with pytest.raises(PlanError, match=r"lr_rule\.mult: expected a finite number, got -Infinity"):
        Plan.from_json(text)


def test_paths() -> None:
    assert path_text(["a", 0, "b c", "\x1b"]) == 'a[0]["b c"]["\\u001b"]'
    assert path_text([]) == "the file"
