"""The layers of a plan, in order."""

from __future__ import annotations

from optplan.names import Status
from optplan.plan.layer_table import ramp
from tests.plans import outside, row


def test_layers_come_in_order_and_what_is_in_none_comes_last() -> None:
    found = ramp(
        [
            row("nowhere"),
            row("head", layer=10, lr_scale=1.0, lr=0.1, effective_lr=0.1, setting=2),
            row("stem", layer=2, lr_scale=0.25, lr=0.1, effective_lr=0.1),
            row("set", layer=2, lr_scale=1.0, lr=0.3, effective_lr=0.3, setting=1, elements=7),
            outside("frozen", Status.FROZEN),
        ]
    )
    assert [(s.layer, s.scales, s.names, s.elements, len(s.kinds)) for s in found] == [
        (2, (0.25, 1.0), ("stem", "set"), 17, 2),
        (10, (1.0,), ("head",), 10, 1),
        (None, (), ("nowhere",), 10, 1),
    ]


def test_scales_stand_for_layers_where_none_has_a_number() -> None:
    found = ramp([row("b", lr_scale=0.5), row("a", lr_scale=0.25), row("c", lr_scale=0.5)])
    assert [(s.layer, s.scales, s.names) for s in found] == [
        (None, (0.25,), ("a",)),
        (None, (0.5,), ("b", "c")),
    ]


def test_no_layers() -> None:
    assert ramp([row("a"), outside("b", Status.UNCOVERED)]) == ()
    # what is in no group may still have been given a layer by nobody
    assert ramp([outside("b", Status.FROZEN, layer=3)]) == ()
