"""What resuming makes of schedulers, against the reference's own ``load_state_dict``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD

from optplan.checkpoints.saved_schedulers import saved_schedulers
from optplan.checkpoints.torch_files import load_checkpoint
from optplan.dialects import find_schedulers
from optplan.errors import PlanError
from optplan.plan.changes import SchedulerChange
from optplan.schedule.parsing import parsed
from optplan.schedule.resumed_schedulers import not_compared, restored_changes
from optplan.schedule.training import Training
from tests.schedule.reference import SCHEDULERS

TRAINING = Training(by_epoch=True, length=12, per_epoch=5)
# What the reference's attributes count while they are stepped, or work out of others.
PROGRESS = {
    "optimizer", "base_values", "last_step", "_global_step", "_last_value", "verbose", "total_iters",
    "cumulative_periods", "best", "cooldown_counter", "num_bad_epochs", "rule_worse", "use_betas",
}  # fmt: skip
# For each class what all of them have, and one other value of each argument.
CLASSES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "StepLR": ({"step_size": 3}, {"step_size": 4, "gamma": 0.5}),
    "MultiStepLR": ({"milestones": [8, 11]}, {"milestones": [4, 8, 8], "gamma": 0.5}),
    "ConstantLR": ({}, {"factor": 0.5}),
    "ExponentialLR": ({"gamma": 0.9}, {"gamma": 0.8}),
    "CosineAnnealingLR": ({}, {"T_max": 5, "eta_min": 0.001, "eta_min_ratio": 0.1}),
    "LinearLR": ({}, {"start_factor": 0.1, "end_factor": 0.5}),
    "PolyLR": ({}, {"eta_min": 0.01, "power": 2.0}),
    "OneCycleLR": (
        {"eta_max": 0.5},
        {
            "eta_max": 0.6, "total_steps": 9, "pct_start": 0.5, "anneal_strategy": "linear",
            "div_factor": 10.0, "final_div_factor": 100.0, "three_phase": True,
        },
    ),
    "CosineRestartLR": (
        {"periods": [4, 8], "restart_weights": [1, 0.5], "eta_min": 0.0},
        {"periods": [6, 6], "restart_weights": [1, 0.1], "eta_min": 0.1},
    ),
    "ReduceOnPlateauLR": (
        {},
        {
            "monitor": "acc", "rule": "greater", "factor": 0.5, "patience": 3, "threshold": 0.1,
            "threshold_rule": "abs", "cooldown": 2, "min_value": 0.01, "eps": 1e-6,
        },
    ),
    "LinearMomentum": ({}, {"start_factor": 0.1}),
    "CosineAnnealingParamScheduler": ({"param_name": "weight_decay"}, {"eta_min": 0.001}),
}  # fmt: skip
# Arguments of which several are one attribute, or that are called otherwise there.
ATTRIBUTES = {
    "min_value": "min_values", "pct_start": "_schedule_phases", "three_phase": "_schedule_phases",
    "anneal_strategy": "anneal_func",
}  # fmt: skip
SPAN = {"begin": 1, "end": 11}
CASES = [
    (name, argument)
    for name, (_, others) in CLASSES.items()
    for argument in (*others, "begin", "end", "by_epoch", "convert_to_iter_based")
    if not (name == "ReduceOnPlateauLR" and argument in ("by_epoch", "convert_to_iter_based"))
]


def optimizer() -> SGD:
    parameters = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    return SGD(parameters, lr=0.1, momentum=0.9, weight_decay=0.01)


def built(raw: Mapping[str, Any]) -> Any:
    scheduler = {"end": 12 if raw.get("by_epoch", True) else 60, **copy.deepcopy(dict(raw))}
    defaults = {"optimizer": optimizer(), "epoch_length": 5}
    return SCHEDULERS.build(scheduler, default_args=defaults)


def saved(raw: Mapping[str, Any], folder: Path, steps: int = 3) -> Mapping[str, Any]:
    """The state that a checkpoint keeps, as it is read from the file."""
    scheduler = built(raw)
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step(*([{"loss": 1.0, "acc": 1.0}] if hasattr(scheduler, "patience") else []))
    path = folder / "a.pth"
    torch.save({"param_schedulers": [scheduler.state_dict()]}, path)
    (state,) = saved_schedulers(load_checkpoint(str(path)), str(path)).shared
    return state


def changes(raw: Mapping[str, Any], state: Mapping[str, Any]) -> list[SchedulerChange]:
    (written,) = find_schedulers({"param_scheduler": dict(raw)}).shared
    return list(restored_changes([parsed(written, TRAINING)], [state]))


def changed_attributes(raw: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """The attributes that the reference's resuming gives other values."""
    scheduler = built(raw)
    before = {name: value for name, value in vars(scheduler).items() if name not in PROGRESS}
    scheduler.load_state_dict(built(other).state_dict())
    return {
        name for name, value in vars(scheduler).items() if name in before and value != before[name]
    }


