"""Optimizers made quickly are those that torch makes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from optplan.verify.bench import quick_groups


def groups(count: int) -> list[dict[str, Any]]:
    return [{"params": [nn.Parameter(torch.ones(2))], "lr": 0.1 * n} for n in range(count)]


def test_the_groups_are_torchs() -> None:
    given = groups(4)
    plain = torch.optim.AdamW([dict(one) for one in given])
    with quick_groups():
        quick = torch.optim.AdamW([dict(one) for one in given])
    assert [{**one, "params": None} for one in quick.param_groups] == [
        {**one, "params": None} for one in plain.param_groups
    ]
    assert [one["params"][0] for one in quick.param_groups] == [one["params"][0] for one in given]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_parameter_in_two_groups_is_refused(place: int) -> None:
    given = groups(3)
    again = {"params": [given[place]["params"][0]]}
    with quick_groups(), pytest.raises(ValueError, match="appear in more than one parameter group"):
        torch.optim.SGD([*given, again], lr=0.1)


def test_torch_is_as_it_was_afterwards() -> None:
    before = torch.optim.Optimizer.add_param_group
    with quick_groups():
        assert torch.optim.Optimizer.add_param_group is not before
    assert torch.optim.Optimizer.add_param_group is before


def test_the_work_grows_with_the_number_of_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = [0]

    def counted(self: Tensor) -> int:
        hashed[0] += 1
        return id(self)

    monkeypatch.setattr(Tensor, "__hash__", counted)
    counts = []
    for count in (100, 400):
        hashed[0] = 0
        with quick_groups():
            torch.optim.SGD(groups(count), lr=0.1)
        counts.append(hashed[0])
    assert counts[1] <= 4 * counts[0] + 8
