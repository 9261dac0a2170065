"""What a checkpoint's values make of a plan, and when they do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from optplan.errors import PlanError
from optplan.names import Status
from optplan.plan import Plan
from optplan.plan.changes import ABSENT
from optplan.plan.diff import diff_plans
from optplan.plan.resume import resumed
from optplan.plan.saved_groups import SavedGroup
from tests.plans import NORM, key, optimizer, outside, plan, row

PLAN = plan(
    row("a", group=0),
    row("b", group=1, lr=0.01, lr_rule=key("b", 0.1)),
    outside("f", Status.FROZEN),
    row("c", group=2, weight_decay=0.0, weight_decay_rule=NORM),
    optimizers=(optimizer(options={"momentum": 0.9}),),
)
DEFAULTS = {"momentum": 0, "dampening": 0, "weight_decay": 0, "foreach": None}


def group(lr: float, decay: float = 0.05, **entries: Any) -> SavedGroup:
    """A saved group of one parameter."""
    values = {"lr": lr, "weight_decay": decay, "momentum": 0.9, "dampening": 0}
    return SavedGroup(entries={**values, **entries}, shapes=(None,))


def told(groups: tuple[SavedGroup, ...], given: Plan = PLAN) -> list[tuple[Any, ...]]:
    """What resuming changes."""
    found = resumed(given, groups, DEFAULTS)
    assert found.misfits == ()
    diff = diff_plans(given, found.plan)
    return [
        *((c.change.field, c.change.before, c.change.after, c.names) for c in diff.clusters),
        *((c.change.field, c.change.before, c.change.after, c.parameters) for c in diff.optimizers),
    ]


def test_the_same() -> None:
    found = resumed(PLAN, (group(0.1), group(0.01), group(0.1, 0.0)), DEFAULTS)
    assert (found.plan, found.misfits, found.remarks) == (PLAN, (), ())


@pytest.mark.parametrize(
    ("groups", "changes"),
    [
        # all follow the base
        ((group(0.2), group(0.02), group(0.2, 0.0)), [("lr", 0.1, 0.2, 3)]),
        # one does not
        (
            (group(0.2), group(0.01), group(0.2, 0.0)),
            [("lr", 0.01, 0.01, ("b",)), ("lr", 0.1, 0.2, 2)],
        ),
        (
            (group(0.1), group(0.05), group(0.1, 0.05)),
            [("lr", 0.01, 0.05, ("b",)), ("weight_decay", 0.0, 0.05, ("c",))],
        ),
        # options of all groups, and of one
        (
            (group(0.1, momentum=0.5), group(0.01, momentum=0.5), group(0.1, 0.0, momentum=0.5)),
            [("momentum", 0.9, 0.5, None)],
        ),
        (
            (group(0.1), group(0.01, momentum=0.5), group(0.1, 0.0)),
            [("momentum", 0.9, 0.5, ("b",))],
        ),
        # what the config leaves to the class
        (
            (group(0.1, dampening=1), group(0.01, dampening=1), group(0.1, 0.0, dampening=1)),
            [("dampening", ABSENT, 1, None)],
        ),
        ((group(0.1, foreach=None), group(0.01), group(0.1, 0.0)), []),
        # entries that are no options
        (
            (group(0.1, foo=1), group(0.01), group(0.1, 0.0, lr_mult=7)),
            [("foo", ABSENT, 1, ("a",))],
        ),
    ],
)
def test_changes(groups: tuple[SavedGroup, ...], changes: list[Any]) -> None:
    # a value that stays while its base moves is not told as a change
    wanted = [change for change in changes if change[1] != change[2]]
    assert told(groups) == wanted


def test_initial_values_count() -> None:
    groups = (
        group(0.05, initial_lr=0.1),
        group(0.005, initial_lr=0.01),
        group(0.05, 0.0, initial_lr=0.1),
    )
    found = resumed(PLAN, groups, DEFAULTS)
    assert diff_plans(PLAN, found.plan).is_same
    assert found.remarks == (
        "the checkpoint was saved in the middle of a schedule, its lr at ×0.5 of the initial lr; the"
        " initial one is compared",
    )
    warming = (
        group(0.05, initial_lr=0.1),
        group(0.01, initial_lr=0.01),
        group(0.02, 0.0, initial_lr=0.1),
    )
    assert "at 2 different factors" in resumed(PLAN, warming, DEFAULTS).remarks[0]


def test_entries_of_an_unknown_class_are_left_out() -> None:
    groups = (group(0.1, kappa=1), group(0.01, kappa=1), group(0.1, 0.0, kappa=1))
    assert resumed(PLAN, groups, {}).plan == PLAN


def saved(*shapes: tuple[int, ...] | None, names: tuple[str, ...] | None = None) -> SavedGroup:
    """A saved group of several parameters."""
    return SavedGroup(entries=group(0.1).entries, shapes=shapes, names=names)


TWO = plan(
    row("a", shape=(2, 3)), row("b", shape=()), row("c", group=1), optimizers=PLAN.optimizers
)


@pytest.mark.parametrize(
    ("groups", "misfit"),
    [
        ((saved(None),), "param groups: 1 saved, 2 now"),
        (
            (saved(None), saved(None, None)),
            "param groups of other sizes: group 0: 1 saved, 2 now (a, b); group 1: 2 saved, 1 now (c)",
        ),
        (
            (saved(None, (2, 3)), saved((10,))),
            "the parameters were others, or in another order: b is a scalar, the state in its place is 2×3",
        ),
        (
            (saved(None, None, names=("b", "a")), saved(None, names=("c",))),
            "the parameters are in another order: b was saved in the place of a; a was saved in the"
            " place of b",
        ),
        (
            (SavedGroup(entries={"lr": 0.1, "betas": (1, 2)}, shapes=(None, None)), saved(None)),
            "its groups have no momentum, dampening, weight_decay: another optimizer saved them",
        ),
    ],
)
def test_misfits(groups: tuple[SavedGroup, ...], misfit: str) -> None:
    found = resumed(TWO, groups, DEFAULTS)
    assert found.misfits == (misfit,)
    assert found.plan is TWO


def test_values_that_are_no_numbers() -> None:
    groups = (group(0.1, initial_lr="nan"), group(0.01), group(0.1, 0.0))
    assert resumed(PLAN, groups, DEFAULTS).misfits == ("its lr is no finite number: nan",)


def test_names_that_are_others_altogether_say_nothing() -> None:
    groups = (saved(None, None, names=("m.a", "m.b")), saved(None, names=("m.c",)))
    assert resumed(TWO, groups, DEFAULTS).misfits == ()


def test_several_optimizers() -> None:
    with pytest.raises(PlanError, match="with one optimizer only"):
        resumed(plan(row("a"), optimizers=(optimizer(), optimizer())), (), {})
