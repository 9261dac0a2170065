"""Trainings of any length: an answer within seconds, or the bound that is in the way."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from optplan.schedule import Training, Unit
from tests.conftest import Invoke
from tests.schedule.reference import ours, stepped

HEAD = "optimizer = dict(type='SGD', lr=0.1, momentum=0.9)\n"
MODEL = ("-m", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
BOUND = "error: the schedulers are followed to iteration "
POLY = "dict(type='PolyLR', by_epoch=False, power=0.9, eta_min=1e-4)"
STEPS = "dict(type='StepLR', by_epoch=False, step_size={}, gamma=0.5)"
FORMATS: list[tuple[str, ...]] = [
    (),
    ("-f", "html"),
    ("-f", "csv"),
    ("-f", "json"),
    ("--at", "50%"),
]
LONG = "dict(by_epoch=False, max_iters={})"

# the training, its schedulers, and how the message begins; '' where there is an answer
CASES = [
    (LONG.format("10**9"), POLY, BOUND),
    (LONG.format("10**9"), STEPS.format("10**7"), ""),
    (LONG.format("10**15"), "dict(type='LinearLR', by_epoch=False, end=100)", ""),
    (LONG.format("10**15"), STEPS.format("10.0**300"), ""),
    (LONG.format("10**9"), STEPS.format("10**7 + 0.5"), ""),
    (LONG.format("10**9"), "dict(type='ConstantLR', by_epoch=False, factor=0.1, end=10)", ""),
    (LONG.format("10**400"), POLY, "error: a.py:2:34: max_iters must be at most 9007199254740992"),
    (LONG.format("float('inf')"), POLY, "error: a.py:2:34: max_iters must be at most 900719925"),
    (LONG.format("float('nan')"), POLY, "error: a.py:2:34: max_iters must be a whole number"),
    ("dict(by_epoch=True, max_epochs=10)", "dict(type='StepLR', step_size=1e308)", ""),
    ("dict(by_epoch=True, max_epochs=10)", "dict(type='CosineAnnealingLR', T_max=1e308)", ""),
    ("dict(by_epoch=True, max_epochs=10)", "dict(type='MultiStepLR', milestones=[1e308])", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("training", "scheduler", "message", "words"),
    [(*case, FORMATS[place % len(FORMATS)]) for place, case in enumerate(CASES)],
)
def test_lengths(
    training: str,
    scheduler: str,
    message: str,
    words: tuple[str, ...],
    invoke: Invoke,
    tmp_path: Path,
) -> None:
    (tmp_path / "a.py").write_text(f"{HEAD}train_cfg = {training}\nparam_scheduler = {scheduler}\n")
    start = time.process_time()
    done = invoke("schedule", "a.py", *MODEL, *words, cwd=tmp_path)
    assert time.process_time() - start < 20
    assert done.stderr.startswith(message)
    assert (done.returncode, bool(done.stdout)) == ((2, False) if message else (0, True))


def test_early_steps_of_a_long_training(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown is within the bound: mmengine gives 0.1 * 0.5**2 at iteration 250."""
    monkeypatch.setattr("optplan.schedule.scheduler_stepper._MOST_WORK", 1_000_000)
    (tmp_path / "a.py").write_text(
        f"{HEAD}train_cfg = {LONG.format('10**9')}\nparam_scheduler = {STEPS.format(100)}\n"
    )
    words = ("--at", "0", "--at", "250", "-f", "csv")
    done = invoke("schedule", "a.py", *MODEL, *words, cwd=tmp_path)
    assert done.returncode == 0
    assert [line.split(",")[-3] for line in done.stdout.splitlines()[1:]] == ["0.1", "0.025"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--every", "1"),
            "error: --every 1 shows 1000000000 steps, and at most 1000000 are shown",
        ),
        (("--iters", "9" * 30), "error: the training is too long: at most 9007199254740992 steps"),
        (("--epochs", "9" * 30), "error: the training is too long: at most 9007199254740992 steps"),
    ],
)
def test_asked_lengths(
    words: tuple[str, ...], message: str, invoke: Invoke, tmp_path: Path
) -> None:
    training = LONG.format("10**9")
    (tmp_path / "a.py").write_text(
        f"{HEAD}train_cfg = {training}\nparam_scheduler = {STEPS.format('10**8')}\n"
    )
    done = invoke("schedule", "a.py", *MODEL, *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


@pytest.mark.parametrize("size", [1, 2.5, 3.0, 0.75, 1 / 3, 0.1, 7.125, 1e300, 59])
@pytest.mark.parametrize("begin", [0, 4])
def test_steps_of_any_size_are_those_of_the_reference(size: float, begin: int) -> None:
    training = Training(by_epoch=False, length=60, per_epoch=None)
    scheduler = {"type": "StepLR", "by_epoch": False, "step_size": size, "gamma": 0.5}
    theirs = stepped([{**scheduler, "begin": begin}], training, Unit.ITERATION)
    unit, own = ours([{**scheduler, "begin": begin}], training)
    assert unit is Unit.ITERATION
    assert own == theirs
