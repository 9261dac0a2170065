"""What a guard costs: no operation on a tensor with memory, and a moment for a billion parameters."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from optplan import PlanGuard
from optplan.errors import MismatchError
from tests.guard.operations import Operations
from tests.guard.test_plan_guard import CHANGES, Net, groups_of


def test_what_is_noted() -> None:
    net = Net()
    with Operations() as noted:
        net.head.weight.detach().clone()
        assert net.head.bias.sum().item() is not None
        torch.empty(1, device="meta").add_(1)
    assert noted.names == [
        "aten.detach.default",
        "aten.clone.default",
        "aten.sum.default",
        "aten._local_scalar_dense.default",
    ]


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad])
def test_no_value_is_read_copied_or_made(kind: Any, tmp_path: Path) -> None:
    net, path = Net(), tmp_path / "plan.json"
    optimizer = kind(groups_of(net), lr=1e-3)
    net(torch.ones(1, 4)).sum().backward()
    optimizer.step()  # its state has values, too
    with Operations() as noted:
        PlanGuard(path, if_missing="write")(net, optimizer)
        PlanGuard(path)(net, optimizer)
    assert noted.names == []
    for change in CHANGES:
        other = Net()
        groups = groups_of(other)
        change(other, groups)
        made = kind(groups, lr=1e-3)
        with Operations() as noted, pytest.raises(MismatchError):
            PlanGuard(path)(other, made)
        assert noted.names == []


def test_a_billion_parameters_in_400_tensors_take_half_a_second(tmp_path: Path) -> None:
    with torch.device("meta"):
        net = nn.Sequential(*(nn.Linear(2236, 2236) for _ in range(200)))
    assert len(list(net.parameters())) == 400
    assert sum(one.numel() for one in net.parameters()) > 1_000_000_000
    groups = [{"params": [one], "weight_decay": 0.1 * (one.ndim > 1)} for one in net.parameters()]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    guard = PlanGuard(tmp_path / "plan.json", if_missing="write")
    guard(net, optimizer)
    taken = []
    for _ in range(3):
        start = time.process_time()
        guard(net, optimizer)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.5
