"""Trainings in phases: ``diff`` from each to the next, ``schedule`` over them, held against real optimizers."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import Invoke
from tests.schedule.reference import stepped
from tests.schema import validate

PHASES = """\
import torch
from torch import nn
from torch.optim import SGD, AdamW, lr_scheduler

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 2)

def head(net):
    net.stem.requires_grad_(False)
    net.norm.requires_grad_(False)
    optimizer = SGD(net.head.parameters(), lr=0.1, momentum=0.9)
    return optimizer, lr_scheduler.LinearLR(optimizer, 0.1, total_iters=10)

def top(net):
    net.stem.requires_grad_(False)
    spared = {"params": net.norm.parameters(), "weight_decay": 0.0}
    optimizer = AdamW([{"params": net.head.parameters()}, spared], lr=0.01)
    return optimizer, lr_scheduler.CosineAnnealingLR(optimizer, 50)

def whole(net):
    groups = [{"params": net.head.parameters(), "lr": 0.001}, {"params": net.stem.parameters()}]
    optimizer = AdamW([*groups, {"params": net.norm.parameters(), "weight_decay": 0.0}], lr=1e-4)
    return optimizer, lr_scheduler.OneCycleLR(optimizer, [0.01, 0.001, 0.002], total_steps=130)
"""
SGD = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))\n"
A = (
    SGD
    + """\
param_scheduler = [dict(type='LinearLR', start_factor=0.5, end=3)]
train_cfg = dict(by_epoch=True, max_epochs=5)
"""
)
B = """\
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.5, end=30, by_epoch=False),
    dict(type='CosineAnnealingLR', T_max=10)]