@pytest.mark.parametrize("name", CLASSES)
def test_the_same_scheduler_is_restored_as_it_is(name: str, tmp_path: Path) -> None:
    raw = {"type": name, **CLASSES[name][0]}
    assert changes(raw, saved(raw, tmp_path)) == []


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_what_differs_is_what_the_reference_overwrites(
    name: str, argument: str, tmp_path: Path
) -> None:
    common, others = CLASSES[name]
    value = {"by_epoch": False, "convert_to_iter_based": True, **SPAN, **others}[argument]
    first = {"type": name, **common}
    second = {**first, argument: value}
    if argument == "eta_min_ratio":
        second.pop("eta_min", None)
    wanted = changed_attributes(first, second)
    assert wanted
    for now, then in ((first, second), (second, first)):
        found = changes(now, saved(then, tmp_path))
        names = {{"phases": "_schedule_phases"}.get(one.field, one.field) for one in found}
        assert names == wanted, found
    assert ATTRIBUTES.get(argument, argument) in wanted or argument == "convert_to_iter_based"


@pytest.mark.parametrize("then", CLASSES)
@pytest.mark.parametrize("now", CLASSES)
def test_another_class_is_told_apart(now: str, then: str, tmp_path: Path) -> None:
    found = changes(
        {"type": now, **CLASSES[now][0]}, saved({"type": then, **CLASSES[then][0]}, tmp_path)
    )
    classes = [(one.before, one.after) for one in found if one.field == "class"]
    are_alike = {now, then} <= {"LinearLR", "LinearMomentum"} or {now, then} <= {
        "CosineAnnealingLR",
        "CosineAnnealingParamScheduler",
    }
    assert classes == ([] if now == then or are_alike else [(now, then)])
    assert bool(found) is (now != then)


def test_values_are_the_ones_that_are_written(tmp_path: Path) -> None:
    state = saved({"type": "MultiStepLR", "milestones": [16, 22, 22], "end": 24}, tmp_path)
    assert changes({"type": "MultiStepLR", "milestones": [11, 8]}, state) == [
        SchedulerChange(
            scheduler="param_scheduler[0] MultiStepLR",
            field="end",
            before=12,
            after=24,
            note="the checkpoint's stays",
        ),
        SchedulerChange(
            scheduler="param_scheduler[0] MultiStepLR",
            field="milestones",
            before=[8, 11],
            after=(16, 22, 22),
            note="the checkpoint's stay",
        ),
    ]


def test_another_number_of_schedulers(tmp_path: Path) -> None:
    raw = {"type": "ExponentialLR", "gamma": 0.9}
    state = saved(raw, tmp_path)
    (written,) = find_schedulers({"param_scheduler": raw}).shared
    spec = parsed(written, TRAINING)
    (change,) = restored_changes([spec], [state, state])
    assert (change.field, change.before, change.after) == ("count", 1, 2)
    assert change.note == "restored: the first 1"
    (change,) = restored_changes([], [state])
    assert (change.field, change.before, change.after) == ("count", 0, 1)
    assert change.note == "nothing is restored"


def test_a_scheduler_of_another_package_is_not_compared() -> None:
    raw = {"type": "torch:StepLR", "step_size": 3}
    (written,) = find_schedulers({"param_scheduler": raw}).shared
    spec = parsed(written, TRAINING)
    assert not_compared([spec], [{}]) == ["param_scheduler[0] torch:StepLR"]
    assert list(restored_changes([spec], [{"step_size": 4}])) == []


@pytest.mark.parametrize(
    ("data", "count", "unread"),
    [
        ({"param_schedulers": {"a": [{"gamma": 1}], "b": []}}, 1, ()),
        ({"param_schedulers": None}, 0, ()),
        ({"param_schedulers": [1]}, 0, ("param_schedulers",)),
        ({"param_schedulers": "x"}, 0, ("param_schedulers",)),
        ({"lr_scheduler": {"gamma": 1}}, 0, ("lr_scheduler",)),
        ({"scheduler": {"gamma": 1}, "param_schedulers": [{"gamma": 1}]}, 1, ("scheduler",)),
        ({"lr_schedulers": [], "scheduler_state_dict": None, "optimizer": {}}, 0, ()),
        ([1], 0, ()),
    ],
)
def test_what_a_checkpoint_keeps(data: Any, count: int, unread: Any, tmp_path: Path) -> None:
    torch.save(data, tmp_path / "a.pth")
    found = saved_schedulers(load_checkpoint(str(tmp_path / "a.pth")), "a.pth")
    assert (found.count, found.unread) == (count, unread)


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    torch.save({"param_schedulers": [{"gamma": list(range(20_000))}]}, tmp_path / "a.pth")
    with pytest.raises(PlanError, match="'gamma' of a scheduler holds itself or too many values"):
        saved_schedulers(load_checkpoint(str(tmp_path / "a.pth")), "a.pth")


def test_milestones_that_are_counted_without_end(tmp_path: Path) -> None:
    from collections import Counter

    torch.save({"param_schedulers": [{"milestones": Counter({8: 10**12})}]}, tmp_path / "a.pth")
    (state,) = saved_schedulers(load_checkpoint(str(tmp_path / "a.pth")), "a.pth").shared
    assert state["milestones"] == {"8": 10**12}
