"""Schedulers that are wrong: one clear error each, at its place in the config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from optplan.config import load_config
from optplan.dialects import find_schedulers, find_training
from optplan.errors import OptplanError, ScheduleError, UsageError
from optplan.schedule import Training, courses_of, schedule_of
from tests.schedule.reference import ADAM, SGD, plan_of_three

HEAD = "train_cfg = dict(by_epoch=True, max_epochs=20)\n"

# What stands in a scheduler, and the line and column and beginning of what is said of it.
WRONG: dict[str, tuple[str, str]] = {
    "T_max of 0": (
        "dict(type='CosineAnnealingLR', T_max=0)",
        "2:50: T_max must be a positive number, got int 0",
    ),
    "an argument that is misspelt": (
        "dict(type='CosineAnnealingLR', eta_mn=0.1)",
        "2:50: CosineAnnealingLR takes no argument 'eta_mn' (did you mean 'eta_min' or"
        " 'eta_min_ratio'?)",
    ),
    "an argument that is missing": (
        "dict(type='MultiStepLR', gamma=0.1)",
        "2:24: MultiStepLR needs the argument 'milestones'",
    ),
    "a text for a number": (
        "dict(type='PolyLR', power='1e-3')",
        "2:39: power must be a number, got the string '1e-3' (write 1.0e-3)",
    ),
    "a number for a list": (
        "dict(type='MultiStepLR', milestones=5)",
        "2:44: milestones must be a list of numbers, got int 5",
    ),
    "a text in a list": (
        "dict(type='MultiStepLR', milestones=[5, 'x'])",
        "2:59: 'milestones[1]' must be a number, got the string 'x'",
    ),
    "end before begin": (
        "dict(type='LinearLR', begin=5, end=3)",
        "2:50: end must be after begin, got begin 5 and end 3",
    ),
    "begin behind the training": (
        "dict(type='LinearLR', begin=20)",
        "2:41: begin 20 is not before the end of the training, which has 20 epochs",
    ),
    "an unknown type": (
        "dict(type='CosineAnealingLR')",
        "2:24: CosineAnealingLR has to be run for real",
    ),
    "no type": ("dict(T_max=3)", "2:24: a scheduler has no 'type' (write type='PolyLR')"),
    "no name for a type": ("dict(type=3)", "2:24: a scheduler's type must be a name, got int 3"),
    "no dict": ("['PolyLR']", "2:20: a scheduler must be a dict, got str 'PolyLR'"),
    "a factor above 1": (
        "dict(type='LinearLR', start_factor=2)",
        "2:41: start_factor must be a number between 0 and 1, got int 2",
    ),
    "both floors": (
        "dict(type='CosineAnnealingLR', eta_min=0.1, eta_min_ratio=0.1)",
        "2:63: CosineAnnealingLR takes eta_min or eta_min_ratio, not both",
    ),
    "no floor": (
        "dict(type='CosineRestartLR', periods=[5])",
        "2:24: CosineRestartLR needs the argument 'eta_min'",
    ),
    "periods without weights": (
        "dict(type='CosineRestartLR', periods=[5, 5], eta_min=0)",
        "2:48: 2 periods and 1 restart_weights: each period needs its weight",
    ),
    "iterations to be converted": (
        "dict(type='PolyLR', by_epoch=False, convert_to_iter_based=True)",
        "2:55: convert_to_iter_based is for a scheduler by epochs, and by_epoch is false",
    ),
    "how many iterations has an epoch": (
        "dict(type='PolyLR', convert_to_iter_based=True)",
        "2:39: PolyLR is converted to iterations: how many has an epoch? (give --iters-per-epoch N)",
    ),
    "when is the end": (
        "dict(type='PolyLR', by_epoch=False)",
        "2:39: PolyLR ends with the training, after how many iterations? (give --iters-per-epoch N)",
    ),
    "iterations among epochs": (
        "dict(type='PolyLR', by_epoch=False, end=5)",
        "2:39: PolyLR counts iterations, and the training epochs: how many iterations has one?"
        " (give --iters-per-epoch N)",
    ),
    "no such hyper-parameter": (
        "dict(type='PolyParamScheduler', param_name='betta')",
        "2:51: PolyParamScheduler moves 'betta', which the optimizer does not have"
        " (it has dampening, lr, momentum, nesterov, weight_decay)",
    ),
    "which hyper-parameter": (
        "dict(type='PolyParamScheduler')",
        "2:24: PolyParamScheduler needs the argument 'param_name'",
    ),
    "one cycle of something else": (
        "dict(type='OneCycleParamScheduler', param_name='momentum')",
        "2:55: OneCycleParamScheduler works for lr alone",
    ),
    "a whole number for a share": (
        "dict(type='OneCycleLR', eta_max=0.1, pct_start=0)",
        "2:56: pct_start must be a float between 0 and 1, got int 0",
    ),
    "values for other groups": (
        "dict(type='OneCycleLR', eta_max=[0.1, 0.2])",
        "2:43: eta_max has 2 values, and there are 4 groups, the reference's own for the base lr among them",
    ),
    "a plateau by iterations": (
        "dict(type='ReduceOnPlateauLR', by_epoch=False)",
        "2:50: ReduceOnPlateauLR works by epochs alone",
    ),
    "a plateau that rises": (
        "dict(type='ReduceOnPlateauLR', factor=1.0)",
        "2:50: factor must be a number below 1, got float 1.0",
    ),
    "resuming without a start": (
        "dict(type='StepLR', step_size=3, last_step=4)",
        "2:52: StepLR goes on from last_step 4, but the groups have no initial_lr: it can only resume",
    ),
    "a division by zero": (
        "dict(type='LinearLR', start_factor=0)",
        "2:24: LinearLR breaks down at epoch 1: it divides by zero there",
    ),
    "too few steps": (
        "dict(type='OneCycleLR', eta_max=0.1, total_steps=9)",
        "2:24: OneCycleLR breaks down at epoch 10: it was told to take 9 steps, and takes 11:"
        " total_steps is too small",
    ),
}


def told(text: str, tmp_path: Path, **given: Any) -> list[str]:
    """What is said of a config, without the file's name."""
    path = tmp_path / "a.py"
    path.write_text(HEAD + text, encoding="utf-8")
    config = load_config(path)

    def run() -> None:
        section = find_schedulers(config.data)
        training = find_training(config.data, **given)
        schedule = schedule_of(plan_of_three(), section, training, [dict(SGD)])
        courses_of(schedule, [0])

    with pytest.raises(OptplanError) as caught:
        run()
    return [str(problem).replace(f"{path}:", "") for problem in caught.value.problems]


