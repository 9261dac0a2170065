"""What differs between two plans, and that it is told once, exactly and the same both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optplan.names import Rule, Status
from optplan.plan import Plan, RuleUse
from optplan.plan.changes import (
    ABSENT,
    Change,
    Cluster,
    OneSided,
    OptimizerChange,
    PlanDiff,
    all_names,
)
from optplan.plan.diff import diff_plans
from optplan.plan.names.patterns import matching
from tests.plans import DEFAULT, NORM, key, optimizer, outside, plan, row

Told = tuple[str, str, Any, Any, tuple[str, ...]]


def clusters(diff: PlanDiff) -> list[Told]:
    """What the clusters say, without the rules."""
    return [
        (c.change.kind.value, c.change.field, c.change.before, c.change.after, c.patterns)
        for c in diff.clusters
    ]


def optimizers(diff: PlanDiff) -> list[tuple[str, Any, Any, int | None]]:
    """What the changes of optimizers say."""
    return [
        (c.change.field, c.change.before, c.change.after, c.parameters) for c in diff.optimizers
    ]


A = plan(row("a.weight"), row("a.bias"), row("b.norm"))


def test_nothing() -> None:
    diff = diff_plans(A, A)
    assert diff.is_same
    assert (diff.common, diff.changed) == (3, 0)


def test_changes_alike_are_one() -> None:
    norms = {"weight_decay": 0.0, "weight_decay_rule": NORM}
    diff = diff_plans(A, plan(row("a.weight"), row("a.bias", **norms), row("b.norm", **norms)))
    assert clusters(diff) == [("value", "weight_decay", 0.05, 0.0, ("*.{bias,norm}",))]
    (cluster,) = diff.clusters
    assert (cluster.rule_before, cluster.rule_after) == (DEFAULT, NORM)
    assert (cluster.names, cluster.elements) == (("a.bias", "b.norm"), 20)
    assert (diff.common, diff.changed, diff.is_same) == (3, 2, False)


def test_the_larger_cluster_comes_first() -> None:
    after = plan(row("a.weight", lr=1.0), row("a.bias", lr=2.0), row("b.norm", lr=2.0))
    assert [(c.change.after, len(c.names)) for c in diff_plans(A, after).clusters] == [
        (2.0, 2),
        (1.0, 1),
    ]


def test_equal_values_of_other_rules_are_two_clusters() -> None:
    after = plan(
        row("a.weight"),
        row("a.bias", lr=1.0, lr_rule=key("a", 10.0)),
        row("b.norm", lr=1.0, lr_rule=key("b", 10.0)),
    )
    assert len(diff_plans(A, after).clusters) == 2


def test_base_is_one_line() -> None:
    tenth = key("b", 0.1)
    before = plan(row("a.weight"), row("a.bias", lr=0.0), row("b.norm", lr=0.01, lr_rule=tenth))
    after = plan(
        row("a.weight", lr=0.01),
        row("a.bias", lr=0.0),
        row("b.norm", lr=0.001, lr_rule=tenth),
        optimizers=(optimizer(lr=0.01),),
    )
    diff = diff_plans(before, after)
    assert clusters(diff) == []
    assert optimizers(diff) == [("lr", 0.1, 0.01, 2)]
    assert diff.changed == 2


@pytest.mark.parametrize(
    ("lr", "use", "told"),
    [
        # the multiplier has changed too
        (0.02, key("b", 2.0), [("value", "lr", 0.1, 0.02, ("b.norm",))]),
        # a key sets the lr itself
        (0.01, key("b", None), [("value", "lr", 0.1, 0.01, ("b.norm",))]),
        # another rule, but the same multiplier of the base
        (0.01, key("b", 1.0), []),
        # not what base and multiplier make
        (0.03, DEFAULT, [("value", "lr", 0.1, 0.03, ("b.norm",))]),
    ],
)
def test_what_a_base_does_not_explain(lr: float, use: RuleUse, told: list[Told]) -> None:
    after = plan(
        row("a.weight", lr=0.01),
        row("a.bias", lr=0.01),
        row("b.norm", lr=lr, lr_rule=use),
        optimizers=(optimizer(lr=0.01),),
    )
    assert clusters(diff_plans(A, after)) == told


def test_base_that_nobody_follows_is_a_difference() -> None:
    diff = diff_plans(A, replace(A, optimizers=(optimizer(lr=0.01),)))
    assert optimizers(diff) == [("lr", 0.1, 0.01, 0)]
    assert not diff.is_same


def test_optimizer_without_weight_decay() -> None:
    none: dict[str, Any] = {"weight_decay": None, "weight_decay_rule": None}
    after = plan(
        *(row(r.name, **none) for r in A.parameters),
        optimizers=(
            optimizer(type="Rprop", class_name="torch.optim.rprop.Rprop", weight_decay=None),
        ),
    )
    diff = diff_plans(A, after)
    assert clusters(diff) == []
    assert optimizers(diff) == [("type", "SGD", "Rprop", None), ("weight_decay", 0.05, None, 3)]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            {"type": "AdamW", "class_name": "torch.optim.adamw.AdamW"},
            [("type", "SGD", "AdamW", None)],
        ),
        ({"class_name": "torch.optim.elsewhere.SGD"}, []),
        ({"type": "torch.optim.SGD"}, []),
        ({"class_name": "mine.LARS"}, [("type", "SGD", "SGD", None)]),
        ({"options": {"momentum": 0.9}}, [("momentum", ABSENT, 0.9, None)]),
    ],
)
def test_optimizers(other: dict[str, Any], told: list[Any]) -> None:
    assert optimizers(diff_plans(A, replace(A, optimizers=(optimizer(**other),)))) == told


def test_several_optimizers_are_paired_by_name() -> None:
    first = (optimizer(name="g"), optimizer(name="d", lr=0.2))
    second = (optimizer(name="d", lr=0.2), optimizer(name="e"))
    before = plan(row("a", optimizer=0), row("b", optimizer=1), optimizers=first)
    after = plan(row("a", optimizer=0), row("b", optimizer=0), optimizers=second)
    diff = diff_plans(before, after)
    assert clusters(diff) == [("parameter", "optimizer", "g", "d", ("a",))]
    assert [(c.optimizer, c.change.before, c.change.after) for c in diff.optimizers] == [
        ("g", "SGD", ABSENT),
        ("e", ABSENT, "SGD"),
    ]


def test_constructor() -> None:
    diff = diff_plans(A, replace(A, constructor="Mine"))
    assert optimizers(diff) == [("constructor", "DefaultOptimizerConstructor", "Mine", None)]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (outside("w", Status.FROZEN), ("parameter", "status", Status.OPTIMIZED, Status.FROZEN)),
        (
            outside("w", Status.UNCOVERED),
            ("parameter", "status", Status.OPTIMIZED, Status.UNCOVERED),
        ),
        (
            outside("w", Status.DUPLICATE, aliases=("v",)),
            ("parameter", "status", Status.OPTIMIZED, Status.DUPLICATE),
        ),
        (
            row("w", status=Status.FROZEN, requires_grad=False),
            ("parameter", "status", Status.OPTIMIZED, Status.FROZEN),
        ),
        (row("w", shape=(5, 2)), ("parameter", "shape", (10,), (5, 2))),
        (row("w", dtype="float16"), ("parameter", "dtype", "float32", "float16")),
        (row("w", lr_scale=0.5), ("value", "lr_scale", None, 0.5)),
        (row("w", options={"momentum": 0.5}), ("option", "momentum", ABSENT, 0.5)),
        (row("w", extra={"foo": None}), ("extra", "foo", ABSENT, None)),
        # those that the rule states are no entries of their own
        (row("w", extra={"lr_mult": 1.0}), None),
        (row("w", extra={"lr_mult": 3.0}), ("extra", "lr_mult", ABSENT, 3.0)),
        # nor are those that are fields of the row
        (
            row("w", lr_scale=0.5, layer=2, extra={"lr_scale": 0.5, "layer_id": 2}),
            ("value", "lr_scale", None, 0.5),
        ),
        (row("w", extra={"lr_scale": 0.5}), ("extra", "lr_scale", ABSENT, 0.5)),
        # what follows from other fields, and a class that may have moved
        (row("w", module="elsewhere.Linear", group=3, setting=4, layer=2), None),
        # values are compared bit for bit
        (row("w", lr=0.10000000000000002), ("value", "lr", 0.1, 0.10000000000000002)),
    ],
)
def test_of_one_parameter(other: Any, told: Any) -> None:
    diff = diff_plans(plan(row("w"), row("v")), plan(other, row("v")))
    assert [found[:4] for found in clusters(diff)] == ([told] if told else [])


def test_status_of_duplicates() -> None:
    before = outside("w", Status.DUPLICATE, aliases=("v",))
    after = outside("w", Status.DUPLICATE, aliases=("u",), requires_grad=False)
    assert [found[:4] for found in clusters(diff_plans(plan(before), plan(after)))] == [
        ("parameter", "aliases", ("v",), ("u",)),
        ("parameter", "requires_grad", True, False),
    ]


def test_options_of_a_group_are_held_against_the_optimizers() -> None:
    before = plan(row("w"), row("v"), optimizers=(optimizer(options={"momentum": 0.9}),))
    own = plan(
        row("w", options={"momentum": 0.9}),
        row("v", options={"momentum": 0.5}),
        optimizers=before.optimizers,
    )
    assert clusters(diff_plans(before, own)) == [("option", "momentum", 0.9, 0.5, ("v",))]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (1, 1.0, True),
        (True, 1, False),
        ((1, 2), (1.0, 2.0), True),
        ({"a": (1,)}, {"a": (1.0,)}, True),
        ("1", 1, False),
        (None, False, False),
        (0.0, -0.0, True),
    ],
)
def test_equal_values(first: Any, second: Any, same: bool) -> None:
    diff = diff_plans(plan(row("w", extra={"x": first})), plan(row("w", extra={"x": second})))
    assert diff.is_same is same


def test_one_sided() -> None:
    diff = diff_plans(plan(row("a"), row("b.x"), row("b.y")), plan(row("c"), row("a")))
    assert (diff.only_before.names, diff.only_before.patterns) == (("b.x", "b.y"), ("b.*",))
    assert (diff.only_after.names, diff.only_after.patterns) == (("c",), ("c",))
    assert (diff.common, diff.changed, diff.is_same) == (1, 0, False)


def test_rule_alone_is_no_difference() -> None:
    flat = RuleUse(rule=Rule.FLAT, option="flat_decay_mult", mult=0.0)
    before = plan(row("a", weight_decay=0.0, weight_decay_rule=NORM), row("b"))
    after = plan(row("a", weight_decay=0.0, weight_decay_rule=flat), row("b"))
    diff = diff_plans(before, after)
    assert diff.is_same
    (found,) = diff.rules
    assert (found.names, found.rule_before, found.rule_after) == (("a",), NORM, flat)


def test_place_of_a_rule_alone_is_nothing() -> None:
    before = plan(row("a", lr_rule=key("a", 1.0, line=1)))
    after = plan(row("a", lr_rule=key("a", 1.0, line=2)))
    diff = diff_plans(before, after)
    assert diff.is_same
    assert diff.rules == ()


def test_versions_alone_are_no_difference() -> None:
    other = replace(A, versions={"optplan": "1", "torch": "2.1", "mmengine": "1"})
    diff = diff_plans(A, other)
    assert diff.is_same
    assert diff.versions == {
        "mmengine": (None, "1"),
        "timm": ("3", None),
        "torch": ("2", "2.1"),
    }


# Names, values and rules few enough to meet.
NAMES = st.lists(
    st.sampled_from(
        ["a", "b.weight", "b.bias", "c.0.weight", "c.1.weight", "c.1.bias", "[red]|`*{"]
    ),
    unique=True,
    min_size=1,
)
ROWS = st.one_of(
    st.builds(
        lambda lr, decay, use, extra, options: row(
            "?", lr=lr, weight_decay=decay, lr_rule=use, extra=extra, options=options
        ),
        st.sampled_from([0.1, 0.01, 0.0]),
        st.sampled_from([0.05, 0.0]),
        st.sampled_from([DEFAULT, key("a", 0.1), key("b", 1.0), key("c", None)]),
        st.sampled_from([{}, {"foo": 1}, {"foo": None}, {"lr_mult": 0.1}]),
        st.sampled_from([{}, {"momentum": 0.9}]),
    ),
    st.builds(outside, st.just("?"), st.sampled_from([Status.FROZEN, Status.UNCOVERED])),
)
OPTIMIZERS = st.builds(
    optimizer,
    lr=st.sampled_from([0.1, 0.01]),
    options=st.sampled_from([{}, {"momentum": 0.9}, {"betas": (1, 2)}]),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    rows = [draw(ROWS)._replace(name=name) for name in draw(NAMES)]
    return plan(*rows, optimizers=(draw(OPTIMIZERS),))


def mirrored(cluster: Cluster) -> Cluster:
    return replace(
        cluster,
        change=swapped(cluster.change),
        rule_before=cluster.rule_after,
        rule_after=cluster.rule_before,
    )


def swapped(change: Change) -> Change:
    return replace(change, before=change.after, after=change.before)


def turned(change: OptimizerChange) -> OptimizerChange:
    return replace(change, change=swapped(change.change))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(plans(), plans())
def test_both_ways_mirror_each_other(before: Plan, after: Plan) -> None:
    diff, back = diff_plans(before, after), diff_plans(after, before)
    assert tuple(map(mirrored, diff.clusters)) == back.clusters
    assert tuple(map(mirrored, diff.rules)) == back.rules
    assert tuple(map(turned, diff.optimizers)) == back.optimizers
    assert (diff.only_before, diff.only_after) == (back.only_after, back.only_before)
    assert (diff.common, diff.changed) == (back.common, back.changed)
    assert [pair[::-1] for pair in diff.rows()] == list(back.rows())


@settings(max_examples=100, derandomize=True, deadline=None)
@given(plans(), plans())
def test_patterns_are_exact_and_no_change_is_lost(before: Plan, after: Plan) -> None:
    diff = diff_plans(before, after)
    names = all_names(before, after)
    sides = diff.only_before, diff.only_after
    parts: list[Cluster | OneSided] = [*diff.clusters, *diff.rules, *sides]
    for part in parts:
        matched = {name for found in matching(part.patterns, names).values() for name in found}
        assert matched == set(part.names)
    told = {name for cluster in diff.clusters for name in cluster.names}
    for first, second in diff.rows():
        if first is None or second is None:
            continue
        values = [(r.lr, r.weight_decay, r.status) for r in (first, second)]
        if values[0] != values[1] and first.name not in told:
            assert any(change.change.field == "lr" for change in diff.optimizers)
        assert diff.is_same is False or values[0] == values[1]


@settings(max_examples=50, derandomize=True, deadline=None)
@given(plans())
def test_a_plan_and_its_saved_self(found: Plan) -> None:
    diff = diff_plans(found, Plan.from_json(found.to_json()))
    assert diff.is_same
    assert diff.rules == ()
