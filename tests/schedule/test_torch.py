"""torch's own schedulers, named in a config, against torch's own stepped by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from optplan.config import Namespace, Symbol
from optplan.errors import ScheduleError
from optplan.schedule import Training, Unit
from optplan.schedule.foreign import ForeignBuilder
from tests.schedule.reference import ADAM, DECAYS, LRS, SGD, ours

EPOCHS = 24

# What a config writes, and the same made by hand.
CASES: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "StepLR": (
        {"step_size": 7, "gamma": 0.5},
        lambda o: lr_scheduler.StepLR(o, 7, gamma=0.5),
    ),
    "MultiStepLR": (
        {"milestones": [3, 3, 11], "gamma": 0.2},
        lambda o: lr_scheduler.MultiStepLR(o, [3, 3, 11], gamma=0.2),
    ),
    "ConstantLR": (
        {"factor": 0.25, "total_iters": 6},
        lambda o: lr_scheduler.ConstantLR(o, 0.25, 6),
    ),
    "LinearLR": (
        {"start_factor": 0.1, "total_iters": 9},
        lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 9),
    ),
    "ExponentialLR": ({"gamma": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "PolynomialLR": (
        {"total_iters": 20, "power": 0.9},
        lambda o: lr_scheduler.PolynomialLR(o, 20, 0.9),
    ),
    "CosineAnnealingLR": (
        {"T_max": 10, "eta_min": 1e-5},
        lambda o: lr_scheduler.CosineAnnealingLR(o, 10, 1e-5),
    ),
    "CosineAnnealingWarmRestarts": (
        {"T_0": 4, "T_mult": 2},
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2),
    ),
    "CyclicLR": (
        {"base_lr": 0.001, "max_lr": 0.1, "step_size_up": 5},
        lambda o: lr_scheduler.CyclicLR(o, 0.001, 0.1, 5),
    ),
    "OneCycleLR": (
        {"max_lr": [0.1, 0.02, 0.003], "total_steps": EPOCHS + 1},
        lambda o: lr_scheduler.OneCycleLR(o, [0.1, 0.02, 0.003], total_steps=EPOCHS + 1),
    ),
    "SequentialLR": (
        {
            "schedulers": [
                {"type": "torch:LinearLR", "start_factor": 0.1, "total_iters": 5},
                {"type": "torch.optim.lr_scheduler.CosineAnnealingLR", "T_max": 19},
            ],
            "milestones": [5],
        },
        lambda o: lr_scheduler.SequentialLR(
            o,
            [lr_scheduler.LinearLR(o, 0.1, 1.0, 5), lr_scheduler.CosineAnnealingLR(o, 19)],
            [5],
        ),
    ),
    "ChainedScheduler": (
        {
            "schedulers": [
                {"type": "torch:ConstantLR", "factor": 0.1, "total_iters": 2},
                {"type": "torch:ExponentialLR", "gamma": 0.9},
            ]
        },
        lambda o: lr_scheduler.ChainedScheduler(
            [lr_scheduler.ConstantLR(o, 0.1, 2), lr_scheduler.ExponentialLR(o, 0.9)]
        ),
    ),
    "LambdaLR": (
        {"lr_lambda": lambda epoch: 0.95**epoch},
        lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.95**epoch),
    ),
}


def by_hand(
    make: Callable[[Any], Any], options: Any, steps: int
) -> list[list[tuple[float, float]]]:
    """lr and momentum of three groups at every step."""
    groups = [
        {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr, "weight_decay": decay}
        for lr, decay in zip(LRS, DECAYS, strict=True)
    ]
    kind: Any = torch.optim.SGD if "momentum" in options else torch.optim.AdamW
    optimizer = kind(groups, lr=LRS[0], **options)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = make(optimizer)
        for _ in range(steps):
            found.append(
                [
                    (g["lr"], g["momentum"] if "momentum" in g else g["betas"][0])
                    for g in optimizer.param_groups
                ]
            )
            optimizer.step()
            scheduler.step()
    return found


def in_config(
    name: str, arguments: dict[str, Any], options: Any, training: Training
) -> list[list[tuple[float, float]]]:
    _, table = ours(
        [{"type": name, **arguments}],
        training,
        options=options,
        fields=("lr", "momentum"),
        make_foreign=ForeignBuilder(Namespace()),
    )
    return [
        list(zip(lrs, momenta, strict=True))
        for lrs, momenta in zip(table["lr"], table["momentum"], strict=True)
    ]


@pytest.mark.parametrize("options", [SGD, ADAM], ids=["SGD", "AdamW"])
@pytest.mark.parametrize("name", CASES)
def test_equal(name: str, options: Any) -> None:
    arguments, make = CASES[name]
    training = Training(by_epoch=True, length=EPOCHS)
    found = in_config(f"torch:{name}", arguments, options, training)
    assert found == by_hand(make, options, EPOCHS)


def test_by_iteration_and_by_import_path() -> None:
    arguments, make = CASES["CosineAnnealingLR"]
    training = Training(by_epoch=True, length=6, per_epoch=4)
    name = "torch.optim.lr_scheduler.CosineAnnealingLR"
    found = in_config(name, {**arguments, "by_epoch": False}, SGD, training)
    assert found == by_hand(make, SGD, 24)


def test_by_epoch_among_iterations() -> None:
    """A scheduler of optplan's own makes it iterations; torch's goes on by epochs, on its results."""
    training = Training(by_epoch=True, length=3, per_epoch=2)
    unit, table = ours(
        [
            {"type": "ConstantLR", "factor": 0.5, "by_epoch": False, "end": 3},
            {"type": "torch:ExponentialLR", "gamma": 0.1},
        ],
        training,
        make_foreign=ForeignBuilder(Namespace()),
    )
    assert unit is Unit.ITERATION
    first = [step[0] for step in table["lr"]]
    assert first == pytest.approx([0.05, 0.05, 0.01, 0.01, 0.001, 0.001])


def test_a_bare_name_is_the_references() -> None:
    """torch's LinearLR counts total_iters; the reference's, which the bare name means, takes none."""
    with pytest.raises(ScheduleError, match="LinearLR takes no argument 'total_iters'"):
        ours([{"type": "LinearLR", "total_iters": 5}], Training(by_epoch=True, length=9))


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("torch:StepLRR", {}, "torch has no scheduler 'StepLRR'"),
        ("torch:StepLR", {}, "torch:StepLR needs the argument 'step_size'"),
        ("torch:StepLR", {"step": 3}, "torch:StepLR takes no argument 'step'"),
        ("torch:OneCycleLR", {"max_lr": 0.1}, "torch:OneCycleLR refuses its arguments: You must"),
        (
            "torch:OneCycleLR",
            {"max_lr": [1.0, 2.0], "total_steps": 9},
            "max_lr has 2 values, param_groups has 3",
        ),
        ("CyclicLR", {}, r"there is no scheduler 'CyclicLR' \(torch's own is 'torch:CyclicLR'"),
        ("QuadraticWarmupLR", {}, "there is no scheduler 'QuadraticWarmupLR'"),
        ("os.system", {"command": "true"}, "'os.system' is no scheduler class"),
        (Symbol("torch.optim.SGD"), {}, "'torch.optim.SGD' is no scheduler class"),
        ("nowhere.Scheduler", {}, "no installed package provides 'nowhere.Scheduler'"),
    ],
)
def test_refused(kind: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        ours(
            [{"type": kind, **arguments}],
            Training(by_epoch=True, length=EPOCHS),
            make_foreign=ForeignBuilder(Namespace()),
        )


@pytest.mark.parametrize("stride", [1, 20])
def test_it_breaks_down_where_it_does(stride: int) -> None:
    with pytest.raises(ScheduleError, match="breaks down at epoch 9: Tried to step"):
        ours(
            [{"type": "torch:OneCycleLR", "max_lr": 0.1, "total_steps": 8}],
            Training(by_epoch=True, length=EPOCHS),
            stride=stride,
            make_foreign=ForeignBuilder(Namespace()),
        )
