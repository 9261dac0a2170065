"""What configs of public repositories are told, each by a small one of its kind: nothing that is false."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optplan.checks.catalog import scheduler_refused
from optplan.config import load_config
from optplan.schedule.scheduler_stepper import SchedulerStepper
from tests.conftest import Invoke

Write = Callable[..., Path]
STEPS = "optimizer = dict(type='SGD', lr=0.1)\nlr_config = dict(policy='step', step=[8])\n"


@pytest.fixture
def check(invoke: Invoke, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def call(*words: str) -> dict[str, Any]:
        done = invoke("check", "--format", "json", "--no-model", *words, cwd=tmp_path)
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return call


def test_a_part_that_another_file_completes_lacks_no_base_value(check: Any, write: Write) -> None:
    """A tree of YAML files, each with what differs from the one above it."""
    part = "optimizer:\n  {}paramwise_cfg:\n    custom_keys:\n      head:\n        decay_mult: 0\n"
    write("part.yaml", part.format(""))
    write("whole.yaml", part.format("type: AdamW\n  lr: 0.1\n  "))
    found = [one for one in check(".")["findings"] if one["code"] == "OPT001"]
    assert [one["file"] for one in found] == ["whole.yaml"]


def test_a_table_of_optimizers_by_name_is_no_config(check: Any, write: Write) -> None:
    write("registry.py", "optimizer = {'sgd': 'torch.optim.SGD', 'adam': 'torch.optim.Adam'}\n")
    write("untyped.py", "optimizer = dict(lr=0.1)\n")
    report = check(".")
    assert {(one["code"], one["file"]) for one in report["findings"]} == {("OPT004", "untyped.py")}
    assert report["summary"]["no_config"] == 1


def test_what_an_earlier_trainer_read_is_named(check: Any, write: Write) -> None:
    options = "paramwise_options=dict(norm_decay_mult=0)"
    write("a.py", f"optimizer = dict(type='SGD', lr=0.1, {options})\ntotal_epochs = 12\n")
    (found,) = (one for one in check("a.py")["findings"] if one["code"] == "OPT003")
    assert found["hint"] == "MMDetection 1.x alone reads it: it is called paramwise_cfg since"


@pytest.mark.parametrize(("epochs", "length"), [(1, "1 epoch"), (4, "4 epochs")])
def test_a_training_of_one_epoch_has_one(
    epochs: int, length: str, check: Any, write: Write
) -> None:
    write("a.py", f"{STEPS}runner = dict(type='EpochBasedRunner', max_epochs={epochs})\n")
    (found,) = (one for one in check("a.py")["findings"] if one["code"] == "OPT504")
    assert found["message"] == f"step: step 8 is never reached: the training has {length}"


def test_a_config_may_print(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("a.py", "size = 3\nprint('size', size, flush=True)\nlr = print(size)\n")
    assert load_config(path).to_dict() == {"size": 3, "lr": None}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "message", "trusts"),
    [
        # what python refuses as well
        ("hooks = [1]\nhooks.update(a=1)\n", "a list has no method 'update'", False),
        ("hooks = [1]\nhooks.sort()\n", "the method 'sort' of a list is not available", True),
        (
            "from mmengine.config import read_base\nwith read_base():\n    from .fn import f as g\n"
            "x = dict(fn=g)\noptimizer = dict(type='SGD', lr=0.1)\n",
            "'g' is a function of the config's own, which is not run",
            True,
        ),
    ],
)
def test_what_is_not_run_is_told_from_what_is_wrong(
    text: str, message: str, trusts: bool, check: Any, write: Write
) -> None:
    write("fn.py", "def f(example):\n    return example\n")
    write("a.py", text)
    (found,) = (one for one in check("a.py")["findings"] if one["code"] == "OPT004")
    assert found["message"].startswith(message)
    assert ("--trust" in (found["hint"] or "")) is trusts


def test_one_schedule_of_several_configs_is_stepped_once(
    check: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepped = []

    class Counted(SchedulerStepper):
        def go(self, step: int) -> None:
            stepped.append(step)
            super().go(step)

    monkeypatch.setattr(scheduler_refused, "SchedulerStepper", Counted)
    monkeypatch.setattr(scheduler_refused, "_SOUND", set())
    schedule = (
        "optimizer = dict(type='SGD', lr=0.1)\n"
        "train_cfg = dict(by_epoch=False, max_iters={})\n"
        "param_scheduler = dict(type='CosineRestartLR', by_epoch=False, periods=[{}, 10], restart_weights=[1, 1],\n"
        "    eta_min=0)\n"
    )
    for name, numbers in {
        "a.py": (20, 10),
        "b.py": (20, 10),
        "c.py": (19, 10),
        "d.py": (20, 9),
    }.items():
        write(name, schedule.format(*numbers))
    found = [one for one in check(".")["findings"] if one["code"] == "OPT506"]
    assert found == []
    assert stepped == [20, 19, 20]
