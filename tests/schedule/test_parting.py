"""From which step on two schedules part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from optplan.dialects import find_schedulers
from optplan.schedule import Schedule, Training, schedule_of
from optplan.schedule.divergence import are_same, partings, same_unit
from tests.schedule.reference import SGD, plan_of_three

TRAINING = Training(by_epoch=True, length=40)


def schedule(*schedulers: dict[str, Any], training: Training = TRAINING) -> Schedule:
    section = find_schedulers({"param_scheduler": list(schedulers)})
    return schedule_of(plan_of_three(), section, training, [dict(SGD)])


def steps(first: Schedule, second: Schedule) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(one.field, one.step, one.names) for one in partings(first, second)]


def test_the_same() -> None:
    one = schedule({"type": "StepLR", "step_size": 10})
    other = schedule({"type": "MultiStepLR", "milestones": [10, 20, 30]})
    assert steps(one, one) == []
    assert steps(one, other) == []
    assert are_same(one, one)
    assert not are_same(one, other)


def test_a_later_milestone() -> None:
    one = schedule({"type": "MultiStepLR", "milestones": [10, 20]})
    other = schedule({"type": "MultiStepLR", "milestones": [10, 30]})
    (first, *others) = partings(one, other)
    assert (first.field, first.step) == ("lr", 20)
    assert (first.before, first.after) == pytest.approx((0.001, 0.01))
    assert [parting.names for parting in (first, *others)] == [("p0",), ("p1",), ("p2",)]


def test_one_setting_alone() -> None:
    """A floor that only the smallest lr reaches: the others part at the first step of the cosine."""
    one = schedule({"type": "ExponentialLR", "gamma": 1.0})
    other = schedule({"type": "PolyLR", "eta_min": 0.0003, "begin": 5})
    assert steps(one, other) == [("lr", 6, ("p0",)), ("lr", 6, ("p1",))]


def test_one_that_meets_again() -> None:
    """A warm-up that is twice as long parts at once, though both are at the full lr later."""
    one = schedule({"type": "LinearLR", "end": 5})
    other = schedule({"type": "LinearLR", "end": 10})
    assert {step for _, step, _ in steps(one, other)} == {1}


def test_another_hyper_parameter() -> None:
    one = schedule()
    other = schedule({"type": "StepMomentum", "step_size": 7})
    assert steps(one, other) == [(f"{'momentum'}", 7, (name,)) for name in ("p0", "p1", "p2")]


def test_a_metric() -> None:
    one = schedule()
    other = schedule({"type": "ReduceOnPlateauLR", "patience": 3})
    (first, *_) = partings(one, other)
    assert (first.step, first.before, first.after) == (4, 0.1, None)


def test_what_starts_otherwise_is_the_plans_affair() -> None:
    one = schedule()
    other = schedule({"type": "StepLR", "step_size": 7})
    first, *rest = other.settings
    other = replace(other, settings=(replace(first, entries={**first.entries, "lr": 0.5}), *rest))
    assert [names for _, _, names in steps(one, other)] == [("p1",), ("p2",)]


def test_epochs_and_iterations() -> None:
    by_epoch = schedule(training=replace(TRAINING, per_epoch=5))
    converted = schedule(
        {"type": "StepLR", "step_size": 2, "convert_to_iter_based": True},
        training=replace(TRAINING, per_epoch=5),
    )
    pair = same_unit(by_epoch, converted)
    assert pair is not None
    assert {step for _, step, _ in steps(*pair)} == {10}
    assert same_unit(schedule(), schedule(training=Training(by_epoch=False, length=9))) is None
