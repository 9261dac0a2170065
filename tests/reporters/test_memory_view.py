"""The memory of a plan in each format, with figures counted by hand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.cells import cell_len
from torch import nn

import optplan
from optplan.app.memory import memory_of
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.memory import size_text
from optplan.reporters.show.view import show_report
from tests.conftest import Invoke
from tests.schema import validate


class Net(nn.Module):
    """A matrix of 5×256 floats, a bias of 5, and a frozen matrix of 5×5."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(256, 5)
        self.head = nn.Linear(5, 5, bias=False)
        self.head.requires_grad_(False)


def shown(kind: str = "Adam", processes: int | None = None, **more: Any) -> Selection:
    config = {"optim_wrapper": {"optimizer": {"type": kind, "lr": 0.5, **more}}}
    plan = optplan.make_plan(Net(), config)
    memory = memory_of(plan, plan.parameters, processes=processes)
    return Selection(plan=plan, rows=plan.parameters, memory=memory)


def report(given: Selection, form: TableFormat = TableFormat.TEXT, **more: Any) -> str:
    return show_report(ShowView.MEMORY, given, form, **more)


def test_in_a_pipe() -> None:
    lines = [" ".join(line.split()) for line in report(shown()).splitlines()]
    assert (
        "lr 0.5 weight_decay 0 float32 3 1.31 k 5.12 KiB 5.02 KiB 10.0 KiB 20.2 KiB step, exp_avg, exp_avg_sq"
        in lines
    )
    assert "20.2 KiB = parameters 5.12 KiB + gradients 5.02 KiB + optimizer state 10.0 KiB" in lines
    assert "state of Adam: found by stepping the class on tensors without memory" in lines


def test_outside_of_groups() -> None:
    model = Net()
    plan = optplan.Plan.from_optimizer(model, torch.optim.Adam([model.fc.weight], lr=0.5))
    memory = memory_of(plan, plan.parameters)
    text = report(Selection(plan=plan, rows=plan.parameters, memory=memory))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "frozen, in no group float32 1 25 100 B 0 B 0 B 100 B" in lines
    assert "uncovered, in no group float32 1 5 20 B 20 B 0 B 40 B" in lines


@pytest.mark.parametrize("width", [50, 80])
def test_in_a_terminal(width: int) -> None:
    text = report(shown(processes=2), width=width)
    wide = [line for line in text.splitlines() if cell_len(line) > width]
    assert wide == []
    assert "1/2" in text


def test_as_json() -> None:
    found = json.loads(report(shown(processes=2), TableFormat.JSON))
    validate(found, "memory-view-1.0")
    first = found["rows"][0]
    # 3 of 5 rows on the first process, 2 on the last; both store 3
    assert first["sharded_parameter_bytes"] == 4 * (3 * 256 + 3 + 3 * 5)
    assert first["sharded_gradient_bytes"] == 4 * (3 * 256 + 3)
    assert first["sharded_state_bytes"] == 2 * 4 * (3 * 256 + 3) + 2 * 4
    assert found["least_sharded"]["state_bytes"] == 2 * 4 * (2 * 256 + 2) + 2 * 4
    assert found["total"]["state_by_dtype"] == {"float32": 2 * 4 * 1285 + 2 * 4}


def test_as_csv() -> None:
    first, *rows = csv.reader(io.StringIO(report(shown(), TableFormat.CSV)))
    read = [dict(zip(first, row, strict=True)) for row in rows]
    assert [row["total_bytes"] for row in read] == [str(4 * 4 * 1285 + 8 + 100)]
    assert json.loads(read[0]["kept"]) == ["step", "exp_avg", "exp_avg_sq"]


def test_on_pages() -> None:
    assert "| 20.2 KiB |" in report(shown(), TableFormat.MD)
    page = report(shown(), TableFormat.HTML)
    assert f'data-order="{4 * 4 * 1285 + 8 + 100}"' in page
    assert "buffers, activations" in page


def test_other_shapes_are_not_known_when_sharded() -> None:
    found = json.loads(report(shown("TorchAdafactor", processes=2), TableFormat.JSON))
    assert found["rows"][0]["state_bytes"] == 4 * (5 + 256 + 5) + 2 * 4
    assert found["rows"][0]["sharded_state_bytes"] is None
    text = report(shown("TorchAdafactor", processes=2))
    assert "depends on the class: not known" in text


class Refuses(torch.optim.SGD):
    """Its step raises."""

    def step(self, closure: Any = None) -> Any:
        raise RuntimeError("no steps today")


def test_a_class_that_does_not_step() -> None:
    model = Net()
    plan = optplan.Plan.from_optimizer(model, Refuses(model.parameters(), lr=0.1))
    given = Selection(
        plan=plan, rows=plan.parameters, memory=memory_of(plan, plan.parameters, processes=2)
    )
    text = report(given)
    assert "state of Refuses: not known: RuntimeError: no steps today" in text
    assert "and optimizer state that is not known" in text
    assert json.loads(report(given, TableFormat.JSON))["total"]["total_bytes"] is None


def test_of_a_saved_plan(invoke: Invoke, tmp_path: Path) -> None:
    saved = tmp_path / "plan.json"
    made = "show sample_configs/bag_of_tricks.py --model resnet18 --format json"
    invoke(*made.split(), "--output", saved)
    words = ["show", saved, "--view", "memory", "--world-size", "4"]
    done = invoke(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sharded over 4 processes as FSDP2 does" in done.stdout
    refused = invoke(*words, "--batch-size", "4")
    assert refused.returncode == 2


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536 * 1024, "1.50 MiB"),
        (None, "not known"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    assert size_text(size) == text