@pytest.mark.parametrize("name", WRONG)
def test_one_error_at_its_place(name: str, tmp_path: Path) -> None:
    text, expected = WRONG[name]
    assert told(f"param_scheduler = {text}", tmp_path) == [expected]


def test_every_mistake_is_told(tmp_path: Path) -> None:
    text = "param_scheduler = [dict(type='StepLR', gama=1), dict(type='PolyLR', end='x')]"
    assert told(text, tmp_path) == [
        "2:40: StepLR takes no argument 'gama' (did you mean 'gamma'?)",
        "2:25: StepLR needs the argument 'step_size'",
        "2:69: end must be a number, got the string 'x'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train_cfg = dict(by_epoch=True)", "train_cfg has no max_epochs"),
        ("train_cfg = dict(type='IterBasedTrainLoop')", "train_cfg has no max_iters"),
        ("train_cfg = dict(max_epochs=2.5)", "max_epochs must be a whole number, got float 2.5"),
        ("train_cfg = dict(max_epochs='x')", "max_epochs must be a whole number, got str 'x'"),
        ("train_cfg = dict(max_epochs=0)", "max_epochs must be at least 1, got 0"),
        ("train_cfg = 5", "train_cfg must be a dict, got int 5"),
    ],
)
def test_a_length_that_is_none(text: str, expected: str, tmp_path: Path) -> None:
    (problem,) = told(text, tmp_path)
    assert expected in problem


def test_a_span_that_is_empty_once_it_is_converted(tmp_path: Path) -> None:
    """MMEngine refuses it with "end should be larger than begin": 0.03 of 20 iterations are none."""
    text = "param_scheduler = dict(type='LinearLR', begin=0, end=0.03, convert_to_iter_based=True)"
    assert told(text, tmp_path, epochs=1, per_epoch=20) == [
        "2:50: end must be after begin, got begin 0 and end 0.03, which are iterations 0 and 0"
    ]


def test_no_length() -> None:
    with pytest.raises(UsageError, match="the config has no train_cfg"):
        find_training({})
    with pytest.raises(UsageError, match="give one of them"):
        find_training({}, epochs=1, iters=1)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"max_epochs": 9}, Training(by_epoch=True, length=9)),
        ({"by_epoch": False, "max_iters": 9}, Training(by_epoch=False, length=9)),
        ({"type": "IterBasedTrainLoop", "max_iters": 9.0}, Training(by_epoch=False, length=9)),
        ({"type": "EpochBasedTrainLoop", "max_epochs": 9}, Training(by_epoch=True, length=9)),
        ({"type": "mmdet.OwnLoop", "max_iters": 9}, Training(by_epoch=False, length=9)),
    ],
)
def test_the_length(section: dict[str, Any], expected: Training) -> None:
    assert find_training({"train_cfg": section}) == expected


def test_a_length_of_the_command_line_counts() -> None:
    data = {"train_cfg": {"max_epochs": 9}}
    assert find_training(data, iters=5, per_epoch=2) == Training(
        by_epoch=False, length=5, per_epoch=2
    )
    assert find_training(data, epochs=5) == Training(by_epoch=True, length=5)


def test_no_momentum() -> None:
    section = find_schedulers({"param_scheduler": {"type": "LinearMomentum"}})
    training = Training(by_epoch=True, length=5)
    schedule = schedule_of(plan_of_three({"eps": 1e-8}), section, training, [{}])
    with pytest.raises(ScheduleError, match="the optimizer has neither momentum nor betas"):
        courses_of(schedule, [0])


def test_schedulers_for_optimizers_that_there_are_not() -> None:
    section = find_schedulers({"param_scheduler": {"g": {"type": "PolyLR"}, "d": []}})
    with pytest.raises(ScheduleError, match=r"entries by optimizers' names \('g', 'd'\)"):
        schedule_of(plan_of_three(ADAM), section, Training(by_epoch=True, length=5), [{}])
