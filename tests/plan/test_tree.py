"""The module tree: closed where uniform, folded where siblings look alike, nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from optplan.names import Status
from optplan.plan import Plan
from optplan.plan.names.patterns import matching
from optplan.plan.names.tree import Branch, branches, module_tree
from tests.views import PLANNED, Transformer, on_meta, planned

NO_DECAY = {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0}
BYPASS = {"bypass_duplicate": True}


def shown(plan: Plan, depth: int | None = None) -> list[str]:
    """Each branch as its pattern and its number of parameters."""
    tree = module_tree(plan.parameters)
    return [f"{branch.pattern} {branch.subtree.parameters}" for branch in branches(tree, depth)]


def transformer(paramwise: Mapping[str, Any]) -> Plan:
    return planned(on_meta(Transformer), paramwise).plan


def test_uniform_model_is_one_branch() -> None:
    assert shown(transformer({})) == ["* 33"]


def test_alike_siblings_are_folded_and_lone_children_joined() -> None:
    assert shown(transformer(NO_DECAY)) == [
        "* 33",
        "cls_token 1",
        "blocks.{0-2}.* 30",
        "blocks.{0-2}.norm{1,2}.* 12",
        "blocks.{0-2}.multihead_attn.* 6",
        "blocks.{0-2}.multihead_attn.weight 3",
        "blocks.{0-2}.multihead_attn.bias 3",
        "blocks.{0-2}.mlp.fc{1,2}.* 12",
        "blocks.{0-2}.mlp.fc{1,2}.weight 6",
        "blocks.{0-2}.mlp.fc{1,2}.bias 6",
        "head.* 2",
        "head.weight 1",
        "head.bias 1",
    ]


def test_siblings_that_differ_stay_apart() -> None:
    keys = {f"blocks.{block}.": {"lr_mult": 0.5**block} for block in (1, 2)}
    assert shown(transformer({"custom_keys": keys})) == [
        "* 33",
        "cls_token 1",
        "blocks.* 30",
        "blocks.0.* 10",
        "blocks.1.* 10",
        "blocks.2.* 10",
        "head.* 2",
    ]


def test_siblings_of_equal_values_by_different_rules_stay_apart() -> None:
    keys = {"blocks.0": {"lr_mult": 0.5}, "blocks.1": {"lr_mult": 0.5}}
    assert "blocks.0.* 10" in shown(transformer({"custom_keys": keys}))


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, ["* 33"]),
        (1, ["* 33", "cls_token 1", "blocks.{0-2}.* 30", "head.* 2"]),
        (
            2,
            [
                "* 33",
                "cls_token 1",
                "blocks.{0-2}.* 30",
                "blocks.{0-2}.norm{1,2}.* 12",
                "blocks.{0-2}.multihead_attn.* 6",
                "blocks.{0-2}.mlp.fc{1,2}.* 12",
                "head.* 2",
                "head.weight 1",
                "head.bias 1",
            ],
        ),
    ],
)
def test_depth(depth: int, expected: list[str]) -> None:
    assert shown(transformer(NO_DECAY), depth) == expected


def test_duplicates_are_shown_but_not_counted() -> None:
    assert shown(planned("TiedInOneModule", BYPASS).plan) == [
        "* 3",
        "first 1",
        "second 0",
        "body.* 2",
        "body.weight 1",
        "body.bias 1",
        "body.again 0",
    ]


def leaves(plan: Plan) -> list[Branch]:
    """The branches that nothing is below."""
    return [
        branch for branch in branches(module_tree(plan.parameters)) if not branch.subtree.children
    ]


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_each_name_is_in_exactly_one_closed_branch(name: str) -> None:
    plan = planned(name, {**NO_DECAY, **BYPASS, "flat_decay_mult": 0.5}).plan
    names = [row.name for row in plan.parameters]
    found = leaves(plan)
    patterns = [branch.pattern for branch in found]
    matched = matching(patterns, names)
    assert sorted(name for pattern in patterns for name in matched[pattern]) == sorted(names)
    for branch in found:
        (kind,) = branch.subtree.kinds.values()
        assert kind.names == len(matched[branch.pattern])
    carried = [row for row in plan.parameters if row.status is not Status.DUPLICATE]
    assert sum(branch.subtree.parameters for branch in found) == len(carried)
    assert sum(branch.subtree.elements for branch in found) == plan.model.elements


def test_a_deep_name_needs_no_deep_stack() -> None:
    plan = transformer(NO_DECAY)
    rows = [
        row._replace(name="a." * 5000 + name)
        for row, name in zip(plan.parameters, ("norm.weight", "b.weight"), strict=False)
    ]
    assert [branch.subtree.parameters for branch in branches(module_tree(rows))] == [2, 2, 1, 1]