train_cfg = dict(by_epoch=True, max_epochs=10)
"""
C = SGD + "train_cfg = dict(by_epoch=False, max_iters=500)\n"
NET = ("--model", "phases.py:Net")
WORDS = ("phases.py:head", "phases.py:top@20", "phases.py:whole@70")
SPANS = {"head": (0, 20), "top": (20, 70), "whole": (70, 200)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"phases": PHASES, "a": A, "b": B, "c": C}.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def scheduled(invoke: Invoke, folder: Path, *words: str) -> dict[str, Any]:
    done = invoke("schedule", *words, *NET, "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    data: dict[str, Any] = json.loads(done.stdout)
    validate(data, "phases-schedule-1.0")
    for phase in data["phases"]:
        validate(phase["schedule"], "schedule-1.0")
    return data


def values(data: dict[str, Any], field: str) -> dict[int, dict[str, float]]:
    """What each trained parameter has at each step of the whole training."""
    found: dict[int, dict[str, float]] = {}
    for place, phase in enumerate(data["phases"]):
        own = phase["schedule"]
        for at, point in enumerate(own["points"]):
            found[phase["begin"] + point["step"]] = {
                name: own["settings"][lane["phases"][place]["setting"]]["values"][field][at]
                for lane in data["parameters"]
                if lane["phases"][place]["status"] == "optimized"
                for name in lane["names"]
            }
    return found


def trained(path: Path, field: str) -> dict[int, dict[str, float]]:
    """The same of a plain loop, which makes the optimizer and the scheduler of each phase and steps them."""
    spec = importlib.util.spec_from_file_location("trained_phases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net, found = module.Net(), {}
    for name, (begin, end) in SPANS.items():
        net.requires_grad_(True)
        optimizer, scheduler = getattr(module, name)(net)
        names = {parameter: name for name, parameter in net.named_parameters()}
        for step in range(begin, end):
            found[step] = {
                names[parameter]: float(group[field])
                for group in optimizer.param_groups
                for parameter in group["params"]
            }
            net.head(net.norm(net.stem(torch.ones(1, 3)))).sum().backward()
            optimizer.step()
            scheduler.step()
    return found


@pytest.mark.parametrize("field", ["lr", "weight_decay"])
def test_each_step_of_each_parameter_is_that_of_a_plain_loop(
    folder: Path, invoke: Invoke, field: str
) -> None:
    data = scheduled(invoke, folder, *WORDS, "--iters", "200", "--every", "1")
    ours, loops = values(data, field), trained(folder / "phases.py", field)
    assert list(ours) == list(loops) == list(range(200))
    for step, expected in loops.items():
        assert ours[step] == pytest.approx(expected, rel=1e-12, abs=0), step
    assert len({len(values) for values in loops.values()}) == 3


def test_who_is_trained_in_which_phase(folder: Path, invoke: Invoke) -> None:
    data = scheduled(invoke, folder, *WORDS, "--iters", "200")
    assert (data["unit"], data["length"]) == ("iteration", 200)
    assert [(one["label"], one["begin"], one["end"]) for one in data["phases"]] == [
        ("phases.py:head", 0, 20),
        ("phases.py:top@20", 20, 70),
        ("phases.py:whole@70", 70, 200),
    ]
    told = {
        pattern: [one["status"] for one in lane["phases"]]
        for lane in data["parameters"]
        for pattern in lane["patterns"]
    }
    assert told == {
        "stem.*": ["frozen", "frozen", "optimized"],
        "norm.*": ["frozen", "optimized", "optimized"],
        "head.*": ["optimized"] * 3,
    }


def test_schedulers_of_configs_begin_anew_and_epochs_are_counted(
    folder: Path, invoke: Invoke
) -> None:
    words = ("a.py", "b.py@4", "--iters-per-epoch", "10", "--every", "1")
    ours = values(scheduled(invoke, folder, *words), "lr")
    from optplan.schedule import Training, Unit

    expected: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text, lr, span, epochs in ((A, 0.1, 40, 5), (B, 0.01, 100, 10)):
            written: dict[str, Any] = {}
            exec(text, written)
            training = Training(by_epoch=True, length=epochs, per_epoch=10)
            table = stepped(written["param_scheduler"], training, Unit.ITERATION)["lr"]
            expected += [groups[0] / 0.1 * lr for groups in table[:span]]
    assert [one["stem.weight"] for one in ours.values()] == pytest.approx(expected, rel=1e-12)
    assert len(ours) == 140


def test_where_phases_begin_and_end(folder: Path, invoke: Invoke) -> None:
    def spans(*words: str) -> list[tuple[int, int]]:
        data = scheduled(invoke, folder, *words)
        return [(one["begin"], one["end"]) for one in data["phases"]]

    assert spans("a.py", "a.py@4", "--epochs", "6") == [(0, 4), (4, 6)]
    assert spans("a.py", "a.py") == [(0, 5), (5, 10)]
    assert spans("a.py", "c.py@200it", "--iters-per-epoch", "100") == [(0, 200), (200, 700)]
    assert spans("c.py", "a.py@3ep", "--iters-per-epoch", "100") == [(0, 300), (300, 800)]
    assert spans("phases.py:head", "c.py@10") == [(0, 10), (10, 510)]


def test_the_text_says_what_begins_anew(folder: Path, invoke: Invoke) -> None:
    done = invoke("schedule", "a.py", "c.py@3ep", *NET, "--iters-per-epoch", "10", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "each phase makes its optimizer and schedulers anew: no state of an optimizer" in (
        done.stdout
    )
    assert " a.py: ends after 30 of its 50 iterations\n" in done.stdout
    assert " c.py@3ep: no scheduler: every parameter keeps its values\n" in done.stdout
    frozen = invoke("schedule", *WORDS, "--iters", "200", *NET, cwd=folder).stdout
    rows = [line.split() for line in frozen.splitlines()]
    assert ["stem.*", "2", *["frozen"] * 5, "4e-05"] in [row[:8] for row in rows]


def test_other_formats(folder: Path, invoke: Invoke) -> None:
    words = ("schedule", *WORDS, "--iters", "200", "--at", "19", "--at", "20", *NET)
    rows = list(csv.DictReader(io.StringIO(invoke(*words, "-f", "csv", cwd=folder).stdout)))
    assert [(row["phase"], row["step"], row["parameters"]) for row in rows] == [
        ("1", "19", "2"),
        ("2", "20", "2"),
        ("2", "20", "2"),
    ]
    page = invoke(*words, "-f", "md", cwd=folder).stdout
    assert "| `stem.*` | 2 | frozen | frozen |" in page
    html = invoke(*words, "-f", "html", cwd=folder).stdout
    assert html.count('<section class="chart"') == 3  # lr, weight_decay, momentum
    assert "phases.py:whole@70" in html
    only = invoke(*words, "--param", "head.*", cwd=folder).stdout
    assert "only the parameters of --param head.*" in only
    assert "stem" not in only.partition(" lr by iteration")[2]


REFUSED = [
    (("a.py", "b.py@7"), "a.py ends at epoch 5, and b.py@7 begins at 7"),
    (("a.py@2", "b.py"), "a.py@2: the first phase begins at step 0"),
    (("a.py", "b.py@3", "c.py@2"), "c.py@2 begins no later than b.py@3"),
    (("a.py", "b.py@0"), "b.py@0 begins no later than a.py"),
    (("a.py", "b.py@5%"), "'5%' is no step"),
    (("a.py", "c.py"), "how many has an epoch?"),
    (("a.py", "b.py@15it", "--iters-per-epoch", "10"), "begins within an epoch of 10 iterations"),
    (("phases.py:head", "phases.py:top"), "how long is the phase phases.py:head?"),
    (("phases.py:head", "phases.py:top@5"), "how long is the phase phases.py:top@5?"),
    (("phases.py:head", "phases.py:top@5", "--iters", "5"), "begins at iteration 5, and ends at 5"),
    (("a.py", "plan.json"), "'plan.json' is a saved plan, which keeps no schedulers"),
    (("a.py", "b.py", "--view", "decay"), "--view decay is of one config"),
    (("a.py", "lr=3"), "--set lr=3"),
    (("a.py", "resnet18"), "--model resnet18"),
    (("a.py", "b.py", "--iters-per-epoch", "10", "--param", "x"), "'x' matches no parameter"),
]


def test_what_is_refused(folder: Path, invoke: Invoke) -> None:
    saved = invoke("show", "a.py", *NET, "-f", "json", "-o", "plan.json", cwd=folder)
    assert saved.returncode == 0
    for words, message in REFUSED:
        done = invoke("schedule", *words, *NET, cwd=folder)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert message in done.stderr
        assert done.stderr.count("error: ") == 1


def test_what_changes_from_each_phase_to_the_next(folder: Path, invoke: Invoke) -> None:
    done = invoke("diff", *WORDS, *NET, "--format", "json", cwd=folder)
    assert done.returncode == 1
    data = json.loads(done.stdout)
    validate(data, "phases-diff-1.0")
    assert data["same"] is False
    for change, pair in zip(data["changes"], (WORDS[:2], WORDS[1:]), strict=True):
        validate(change, "diff-1.0")
        assert (change["before"]["label"], change["after"]["label"]) == pair
        alone = invoke("diff", *pair, *NET, "--format", "json", cwd=folder)
        assert json.loads(alone.stdout) == change
    thawed = [
        cluster["names"]
        for change in data["changes"]
        for cluster in change["clusters"]
        if (cluster["field"], cluster["before"], cluster["after"])
        == ("status", "frozen", "optimized")
    ]
    assert thawed == [["norm.weight", "norm.bias"], ["stem.weight", "stem.bias"]]


def test_diff_of_phases_in_each_format(folder: Path, invoke: Invoke) -> None:
    words = ("a.py", "b.py", "a.py")
    alone = [invoke("diff", *pair, *NET, cwd=folder).stdout for pair in (words[:2], words[1:])]
    assert invoke("diff", *words, *NET, cwd=folder).stdout == "\n".join(alone)
    page = invoke("diff", *words, *NET, "-f", "md", cwd=folder).stdout
    assert page.count("### optplan diff: ") == 2
    done = invoke("diff", *words, *NET, "-f", "csv", cwd=folder)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["phase"] for row in rows} == {"2", "3"}
    lrs = [(row["before"], row["after"]) for row in rows if row["field"] == "lr"]
    assert lrs == [("0.1", "0.01"), ("0.01", "0.1")]
    same = invoke("diff", "a.py", "a.py", "a.py", *NET, cwd=folder)
    assert (same.returncode, same.stderr) == (0, "")
    one = invoke("diff", "a.py", "a.py", "b.py", *NET, cwd=folder)
    assert one.returncode == 1


def test_saved_plans_are_phases_of_a_diff(folder: Path, invoke: Invoke) -> None:
    for name in ("a", "b"):
        invoke("show", f"{name}.py", *NET, "-f", "json", "-o", f"{name}.json", cwd=folder)
    done = invoke("diff", "a.json", "b.json", "a.json", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("lr  0.1  →  0.01  6 parameters with it") == 1
    assert done.stdout.count("lr  0.01  →  0.1  6 parameters with it") == 1
    wrong = invoke("diff", "a.py", "b.py", "a.py", "--model-b", "resnet18", *NET, cwd=folder)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--model-b is for two sides, and here are 3" in wrong.stderr
