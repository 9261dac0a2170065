"""JSON has no word for what is not finite: it is null."""

from __future__ import annotations

import json

from optplan.plan.explanation import explain
from optplan.reporters.explain import explain_json
from optplan.reporters.formats.json import json_text
from tests.schema import validate
from tests.views import Transformer, on_meta, planned


def test_not_finite() -> None:
    data = {"a": [float("inf"), float("nan"), 1.5], "b": {"c": (-float("inf"), "inf", None, True)}}
    assert json.loads(json_text(data)) == {
        "a": [None, None, 1.5],
        "b": {"c": [None, "inf", None, True]},
    }


def test_a_key_that_lost_would_have_given_an_infinite_lr() -> None:
    keys = {"head.b": {"lr_mult": 1e307}, "head.bias": {"lr_mult": 1.0}}
    made = planned(on_meta(Transformer), {"custom_keys": keys}, lr=100.0)
    data = json.loads(explain_json(made.plan, explain(made, ("head.bias",))))
    validate(data, "explain-1.0")
    found = {one["key"]: one["value"] for one in data["parameters"][0]["lr"]["candidates"]}
    assert found == {"head.bias": 100.0, "head.b": None}
