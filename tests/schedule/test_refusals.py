"""Random schedulers, valid and invalid, against MMEngine's classes as its runner builds them: refusal and values."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optplan.errors import OptplanError
from optplan.schedule import Training, Unit
from tests.conftest import Tell
from tests.schedule.reference import ours, stepped, worst
from tests.schedule.strategies import schedulers, trainings

# Values that somebody may write by mistake, or because they look harmless.
ODD = st.sampled_from(
    [0, 1, -1, 2, 0.5, 1.5, -0.1, 1e-6, 100, 10**9, [3], [], [2, 5], "cos", "x", None, True]
)
SPANS = st.sampled_from([-1, 0, 0.03, 0.5, 1, 1.5, 2, 3, 5, 12, 10**9])
NAMES = ("step_size", "milestones", "gamma", "factor", "T_max", "eta_min", "eta_min_ratio", "start_factor",
         "end_factor", "power", "periods", "restart_weights", "total_steps", "pct_start")  # fmt: skip


@st.composite
def written(draw: st.DrawFn) -> tuple[Training, dict[str, Any]]:
    """A scheduler that is changed in a place or two."""
    training = draw(trainings())
    found = draw(schedulers(training))
    for _ in range(draw(st.integers(0, 2))):
        match draw(
            st.sampled_from(["span", "drop", "odd", "unknown", "convert", "epoch", "target"])
        ):
            case "span":
                found[draw(st.sampled_from(["begin", "end"]))] = draw(SPANS)
            case "drop":
                found.pop(draw(st.sampled_from(sorted({*found} - {"type"}) or ["begin"])), None)
            case "odd":
                known = sorted({*found} & {*NAMES}) or ["gamma"]
                found[draw(st.sampled_from(known))] = draw(ODD)
            case "unknown":
                found[draw(st.sampled_from(["gama", "warmup", "end_factor", "step_size"]))] = 1
            case "convert":
                found["convert_to_iter_based"] = draw(st.booleans())
            case "epoch":
                found["by_epoch"] = draw(st.booleans())
            case _:
                found["param_name"] = draw(st.sampled_from(["lr", "momentum", "nothing"]))
    return training, found


def _unit(training: Training, one: dict[str, Any]) -> Unit:
    by_epoch = one.get("by_epoch", True) and not one.get("convert_to_iter_based")
    return Unit.EPOCH if training.by_epoch and by_epoch else Unit.ITERATION


def test_refused_where_the_reference_refuses(tell: Tell) -> None:
    found: Counter[str] = Counter()

    @settings(
        max_examples=1500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=written())
    def run(case: tuple[Training, dict[str, Any]]) -> None:
        training, one = case
        try:
            theirs = stepped([one], training, _unit(training, one))
        except Exception:  # noqa: BLE001 - it has no class of its own for what it refuses
            with pytest.raises(OptplanError):
                ours([one], training)
            found["refused by both"] += 1
            return
        try:
            _, own = ours([one], training)
        except OptplanError as error:
            found[
                f"refused by optplan alone: {error.problems[0].message.partition(', got')[0]}"
            ] += 1
            return
        assert worst(theirs, own) == 0
        found["equal"] += 1

    run()
    tell(f"random schedulers: {dict(found)}")
    assert found["equal"] > 500
    assert found["refused by both"] > 150
