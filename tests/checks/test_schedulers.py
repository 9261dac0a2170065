"""OPT5xx: what schedulers do to the plan."""

from __future__ import annotations

import pytest

from tests.checks.given import context_of, found, lines, section_of
from tests.checks.models import Net

SLOW = section_of("custom_keys=dict(backbone=dict(lr_mult=0.01))")
EPOCHS = "train_cfg = dict(by_epoch=True, max_epochs=80)\n"
ITERATIONS = "train_cfg = dict(by_epoch=False, max_iters=8000)\n"
BACKBONE = ("backbone.0.weight", "backbone.0.bias", "backbone.1.weight", "backbone.1.bias")
ALL = (*BACKBONE, "head.weight", "head.bias")


def said(code: str, schedulers: str, *, head: str = SLOW, train: str = EPOCHS) -> list[str]:
    """What a check says with a model, without the names of parameters."""
    context = context_of(f"{head}{train}param_scheduler = {schedulers}\n", Net())
    return [one.partition(" [")[0] for one in lines(code, context)]


def said_without_model(code: str, schedulers: str, *, train: str = EPOCHS) -> list[str]:
    return lines(code, context_of(f"{SLOW}{train}param_scheduler = {schedulers}\n"))


FLAT = "one and the same (use a scheduler that starts from each group's own lr)"


@pytest.mark.parametrize(
    ("schedulers", "expected"),
    [
        (
            "dict(type='OneCycleLR', eta_max=0.1)",
            f"a.py:4:43 error: OneCycleLR gives 2 settings of different lr (0.001, 0.1) {FLAT}",
        ),
        (
            "[dict(type='torch:OneCycleLR', max_lr=0.1, total_steps=81)]",
            f"a.py:4:50 error: torch:OneCycleLR gives 2 settings of different lr (0.001, 0.1) {FLAT}",
        ),
        (
            "[dict(type='torch:CyclicLR', base_lr=0.01, max_lr=0.1)]",
            f"a.py:4:62 error: torch:CyclicLR gives 2 settings of different lr (0.001, 0.1) {FLAT}",
        ),
    ],
)
def test_opt501(schedulers: str, expected: str) -> None:
    assert said("OPT501", schedulers) == [expected]


def test_opt501_names_the_parameters() -> None:
    context = context_of(
        f"{SLOW}{EPOCHS}param_scheduler = dict(type='OneCycleLR', eta_max=1.0)\n", Net()
    )
    (finding,) = found("OPT501", context)
    assert finding.parameters == ALL
    assert finding.place is not None
    assert finding.place.column == 43


@pytest.mark.parametrize(
    "schedulers",
    [
        "dict(type='CosineAnnealingLR', eta_min=1e-5)",
        # all come to one floor, but only at the very end
        "dict(type='PolyLR', eta_min=1e-5)",
        "dict(type='torch:CosineAnnealingLR', T_max=80)",
        "dict(type='torch:StepLR', step_size=30)",
        "dict(type='torch:NoSuchLR')",
        "dict(type='ReduceOnPlateauLR')",
        "dict(type='OneCycleLR', eta_max=0.1, total_steps=3)",  # breaks down
    ],
)
def test_opt501_is_silent(schedulers: str) -> None:
    assert said("OPT501", schedulers) == []


def test_opt501_needs_settings_that_differ() -> None:
    assert said("OPT501", "dict(type='OneCycleLR', eta_max=0.1)", head=section_of("")) == []


RATIO = " (eta_min_ratio gives each group a floor of its own)"


@pytest.mark.parametrize(
    ("schedulers", "expected"),
    [
        (
            "dict(type='CosineAnnealingLR', eta_min=0.01)",
            "a.py:4:50 error: eta_min 0.01 is not below the starting lr of 4 parameters (0.001)"
            + RATIO,
        ),
        (
            "dict(type='PolyLR', eta_min=0.001)",
            "a.py:4:39 error: eta_min 0.001 is not below the starting lr of 4 parameters (0.001)",
        ),
        (
            "dict(type='torch:CosineAnnealingLR', T_max=80, eta_min=0.5)",
            "a.py:4:66 error: eta_min 0.5 is not below the starting lr of 6 parameters (0.001, 0.1)",
        ),
        (
            "dict(type='CosineAnnealingParamScheduler', param_name='weight_decay', eta_min=0.2)",
            "a.py:4:89 error: eta_min 0.2 is not below the starting weight_decay of 6 parameters (0.1)"
            + RATIO,
        ),
    ],
)
def test_opt502(schedulers: str, expected: str) -> None:
    assert said("OPT502", schedulers) == [expected]


def test_opt502_of_parameters_without_decay() -> None:
    """A floor lifts what was to have no weight decay at all."""
    head = section_of("norm_decay_mult=0.")
    scheduler = (
        "dict(type='CosineAnnealingParamScheduler', param_name='weight_decay', eta_min=1e-5)"
    )
    (one,) = said("OPT502", scheduler, head=head)
    assert "eta_min 1e-05 is not below the starting weight_decay of 2 parameters (0)" in one


def test_opt502_by_the_base_lr_where_there_is_no_model() -> None:
    scheduler = "dict(type='PolyLR', eta_min={})"
    assert said_without_model("OPT502", scheduler.format("0.01")) == []
    assert said_without_model("OPT502", scheduler.format("0.1")) == [
        "a.py:4:39 error: eta_min 0.1 is not below the starting lr (0.1)"
    ]


