"""OPT5xx: what schedulers do to the plan."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optplan.schedule import Training, Unit
from tests.checks.given import context_of, found, lines, section_of
from tests.checks.models import Net
from tests.schedule.reference import LRS, stepped

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
            ["4:44 warning: MultiStepLR: milestones 90, 100 are never reached: the training has 80 epochs",
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
             "4:44 warning: MultiStepLR: milestones 30, 60 are never reached: the training has 1 epoch"],
        ),
        (
            "[dict(type='LinearLR', by_epoch=False, end=500),"
            " dict(type='MultiStepLR', end=12, milestones=[9, 16, 22])]",
            EPOCHS.replace("80", "24"),
            ["4:101 warning: MultiStepLR: milestones 16, 22 are never reached: the scheduler ends at 12",
             "4:25 warning: no scheduler moves lr from epoch 12 to 24, while others do before or after"
             " (unless LinearLR, which counts iterations, reaches that far)"],
        ),
        (
            "dict(type='MultiStepLR', milestones=[1600001])",
            ITERATIONS.replace("8000", "1600000").replace("by_epoch=False", "type='IterBasedTrainLoop'"),
            ["4:44 warning: MultiStepLR: milestone 1600001 is never reached: the training has 1 epoch"],
        ),
        (
            "dict(type='MultiStepLR', milestones=[1600001], by_epoch=False)",
            ITERATIONS.replace("8000", "1600000"),
            ["4:44 warning: MultiStepLR: milestone 1600001 is never reached: the training has 1600000"
             " iterations"],
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
        # how many iterations its 800 epochs are, nobody has said
        ("dict(type='CosineAnnealingLR', end=800, convert_to_iter_based=True)", ITERATIONS),
        (
            "[dict(type='LinearLR', by_epoch=False, end=500, begin=100), dict(type='PolyLR', begin=9)]",
            EPOCHS,
        ),
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


RAMP = (
    "[dict(type='CosineAnnealingLR', T_max=8, eta_min=1, end=8),"
    " dict(type='CosineAnnealingLR', T_max=72, eta_min=1e-7, begin=8)]"
)


@pytest.mark.parametrize(
    "schedulers",
    [
        RAMP,
        # the warm-up is counted in iterations, whatever an epoch has of them
        f"[dict(type='LinearLR', by_epoch=False, end=500), {RAMP[1:]}",
        "[dict(type='PolyLR', eta_min=0.5, end=8), dict(type='MultiStepLR', milestones=[9], gamma=1e-6)]",
        "[dict(type='PolyLR', eta_min=1e-7), dict(type='PolyLR', eta_min=0.5, begin=80, end=90)]",
    ],
)
def test_opt502_leaves_a_ramp_that_falls_in_the_end(schedulers: str) -> None:
    assert said("OPT502", schedulers) == []
    assert said_without_model("OPT502", schedulers) == []


def test_opt502_of_a_ramp_that_stays_up() -> None:
    schedulers = RAMP.replace("1e-7", "0.5")
    (first, second) = said_without_model("OPT502", schedulers)
    assert "eta_min 1 is not below the starting lr (0.1)" in first
    assert "eta_min 0.5 is not below the starting lr (0.1)" in second


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "param_scheduler = dict(type='MultiStepLR', millestones=[8, 11])",
            [
                "4:44 error: MultiStepLR takes no argument 'millestones' (did you mean 'milestones'?)",
                "4:24 error: MultiStepLR needs the argument 'milestones'",
            ],
        ),
        (
            "param_scheduler = dict(type='CosineAnealingLR', T_max=24)",
            ["4:24 error: there is no scheduler 'CosineAnealingLR' (did you mean 'CosineAnnealingLR'?)"],
        ),
        (
            "default_scope = 'mmpretrain'; param_scheduler = dict(type='CosineAnealingLR', T_max=24)",
            ["4:54 error: there is no scheduler 'CosineAnealingLR' (did you mean 'CosineAnnealingLR'?)"],
        ),
        (
            "param_scheduler = [dict(type='MultiStepLR', gamma=.1)]",
            ["4:25 error: MultiStepLR needs the argument 'milestones'"],
        ),
        (
            "param_scheduler = dict(type='LinearLR', start_factor=.1, begin=5, end=2)",
            ["4:67 error: end must be after begin, got begin 5 and end 2"],
        ),
        (
            "param_scheduler = dict(type='StepParamScheduler', param_name='weight_dekay', step_size=3)",
            ["4:51 error: StepParamScheduler moves 'weight_dekay', which the optimizer does not have"
             " (did you mean 'weight_decay' or 'decoupled_weight_decay'?)"],
        ),
        (
            "param_schedulers = [dict(type='PolyLR')]",
            ["4:1 error: 'param_schedulers' is read by nobody: no scheduler moves the lr (did you mean"
             " 'param_scheduler'?)"],
        ),
        (
            "param_schedular = dict(type='PolyLR')",
            ["4:1 error: 'param_schedular' is read by nobody: no scheduler moves the lr (did you mean"
             " 'param_scheduler'?)"],
        ),
        (
            "lr_schedulers = [dict(type='PolyLR')]",
            ["4:1 error: 'lr_schedulers' is read by nobody: no scheduler moves the lr (did you mean"
             " 'param_scheduler'?)"],
        ),
        ("param_scheduler = 5", ["4:1 error: param_scheduler must be a dict or a list of dicts, got int 5"]),
        (
            "param_scheduler = dict(type='PolyLR', by_epoch=False, convert_to_iter_based=True)",
            ["4:55 error: convert_to_iter_based is for a scheduler by epochs, and by_epoch is false"],
        ),
        (
            "param_scheduler = dict(type='PolyLR', convert_to_iter_based=True, begin=9, end=7)",
            ["4:76 error: end must be after begin, got begin 9 and end 7"],
        ),
        (
            "param_scheduler = dict(type='PolyLR', convert_to_iter_based=True, begin=80)",
            ["4:67 error: begin 80 is not before the end of the training, which has 80 epochs"],
        ),
        (
            "param_scheduler = dict(type='LinearLR', start_factor=0.)",
            ["4:24 error: LinearLR breaks down at epoch 1: it divides by zero there"],
        ),
        (
            "param_scheduler = dict(type='ConstantLR', factor=0., by_epoch=False, end=50)",
            ["4:24 error: ConstantLR breaks down at iteration 49: it divides by zero there"],
        ),
        (
            "param_scheduler = dict(type='OneCycleLR', total_steps=20)",
            ["4:24 error: OneCycleLR breaks down at epoch 21: it was told to take 20 steps, and takes 22:"
             " total_steps is too small"],
        ),
        (
            # after 40 epochs, whose iterations nobody has counted
            "param_scheduler = dict(type='OneCycleLR', total_steps=40, convert_to_iter_based=True)",
            ["4:24 error: OneCycleLR breaks down during the training"],
        ),
        (
            "param_scheduler = dict(type='PolyLR', power=-1)",
            ["4:24 error: PolyLR breaks down at epoch 79: it divides by zero there"],
        ),
        (
            "param_scheduler = dict(generator=dict(type='PolyLR'))",
            ["4:1 error: param_scheduler has entries by optimizers' names ('generator'), but the only"
             " optimizer has no name (write a list of dict(type=...))"],
        ),
    ],
)  # fmt: skip
def test_opt506(text: str, expected: list[str]) -> None:
    found = lines("OPT506", context_of(f"{SLOW}{EPOCHS}{text}\n"))
    assert found == [f"a.py:{one}" for one in expected]


@pytest.mark.parametrize(
    "text",
    [
        "param_scheduler = [dict(type='PolyLR', by_epoch=False), dict(type='PolyLR', by_epoch=False, end=9)]",
        "param_scheduler = dict(type='PolyLR', convert_to_iter_based=True)",
        "param_scheduler = dict(type='StepParamScheduler', param_name='eps', step_size=3)",
        "param_scheduler = dict(type='mmdet.QuadraticWarmupLR')",
        "custom_imports = dict(imports=['own'])\nparam_scheduler = dict(type='CosineAnealingLR')",
        "param_scheduler = None",
        "param_scheduler_config = 5",
        "old_param_scheduler = 0.1",
    ],
)
def test_opt506_is_silent(text: str) -> None:
    assert lines("OPT506", context_of(f"{SLOW}{EPOCHS}{text}\n")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "param_scheduler = dict(type='PolyLR', gama=1)",
            "3:39 error: PolyLR takes no argument 'gama'",
        ),
        (
            "param_scheduler = dict(type='PolyLR', begin=9, end=7, by_epoch=False)",
            "3:48 error: end must be after begin, got begin 9 and end 7",
        ),
        ("train_cfg = dict(by_epoch=True)", "3:1 error: train_cfg has no max_epochs"),
        ("train_cfg = dict(by_epoch=True, max_epochs='12')", "3:33 error: max_epochs must be a whole"),
        ("train_cfg = dict(max_epochs=12)", "3:1 error: train_cfg has neither 'type' nor 'by_epoch', which the runner refuses"),
        (
            "train_cfg = dict(type='IterBasedTrainLoop', by_epoch=False, max_iters=12)",
            "3:1 error: train_cfg has both 'type' and 'by_epoch', which the runner refuses",
        ),
        (
            "train_cfg = dict(by_epoch=True, max_epochs=12, max_iters=12)",
            "3:48 error: train_cfg takes no 'max_iters' beside max_epochs",
        ),
        (
            "train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_intreval=1)",
            "3:61 error: train_cfg takes no 'val_intreval' beside max_epochs (did you mean 'val_interval'",
        ),
    ],
)  # fmt: skip
def test_opt506_without_a_length_or_without_schedulers(text: str, expected: str) -> None:
    (found,) = lines("OPT506", context_of(f"{SLOW}{text}\n"))
    assert found.startswith(f"a.py:{expected}")


def test_opt506_of_a_length_that_is_inherited_beside_another() -> None:
    """mmengine: IterBasedTrainLoop got an unexpected keyword argument 'max_epochs'."""
    child = "_base_ = 'base.py'\ntrain_cfg = dict(by_epoch=False, max_iters=9)\n"
    (found,) = lines("OPT506", context_of(child, base=f"{SLOW}{EPOCHS}"))
    assert found == (
        "base.py:3:33 error: train_cfg takes no 'max_epochs' beside max_iters (it is inherited: give"
        " _delete_=True in a.py:2)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "train_cfg = dict(rpn=dict(assigner=dict(type='MaxIoUAssigner')))",  # of mmdet 2
        "train_cfg = dict(type='GenLoop', num_stages=3)",
        "train_cfg = dict(type='OwnLoop', max_epochs=3, seed=1)",
        "param_scheduler = dict(type='PolyLR', end=9)",
        f"{EPOCHS}param_scheduler = dict(type='OneCycleLR', total_steps=200, by_epoch=False)",
        f"{EPOCHS}param_scheduler = dict(type='LinearLR', end=0.03, convert_to_iter_based=True)",
    ],
)
def test_opt506_leaves_what_depends_on_numbers_or_loops_of_others(text: str) -> None:
    assert lines("OPT506", context_of(f"{SLOW}{text}\n")) == []


def test_opt504_of_a_span_that_may_be_converted_to_nothing() -> None:
    """With 20 iterations in an epoch mmengine refuses the warm-up, with 100 there is no gap."""
    schedulers = (
        "[dict(type='LinearLR', end=0.03, convert_to_iter_based=True),"
        " dict(type='CosineAnnealingLR', begin=0.03, end=80, convert_to_iter_based=True)]"
    )
    assert said_without_model("OPT504", schedulers) == []


def test_opt506_with_the_groups_of_a_model() -> None:
    assert said("OPT506", "dict(type='OneCycleLR', eta_max=[0.1, 0.2])") == [
        "a.py:4:43 error: eta_max has 2 values, and there are 7 groups, the reference's own for the base lr"
        " among them"
    ]


@pytest.mark.parametrize(
    "scheduler",
    [
        "dict(type='PolyLR', power=0.9, eta_min=0.1)",
        "dict(type='PolyLR', power=0, eta_min=0.2, begin=3)",
        "dict(type='CosineAnnealingLR', eta_min=0.1)",
        "dict(type='CosineAnnealingLR', eta_min=0.1, T_max=200, end=60)",
    ],
)
def test_opt502_simulates_nothing_that_is_known(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = said("OPT502", f"[{scheduler}, dict(type='ConstantLR', factor=1.0, end=1)]")
    assert "is not below the starting lr" in simulated[0]
    monkeypatch.setattr("optplan.checks.catalog.floor_above_start.last_values", lambda *_: iter(()))
    assert said("OPT502", f"[{scheduler}]") == simulated
    assert said("OPT502", f"[{scheduler}, dict(type='ConstantLR', factor=1.0, end=1)]") == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    shape=st.one_of(
        st.fixed_dictionaries({"type": st.just("PolyLR"), "power": st.floats(0, 9)}),
        st.fixed_dictionaries(
            {"type": st.just("CosineAnnealingLR"), "T_max": st.integers(30, 300)}
        ),
    ),
    begin=st.integers(0, 20),
    end=st.integers(21, 30),
    floor=st.floats(0.1, 1.0),
)
def test_the_reference_never_ends_below_the_start_on_the_way_to_a_floor_above(
    shape: dict[str, Any], begin: int, end: int, floor: float
) -> None:
    training = Training(by_epoch=True, length=30, per_epoch=7)
    scheduler = {**shape, "begin": begin, "end": end, "eta_min": floor}
    values = stepped([scheduler], training, Unit.EPOCH)["lr"]
    assert len(values) == 30
    for row in values:
        assert all(own >= start * (1 - 1e-9) for own, start in zip(row, LRS, strict=True))


SHORT = "train_cfg = dict(by_epoch=False, max_iters=1000)\n"
COSINE = "dict(type='CosineAnnealingLR', by_epoch=False, T_max=1000, end=1000)"


def adamw(lr: float, decay: float, kind: str = "AdamW") -> str:
    return section_of("", f"type={kind!r}, lr={lr}, weight_decay={decay}")


def weight_left(lr: float, decay: float) -> float:
    """What torch's AdamW leaves of a weight without gradients in 1,000 steps."""
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight], lr=lr, weight_decay=decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)
    for _ in range(1000):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        scheduler.step()
    return weight.item()


@pytest.mark.parametrize(("lr", "decay"), [(1e-5, 0.01), (2e-5, 0.05), (1e-3, 1e-3)])
def test_opt507(lr: float, decay: float) -> None:
    taken = 100 * (1 - weight_left(lr, decay))
    assert 0 < taken < 0.1
    (line,) = said("OPT507", COSINE, head=adamw(lr, decay), train=SHORT)
    assert line.startswith("a.py:1:")
    start, _, rest = line.partition("takes at most ")
    assert start.endswith(f"info: over 1000 iterations weight_decay {decay} ")
    assert float(rest.split()[0]) == pytest.approx(taken, rel=1e-2)
    assert "6 parameters are all but not decayed" in rest


@pytest.mark.parametrize(
    ("head", "train"),
    [
        (adamw(1e-3, 0.01), SHORT),  # it takes 0.5 %
        (adamw(1e-5, 0.0), SHORT),
        (adamw(1e-5, 0.01, "Adam"), SHORT),  # its decay is part of the gradient
        (adamw(1e-5, 0.01), EPOCHS),  # nobody knows how many iterations there are
    ],
)
def test_opt507_is_silent(head: str, train: str) -> None:
    assert said("OPT507", COSINE, head=head, train=train) == []
