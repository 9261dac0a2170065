"""Random stacks of schedulers, against the running reference at every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optplan.errors import ScheduleError
from optplan.schedule import Training, Unit
from tests.conftest import Tell
from tests.schedule.reference import ADAM, SGD, ours, stepped, worst
from tests.schedule.strategies import stacks

FIELDS = ("lr", "weight_decay", "momentum")


def test_equal_at_every_step(tell: Tell) -> None:
    found: Counter[str] = Counter()

    @settings(
        max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(stack=stacks(), options=st.sampled_from([SGD, ADAM]), stride=st.sampled_from([1, 3, 17]))
    def run(
        stack: tuple[Training, list[dict[str, Any]]], options: Mapping[str, Any], stride: int
    ) -> None:
        training, schedulers = stack
        unit = _unit(training, schedulers)
        try:
            theirs = stepped(schedulers, training, unit, options=options, fields=FIELDS)
        except (ArithmeticError, ValueError):
            with pytest.raises(ScheduleError):
                ours(schedulers, training, options=options, fields=FIELDS)
            found["refused by both"] += 1
            return
        counted, own = ours(schedulers, training, options=options, fields=FIELDS, stride=stride)
        assert counted is unit
        assert worst(theirs, own, stride=stride) <= 1e-12
        found["equal"] += 1
        found["steps"] += training.steps(unit)

    run()
    tell(f"random stacks of schedulers: {dict(found)}")
    assert found["equal"] > 250
    assert found["refused by both"] > 5


def _unit(training: Training, schedulers: list[dict[str, Any]]) -> Unit:
    by_epoch = all(
        one.get("by_epoch", True) and not one.get("convert_to_iter_based") for one in schedulers
    )
    return Unit.EPOCH if training.by_epoch and by_epoch else Unit.ITERATION