@pytest.mark.parametrize(
    "schedulers",
    [
        "dict(type='CosineAnnealingLR', eta_min=1e-4)",
        "dict(type='CosineAnnealingLR', eta_min_ratio=0.5)",
        "dict(type='PolyLR')",
        # it is not known what a class of another package does with it
        "dict(type='CosineAnnealingWeightDecay', eta_min=0.2)",
    ],
)
def test_opt502_is_silent(schedulers: str) -> None:
    assert said("OPT502", schedulers) == []


@pytest.mark.parametrize(
    ("schedulers", "train", "expected"),
    [
        (
            "dict(type='MultiStepLR', milestones=[30, 60, 90])",
            EPOCHS,
            ["4:44 warning: MultiStepLR: milestone 90 is never reached: the training has 80 epochs"],
        ),
        (
            "dict(type='MultiStepLR', milestones=[80, 90], begin=10, convert_to_iter_based=True)",
            EPOCHS,
            ["4:44 warning: MultiStepLR: milestone 90, 100 is never reached: the training has 80 epochs",
             "4:24 warning: no scheduler moves lr from epoch 0 to 10, while others do before or after"],
        ),
        (
            "dict(type='CosineAnnealingLR', end=100)",
            EPOCHS,
            ["4:50 warning: CosineAnnealingLR: end 100 is past the end of the training, which has 80 epochs"],
        ),
        (
            "[dict(type='LinearLR', end=5), dict(type='PolyLR', begin=90, end=100)]",
            EPOCHS,
            ["4:70 warning: PolyLR: begin 90 is past the end of the training, which has 80 epochs",
             "4:80 warning: PolyLR: end 100 is past the end of the training, which has 80 epochs"],
        ),
        (
            "[dict(type='LinearLR', end=5), dict(type='PolyLR', begin=10)]",
            EPOCHS,
            ["4:25 warning: no scheduler moves lr from epoch 5 to 10, while others do before or after"],
        ),
        (
            "dict(type='PolyLR', end=4000, by_epoch=False)",
            ITERATIONS,
            ["4:24 warning: no scheduler moves lr from iteration 4000 to 8000, while others do before or"
             " after"],
        ),
        (
            "dict(type='MultiStepLR', milestones=[30, 60], end=80)",
            ITERATIONS,
            ["4:65 warning: MultiStepLR: end 80 is past the end of the training, which has 1 epoch",
             "4:44 warning: MultiStepLR: milestone 30, 60 is never reached: the training has 1 epoch"],
        ),
    ],
)  # fmt: skip
def test_opt504(schedulers: str, train: str, expected: list[str]) -> None:
    assert said_without_model("OPT504", schedulers, train=train) == [f"a.py:{e}" for e in expected]


@pytest.mark.parametrize(
    ("schedulers", "train"),
    [
        ("[dict(type='LinearLR', end=5), dict(type='CosineAnnealingLR', begin=5)]", EPOCHS),
        ("dict(type='LinearLR', end=5)", EPOCHS),  # a warm-up alone, then constant
        ("[dict(type='LinearLR', by_epoch=False, end=500), dict(type='PolyLR', begin=4)]", EPOCHS),
        ("dict(type='PolyLR', by_epoch=False, end=90000)", EPOCHS),  # who knows how long that is
        ("dict(type='StepLR', step_size=100)", EPOCHS),
        ("dict(type='PolyLR', end=1000000000)", EPOCHS),
        ("[dict(type='PolyLR'), dict(type='StepMomentum', step_size=3)]", EPOCHS),
        ("dict(type='PolyLR', by_epoch=False)", ITERATIONS),
        ("dict(type='ReduceOnPlateauLR', begin=5, end=9)", EPOCHS),
        ("[dict(type='LinearLR', end=5), dict(type='torch:StepLR', step_size=3)]", EPOCHS),
        ("dict(type='PolyLR', eta_mn=3, end=900)", EPOCHS),  # wrong in itself
        ("5", EPOCHS),
        ("dict(type='PolyLR', end=900)", ""),
    ],
)
def test_opt504_is_silent(schedulers: str, train: str) -> None:
    assert said_without_model("OPT504", schedulers, train=train) == []


@pytest.mark.parametrize(
    ("schedulers", "expected"),
    [
        ("dict(type='LinearLR', start_factor=0, end=1)", "4:41 info: LinearLR begins with lr 0: the first epoch"),
        (
            "dict(type='ConstantLR', factor=0.0, end=50, by_epoch=False)",
            "4:43 info: ConstantLR begins with lr 0: the first iteration",
        ),
        ("dict(type='OneCycleLR')", "4:24 info: OneCycleLR begins with lr 0: the first epoch"),
    ],
)  # fmt: skip
def test_opt505(schedulers: str, expected: str) -> None:
    assert said_without_model("OPT505", schedulers) == [f"a.py:{expected} trains nothing"]


@pytest.mark.parametrize(
    "schedulers",
    [
        "dict(type='LinearLR', start_factor=1e-6)",
        "dict(type='LinearLR', start_factor=0, begin=5)",
        "dict(type='LinearMomentum', start_factor=0)",
    ],
)
def test_opt505_is_silent(schedulers: str) -> None:
    assert said_without_model("OPT505", schedulers) == []


def test_timms_arguments() -> None:
    text = "opt = 'adamw'\nlr = 0.001\nsched = 'cosine'\nepochs = 9\nwarmup_epochs = 2\nwarmup_lr = 0\n"
    assert lines("OPT505", context_of(text)) == [
        "a.py:6:1 info: timm cosine begins with lr 0: the first epoch trains nothing"
    ]
