"""``diff`` and ``schedule`` on checkpoints that keep schedulers, as mmengine's runner saves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.conftest import Invoke
from tests.schedule.reference import SCHEDULERS
from tests.schema import validate

MODEL = ("-m", "net.py:make", "-q")
NET = "from torch import nn\n\ndef make():\n    return nn.Linear(3, 2)\n"
SGD = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
TRAIN = "train_cfg = dict(by_epoch=True, max_epochs=24)\n"
STEPS = "param_scheduler = [dict(type='MultiStepLR', milestones=[16, 22])]\n"
NEW = {"type": "MultiStepLR", "milestones": [16, 22], "end": 24}
OLD = {"type": "MultiStepLR", "milestones": [8, 11], "end": 24}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "a.py").write_text(SGD + TRAIN + STEPS)
    return tmp_path


def save(folder: Path, *schedulers: dict[str, Any], **entries: Any) -> None:
    """Save what a runner does of an optimizer and its schedulers, after one epoch."""
    optimizer = torch.optim.SGD(nn.Linear(3, 2).parameters(), lr=0.1)
    made = [SCHEDULERS.build({**one, "optimizer": optimizer}) for one in schedulers]
    optimizer.step()
    for one in made:
        one.step()
    data = {"optimizer": optimizer.state_dict(), **entries}
    if made:
        data["param_schedulers"] = [one.state_dict() for one in made]
    torch.save(data, folder / "last.pth")


def test_the_same_schedulers(folder: Path, invoke: Invoke) -> None:
    save(folder, NEW)
    for sides in (("a.py", "last.pth"), ("last.pth", "a.py")):
        done = invoke("diff", *sides, *MODEL, cwd=folder)
        head = f"{sides[0]} → {sides[1]} · net.py:make · MMEngine · no difference"
        assert (done.returncode, done.stdout.splitlines()) == (0, [head])


def test_other_milestones(folder: Path, invoke: Invoke) -> None:
    save(folder, OLD)
    name = "param_scheduler[0] MultiStepLR milestones"
    for sides, values in (
        (("a.py", "last.pth"), "16, 22  →  8, 11"),
        (("last.pth", "a.py"), "8, 11  →  16, 22"),
    ):
        done = invoke("diff", *sides, *MODEL, cwd=folder)
        assert (done.returncode, done.stdout.splitlines()) == (
            1,
            [
                f"{sides[0]} → {sides[1]} · net.py:make · MMEngine · the same at step 0, not in the schedule",
                " schedule",
                f"  {name}  {values}  (the checkpoint's stay)",
                f" no effect on resume, since the checkpoint overwrites it: {name}",
            ],
        )


def test_every_format(folder: Path, invoke: Invoke) -> None:
    save(folder, OLD)
    name = "param_scheduler[0] MultiStepLR"
    done = invoke("diff", "a.py", "last.pth", *MODEL, "-f", "json", cwd=folder)
    data = json.loads(done.stdout)
    validate(data, "diff-1.0")
    assert (done.returncode, data["same"]) == (1, False)
    assert data["schedule"]["schedulers"] == [
        {
            "scheduler": name,
            "field": "milestones",
            "before": [16, 22],
            "after": [8, 11],
            "note": "the checkpoint's stay",
        }
    ]
    done = invoke("diff", "a.py", "last.pth", *MODEL, "-f", "csv", cwd=folder)
    assert f'schedule,,,{name} milestones,"16, 22","8, 11",,,,' in done.stdout.splitlines()
    done = invoke("diff", "a.py", "last.pth", *MODEL, "-f", "md", cwd=folder)
    assert f"| `{name} milestones` | `16, 22` | `8, 11` |" in done.stdout


@pytest.mark.parametrize(
    ("config", "schedulers", "lines"),
    [
        (SGD, [OLD], ["param_scheduler count  0  →  1  (nothing is restored)"]),
        (
            SGD + TRAIN + STEPS,
            [NEW, NEW],
            ["param_scheduler count  1  →  2  (restored: the first 1)"],
        ),
        (
            SGD + TRAIN + "param_scheduler = dict(type='CosineAnnealingLR', T_max=24)\n",
            [NEW],
            [
                "param_scheduler[0] CosineAnnealingLR class  CosineAnnealingLR  →  MultiStepLR"
                "  (the config's T_max, eta_min, eta_min_ratio stay)"
            ],
        ),
        (
            SGD + STEPS,
            [NEW],
            [
                "the checkpoint's schedulers cannot be compared: the config does not say how long it trains"
            ],
        ),
        (
            SGD + TRAIN + "param_scheduler = dict(type='PolyLR', convert_to_iter_based=True)\n",
            [NEW],
            [
                "the checkpoint's schedulers cannot be compared: a.py:3:39: PolyLR is converted to"
                " iterations: how many has an epoch? (give --iters-per-epoch N)"
            ],
        ),
        (
            SGD + TRAIN + "param_scheduler = dict(type='torch:StepLR', step_size=3)\n",
            [NEW],
            ["what resuming makes of param_scheduler[0] torch:StepLR is not compared"],
        ),
    ],
)
def test_what_else_differs(
    config: str, schedulers: list[dict[str, Any]], lines: list[str], folder: Path, invoke: Invoke
) -> None:
    (folder / "a.py").write_text(config)
    save(folder, *schedulers)
    done = invoke("diff", "a.py", "last.pth", *MODEL, cwd=folder)
    assert done.returncode == 1
    assert [line.strip() for line in done.stdout.splitlines()[2:]] == lines


def test_iterations_of_an_epoch(folder: Path, invoke: Invoke) -> None:
    text = "param_scheduler = dict(type='LinearLR', end=2, convert_to_iter_based=True)\n"
    (folder / "a.py").write_text(SGD + TRAIN + text)
    save(folder, {"type": "LinearLR", "end": 20, "by_epoch": False})
    diff = ("diff", "a.py", "last.pth", *MODEL)
    assert invoke(*diff, "--iters-per-epoch", "10", cwd=folder).returncode == 0
    done = invoke(*diff, "--iters-per-epoch", "20", cwd=folder)
    assert done.returncode == 1
    assert "param_scheduler[0] LinearLR end  40  →  20  (the checkpoint's stays)" in done.stdout


@pytest.mark.parametrize(
    ("entries", "config", "line"),
    [
        ({}, SGD + TRAIN + STEPS, "the config's schedulers: the checkpoint keeps none"),
        (
            {"lr_scheduler": {"gamma": 0.1}},
            SGD + TRAIN + STEPS,
            "'lr_scheduler' of the checkpoint, which is not read",
        ),
        ({"scheduler": {"gamma": 0.1}}, SGD, "'scheduler' of the checkpoint, which is not read"),
    ],
)
def test_what_is_not_compared_is_named(
    entries: dict[str, Any], config: str, line: str, folder: Path, invoke: Invoke
) -> None:
    (folder / "a.py").write_text(config)
    save(folder, **entries)
    done = invoke("diff", "a.py", "last.pth", *MODEL, cwd=folder)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "a.py → last.pth · net.py:make · MMEngine · no difference in what was read",
            " schedule",
            f"  not compared: {line}",
        ],
    )
    done = invoke("diff", "a.py", "last.pth", *MODEL, "-f", "json", cwd=folder)
    data = json.loads(done.stdout)
    validate(data, "diff-1.0")
    assert data["schedule"]["unread"] == [{"name": line, "alike": None}]


def test_a_saved_plan_has_no_schedulers(folder: Path, invoke: Invoke) -> None:
    save(folder, OLD)
    (folder / "p.json").write_text(invoke("show", "a.py", *MODEL, "-f", "json", cwd=folder).stdout)
    done = invoke("diff", "p.json", "last.pth", cwd=folder)
    assert done.returncode == 0
    note = "not compared: the checkpoint's schedulers: a saved plan has none to compare them with"
    assert done.stdout.splitlines()[1:] == [" schedule", f"  {note}"]


@pytest.mark.parametrize(
    ("schedulers", "entries", "message"),
    [
        ([OLD, NEW], {}, "it keeps the states of 2 of mmengine's schedulers"),
        ([], {"lr_scheduler": {"gamma": 0.1}}, "whose 'lr_scheduler' is not read"),
        ([], {}, "which keeps no schedulers"),
    ],
)
def test_the_schedule_of_a_checkpoint(
    schedulers: list[dict[str, Any]],
    entries: dict[str, Any],
    message: str,
    folder: Path,
    invoke: Invoke,
) -> None:
    save(folder, *schedulers, **entries)
    done = invoke("schedule", "last.pth", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'last.pth' is a checkpoint" in done.stderr
    assert message in done.stderr
