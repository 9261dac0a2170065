"""The courses of settings: by literal values, and against the reference where it has a case of its own."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
import torch
from mmengine.optim import CosineAnnealingLR, ReduceOnPlateauLR

from optplan.dialects import find_schedulers
from optplan.errors import UsageError
from optplan.schedule import Training, Unit, courses_of, schedule_of
from optplan.schedule.key_steps import asked_steps, telling_steps
from tests.schedule.reference import ADAM, LRS, SGD, ours, plan_of_three, stepped

TEN = Training(by_epoch=True, length=10)


def lrs(*schedulers: dict[str, Any], training: Training = TEN) -> list[float]:
    """The lr of the first setting, which starts with 0.1."""
    return [step[0] for step in ours(list(schedulers), training)[1]["lr"]]


def test_a_warm_up_and_milestones() -> None:
    assert lrs(
        {"type": "LinearLR", "start_factor": 0.5, "end": 3},
        {"type": "MultiStepLR", "milestones": [5, 8, 8], "gamma": 0.1},
    ) == pytest.approx([0.05, 0.075, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.0001, 0.0001])


def test_milestones_count_from_the_begin() -> None:
    scheduler = {"type": "MultiStepLR", "milestones": [2], "gamma": 0.5, "begin": 4}
    assert lrs(scheduler) == pytest.approx([0.1] * 6 + [0.05] * 4)


def test_schedulers_act_on_one_anothers_results() -> None:
    half = {"type": "ConstantLR", "factor": 0.5, "end": 4}
    assert lrs(half, half) == pytest.approx([0.025] * 3 + [0.1] * 7)


def test_epochs_in_a_training_by_iterations_never_end() -> None:
    training = Training(by_epoch=False, length=6)
    assert lrs({"type": "StepLR", "step_size": 1, "end": 9}, training=training) == [0.1] * 6


def test_converted_to_iterations() -> None:
    training = Training(by_epoch=True, length=2, per_epoch=4)
    scheduler = {"type": "StepLR", "step_size": 1, "gamma": 0.5, "convert_to_iter_based": True}
    assert lrs(scheduler, training=training) == pytest.approx([0.1] * 4 + [0.05] * 4)


def test_the_first_of_betas_is_the_momentum() -> None:
    schedulers = [{"type": "LinearMomentum", "start_factor": 0.5, "end": 5}]
    _, table = ours(schedulers, TEN, options=ADAM, fields=("momentum",))
    assert table == stepped(schedulers, TEN, Unit.EPOCH, options=ADAM, fields=("momentum",))
    assert [step[0] for step in table["momentum"]][:5] == pytest.approx(
        [0.45, 0.5625, 0.675, 0.7875, 0.9]
    )


def test_one_scheduler_for_a_momentum_that_another_follows() -> None:
    """A generic scheduler moves the group's momentum; betas follow at the tick of a Momentum one."""
    schedulers = [
        {"type": "ConstantMomentum", "factor": 0.5, "end": 2},
        {"type": "ExponentialParamScheduler", "param_name": "momentum", "gamma": 0.9},
    ]
    _, table = ours(schedulers, TEN, options=ADAM, fields=("momentum",), stride=3)
    theirs = stepped(schedulers, TEN, Unit.EPOCH, options=ADAM, fields=("momentum",))
    assert table["momentum"] == theirs["momentum"][::3]


def test_a_list_gives_each_group_its_peak() -> None:
    peaks = [0.5, 0.05, 0.005, 1.0]  # the last is for the reference's own base settings
    _, table = ours([{"type": "OneCycleLR", "eta_max": peaks, "pct_start": 0.5}], TEN)
    assert max(step[1] for step in table["lr"]) == pytest.approx(0.05)
    assert max(step[2] for step in table["lr"]) == pytest.approx(0.005)


