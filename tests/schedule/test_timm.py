"""The scheduler of timm's ``args.yaml``, against timm's own stepped as its training script does."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from timm.scheduler import create_scheduler_v2
from timm.scheduler.scheduler_factory import scheduler_kwargs

from optplan.config import Namespace
from optplan.dialects import find_schedulers
from optplan.dialects.timm.run_scheduler import timm_epochs
from optplan.dialects.timm.schedule import timm_arguments
from optplan.errors import ScheduleError
from optplan.schedule import Training, Unit, courses_of, schedule_of
from optplan.schedule.foreign import ForeignBuilder
from tests.schedule.reference import LRS, SGD, plan_of_three

SCALES = (1.0, 0.5, 0.25)
PER_EPOCH = 3

COSINE = {
    "opt": "sgd",
    "sched": "cosine",
    "epochs": 12,
    "warmup_epochs": 3,
    "warmup_lr": 1e-5,
    "min_lr": 1e-6,
}
CASES: dict[str, dict[str, Any]] = {
    "cosine": COSINE,
    "cosine with cool-down": {**COSINE, "cooldown_epochs": 4},
    "cosine after the warm-up": {**COSINE, "warmup_prefix": True},
    "cosine by updates": {**COSINE, "sched_on_updates": True},
    "cosine in cycles": {**COSINE, "lr_cycle_limit": 3, "lr_cycle_mul": 1.5, "lr_cycle_decay": 0.5},
    "cosine with noise": {**COSINE, "lr_noise": [0.2, 0.9], "seed": 7},
    "tanh": {**COSINE, "sched": "tanh"},
    "step": {**COSINE, "sched": "step", "decay_epochs": 2.5, "decay_rate": 0.7},
    "multistep": {**COSINE, "sched": "multistep", "decay_milestones": [5, 8], "decay_rate": 0.1},
    "poly": {**COSINE, "sched": "poly", "decay_rate": 0.9, "lr_k_decay": 0.5},
    "constant": {**COSINE, "sched": "constant"},
    "none": {"opt": "sgd", "sched": "none", "epochs": 5, "warmup_epochs": 0},
}


# What timm's train.py takes where a file says nothing.
DEFAULTS = {
    "opt": "sgd",
    "decay_epochs": 90,
    "decay_milestones": [90, 180, 270],
    "decay_rate": 0.1,
    "cooldown_epochs": 0,
    "warmup_prefix": False,
    "lr_noise": None,
    "lr_noise_pct": 0.67,
    "lr_noise_std": 1.0,
    "lr_cycle_mul": 1.0,
    "lr_cycle_decay": 0.5,
    "lr_cycle_limit": 1,
    "lr_k_decay": 1.0,
    "seed": 42,
}


def by_hand(arguments: Mapping[str, Any], *, scaled: bool) -> list[list[float]]:
    """The lr of three groups at every epoch, or at every update."""
    groups: list[dict[str, Any]] = [
        {
            "params": [torch.nn.Parameter(torch.zeros(1))],
            "lr": lr,
            **({"lr_scale": scale} if scaled else {}),
        }
        for lr, scale in zip(LRS, SCALES, strict=True)
    ]
    optimizer = torch.optim.SGD(groups, lr=LRS[0])
    kwargs = scheduler_kwargs(SimpleNamespace(**{**DEFAULTS, **arguments}))
    scheduler, epochs = create_scheduler_v2(optimizer, **kwargs, updates_per_epoch=PER_EPOCH)
    by_update = arguments.get("sched_on_updates", False)
    found, updates = [], 0
    for epoch in range(int(epochs)):
        for _ in range(PER_EPOCH):
            if by_update or updates % PER_EPOCH == 0:
                found.append([group["lr"] for group in optimizer.param_groups])
            updates += 1
            if scheduler is not None:
                scheduler.step_update(num_updates=updates)
        if scheduler is not None:
            scheduler.step(epoch + 1)
    return found


def in_config(arguments: Mapping[str, Any], *, scaled: bool) -> tuple[Unit, list[list[float]]]:
    plan = plan_of_three()
    if scaled:
        rows = tuple(
            row._replace(lr_scale=scale) for row, scale in zip(plan.parameters, SCALES, strict=True)
        )
        plan = replace(plan, parameters=rows)
    training = Training(
        by_epoch=True, length=timm_epochs(timm_arguments(arguments), PER_EPOCH), per_epoch=PER_EPOCH
    )
    schedule = schedule_of(
        plan, find_schedulers(arguments), training, [dict(SGD)], ForeignBuilder(Namespace())
    )
    courses = courses_of(schedule, range(schedule.length))
    lrs = [list(values) for values in zip(*courses.values["lr"], strict=True)]
    return schedule.unit, lrs


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "lr_scale"])
@pytest.mark.parametrize("name", CASES)
def test_equal(name: str, *, scaled: bool) -> None:
    arguments = CASES[name]
    unit, found = in_config(arguments, scaled=scaled)
    assert unit is (Unit.ITERATION if arguments.get("sched_on_updates") else Unit.EPOCH)
    assert found == by_hand(arguments, scaled=scaled)


def test_the_length_is_timms() -> None:
    assert timm_epochs(timm_arguments(CASES["cosine with cool-down"]), None) == 16
    assert timm_epochs(timm_arguments(CASES["cosine after the warm-up"]), None) == 15


def test_plateau_is_not_known_after_its_patience() -> None:
    arguments = {**COSINE, "sched": "plateau", "patience_epochs": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # timm's own deprecation must not reach the user
        plan = plan_of_three()
        schedule = schedule_of(
            plan,
            find_schedulers(arguments),
            Training(by_epoch=True, length=12),
            [dict(SGD)],
            ForeignBuilder(Namespace()),
        )
        courses = courses_of(schedule, range(12))
    metric = courses.metrics[0, "lr"]
    assert (metric.step, metric.scheduler) == (6, "timm plateau")
    assert courses.values["lr"][0][:6] == pytest.approx(
        [1e-5, 0.03334, 0.06667, 0.1, 0.1, 0.1], rel=1e-3
    )
    assert courses.values["lr"][0][6:] == (None,) * 6


def test_an_unknown_scheduler() -> None:
    with pytest.raises(ScheduleError, match="Unknown scheduler 'cosin'"):
        in_config({**COSINE, "sched": "cosin"}, scaled=False)
