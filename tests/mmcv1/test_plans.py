"""Plans of configs for mmcv 1.x, equal to what mmcv 1.7.2 answered when it was run."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from optplan.app.planning import build_optimizer, make_plan
from optplan.errors import OptplanError
from optplan.names import Status
from optplan.plan import Plan
from tests.mmcv1.common import MODELS, RECORDED, groups_hash, model_of

_FOUND = json.loads(RECORDED.read_text())
_RELEASED = _FOUND["released"]["sections"]
# Packages register these; mmcv itself has no such class.
_SIGN = {"lr_config": {"policy": "fixed"}}


def test_what_was_recorded() -> None:
    assert _FOUND["mmcv"] == "1.7.2"
    assert (_RELEASED, len(_FOUND["sections"])) == (67, 187)


@pytest.mark.parametrize("name", MODELS)
def test_plans_are_those_of_mmcv(name: str) -> None:
    """Groups as they are built, and rows of the plan."""
    differ = []
    for case in _FOUND["sections"]:
        section = ast.literal_eval(case["section"])
        if _answer(name, section) != _expected(case["answers"][name]):
            differ.append(case["section"])
    assert differ == []


def _expected(answer: str) -> str:
    return "refused" if answer.endswith(("Error", "Warning")) else answer


def _answer(name: str, section: dict[str, Any]) -> str:
    """The hash of the groups that are built, where the plan says the same; 'refused' where both refuse."""
    model, config = model_of(name), {"optimizer": section, **_SIGN}
    given = section.keys() - {"type", "paramwise_cfg", "constructor"}
    try:
        plan = make_plan(model, config)
    except OptplanError:
        with pytest.raises(OptplanError):
            build_optimizer(model, config)
        return "refused"
    optimizer = build_optimizer(model, config)
    assert _rows(plan) == _built(model, optimizer.param_groups, plan)
    return groups_hash(model, optimizer.param_groups, given)


def _rows(plan: Plan) -> dict[str, Any]:
    return {
        row.name: (row.group, row.lr, row.weight_decay, dict(row.options), dict(row.extra))
        for row in plan.parameters
        if row.status is not Status.DUPLICATE
    }


def _built(model: Any, groups: list[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    own = plan.optimizers[0]
    assert own.lr is None or all("lr" in group for group in groups)
    found: dict[str, Any] = {
        names[id(one)]: (index, group["lr"], group["weight_decay"], {}, {})
        for index, group in enumerate(groups)
        for one in group["params"]
    }
    return {name: found.get(name, (None, None, None, {}, {})) for name in names.values()}