def test_resuming_goes_on_from_the_kept_value() -> None:
    plan = plan_of_three()
    rows = tuple(one._replace(extra={"initial_lr": 0.4}) for one in plan.parameters)
    section = find_schedulers(
        {"param_scheduler": {"type": "CosineAnnealingLR", "T_max": 10, "last_step": 4}}
    )
    schedule = schedule_of(replace(plan, parameters=rows), section, TEN, [dict(SGD)])
    group = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": LRS[0], "initial_lr": 0.4}
    optimizer = torch.optim.SGD([group], lr=1.0)
    theirs = CosineAnnealingLR(optimizer, T_max=10, last_step=4)
    optimizer.step()
    found = []
    for _ in range(10):
        found.append(optimizer.param_groups[0]["lr"])
        theirs.step()
    assert list(courses_of(schedule, range(10)).values["lr"][0]) == found


def test_groups_of_a_setting_that_kept_other_values_go_other_ways() -> None:
    plan = plan_of_three()
    first, second, third = plan.parameters
    second = second._replace(lr=first.lr, setting=0, extra={"initial_lr": 0.2})
    section = find_schedulers(
        {"param_scheduler": {"type": "CosineAnnealingLR", "eta_min_ratio": 0.5}}
    )
    schedule = schedule_of(
        replace(plan, parameters=(first, second, third)), section, TEN, [dict(SGD)]
    )
    assert [setting.setting for setting in schedule.settings] == [0, 0, 2]
    courses = courses_of(schedule, [9]).values["lr"]
    assert courses[0][0] == pytest.approx(0.0512, abs=1e-4)
    assert courses[1][0] == pytest.approx(0.1)


def test_a_metric_is_not_invented() -> None:
    schedulers = [
        {"type": "ReduceOnPlateauLR", "monitor": "acc", "rule": "greater", "patience": 2},
        {"type": "LinearMomentum", "start_factor": 0.5},
    ]
    section = find_schedulers({"param_scheduler": schedulers})
    courses = courses_of(schedule_of(plan_of_three(), section, TEN, [dict(SGD)]), range(10))
    assert courses.values["lr"][0] == (0.1, 0.1, 0.1) + (None,) * 7
    assert None not in courses.values["momentum"][0]
    metric = courses.metrics[0, "lr"]
    assert (metric.step, metric.scheduler) == (3, "ReduceOnPlateauLR")


def test_the_earliest_reduction_is_the_references() -> None:
    """With a metric that never gets better, not even at first, the reference reduces at that epoch."""
    for begin, patience in ((0, 0), (0, 2), (4, 1)):
        group = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 1.0}
        optimizer = torch.optim.SGD([group], lr=1.0)
        theirs = ReduceOnPlateauLR(optimizer, begin=begin, patience=patience)
        found = []
        for _ in range(10):
            found.append(optimizer.param_groups[0]["lr"])
            theirs.step()
            theirs.step({"loss": float("nan")})
        scheduler = {"type": "ReduceOnPlateauLR", "begin": begin, "patience": patience}
        section = find_schedulers({"param_scheduler": scheduler})
        schedule = schedule_of(plan_of_three(), section, TEN, [dict(SGD)])
        assert courses_of(schedule, [0]).metrics[0, "lr"].step == found.index(0.1)


def test_many_ticks_at_once() -> None:
    """Longer than what is made at once, two floors and a multiplication among one another."""
    schedulers = [
        {"type": "PolyLR", "eta_min": 1e-5, "power": 0.9, "by_epoch": False},
        {"type": "CosineAnnealingLR", "eta_min_ratio": 0.1, "T_max": 4500, "by_epoch": False},
        {"type": "ExponentialLR", "gamma": 0.9999, "begin": 5000, "by_epoch": False},
        {"type": "CosineAnnealingParamScheduler", "param_name": "weight_decay", "by_epoch": False},
    ]
    training = Training(by_epoch=False, length=9200)
    fields = ("lr", "weight_decay")
    unit, table = ours(schedulers, training, fields=fields, stride=4599)
    theirs = stepped(schedulers, training, unit, fields=fields)
    assert table == {field: values[::4599] for field, values in theirs.items()}


def test_nothing_of_torch_is_loaded() -> None:
    code = "import sys, optplan.schedule; print([m for m in sys.modules if m in ('torch', 'timm')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_no_scheduler() -> None:
    schedule = schedule_of(plan_of_three(), find_schedulers({}), TEN, [dict(SGD)])
    courses = courses_of(schedule, [0, 9])
    assert courses.moving == ()
    assert list(courses.values["lr"]) == [(lr, lr) for lr in LRS]


def test_what_is_not_shown_is_not_kept() -> None:
    training = Training(by_epoch=False, length=100_000)
    scheduler = {"type": "CosineAnnealingLR", "by_epoch": False, "eta_min": 1e-6}
    section = find_schedulers({"param_scheduler": scheduler})
    schedule = schedule_of(plan_of_three(), section, training, [dict(SGD)])
    tracemalloc.start()
    courses_of(schedule, [0, 99_999])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000  # 300,000 values would be 9.6 MB


WARMED = [
    {"type": "LinearLR", "end": 3},
    {"type": "MultiStepLR", "begin": 3, "milestones": [2, 50]},
]


def test_points_that_matter() -> None:
    section = find_schedulers({"param_scheduler": WARMED})
    schedule = schedule_of(plan_of_three(), section, TEN, [dict(SGD)])
    assert telling_steps(schedule.all_specs, TEN, Unit.EPOCH) == {
        0: ("start",),
        3: ("LinearLR ends", "MultiStepLR begins"),
        5: ("milestone",),
        9: ("end",),
    }


def test_points_of_epochs_among_iterations() -> None:
    training = Training(by_epoch=True, length=4, per_epoch=100)
    section = find_schedulers(
        {
            "param_scheduler": [
                {"type": "LinearLR", "by_epoch": False, "end": 50},
                {"type": "OneCycleLR", "eta_max": 1.0, "begin": 1, "pct_start": 0.7},
            ]
        }
    )
    schedule = schedule_of(plan_of_three(), section, training, [dict(SGD)])
    found = telling_steps(schedule.all_specs, training, schedule.unit)
    assert list(found) == [0, 50, 100, 300, 399]
    assert found[300] == ("peak",)


EPOCHS = Training(by_epoch=True, length=10, per_epoch=20)


@pytest.mark.parametrize(
    ("word", "unit", "step"),
    [
        ("0", Unit.EPOCH, 0),
        ("9", Unit.EPOCH, 9),
        ("3ep", Unit.EPOCH, 3),
        ("45it", Unit.EPOCH, 2),
        ("45", Unit.ITERATION, 45),
        ("45it", Unit.ITERATION, 45),
        ("3ep", Unit.ITERATION, 60),
        ("2.5ep", Unit.ITERATION, 50),
        ("100%", Unit.ITERATION, 199),
        ("50%", Unit.EPOCH, 4),
    ],
)
def test_asked_steps(word: str, unit: Unit, step: int) -> None:
    assert asked_steps([word], EPOCHS, unit) == {step}


@pytest.mark.parametrize(
    ("word", "training", "message"),
    [
        ("x", EPOCHS, "--at x: that is no step"),
        ("-1", EPOCHS, "that is no step"),
        ("10", EPOCHS, "the training ends before .its last epoch is 9"),
        ("101%", EPOCHS, "the training ends before"),
        ("9" * 400, EPOCHS, "the training ends before"),
        ("5it", TEN, "how many iterations has an epoch"),
        ("5ep", Training(by_epoch=False, length=9), "this training has no epochs"),
    ],
)
def test_steps_that_are_none(word: str, training: Training, message: str) -> None:
    unit = Unit.EPOCH if training.by_epoch else Unit.ITERATION
    with pytest.raises(UsageError, match=message):
        asked_steps([word], training, unit)
