"""Every optimizer that the reference has, by its registered name."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from optplan import OPTIMIZERS
from tests.agreement import assert_agrees
from tests.grid import Entries
from tests.reference import run_reference, torch_optimizers

# What each needs or does not take besides lr and weight_decay.
WITHOUT_DECAY = {"LBFGS", "Rprop", "SparseAdam"}


def model() -> nn.Module:
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(2, 3, bias=False), nn.Linear(3, 2, bias=False))


PARAMWISE: tuple[Entries | None, ...] = (
    None,
    {"bias_lr_mult": 2.0},
    {"custom_keys": {"0.": {"lr_mult": 0.1, "momentum": 0.5, "foo": 1, "betas": (0.5, 0.6)}}},
    {"custom_keys": {"1.": {"weight_decay": 0.3, "lr": 0.2, "eps": 1}}},
)


@pytest.mark.parametrize("name", torch_optimizers())
def test_agrees(name: str) -> None:
    for paramwise in PARAMWISE:
        assert_agrees(model(), {"type": name, "lr": 0.1}, paramwise)
        assert_agrees(model(), {"type": name, "lr": 0.1, "weight_decay": 0.25}, paramwise)
        assert_agrees(model(), {"type": name}, paramwise)


@pytest.mark.parametrize("name", torch_optimizers())
def test_the_reference_takes_most_of_this(name: str) -> None:
    optimizer = {"type": name, "lr": 0.1}
    assert not isinstance(run_reference(model(), optimizer, None), Exception)
    decaying = run_reference(model(), {**optimizer, "weight_decay": 0.25}, None)
    assert isinstance(decaying, Exception) == (name in WITHOUT_DECAY)


def test_the_names_are_the_same() -> None:
    assert set(torch_optimizers()) == set(OPTIMIZERS) - {"Optimizer"}
    assert "SGD" in torch_optimizers()
    assert ("TorchAdafactor" in torch_optimizers()) == hasattr(torch.optim, "Adafactor")
    assert "Adafactor" not in torch_optimizers()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_muon_takes_matrices_only() -> None:
    with torch.device("meta"):
        with_bias = nn.Linear(2, 3)
    outcome = assert_agrees(with_bias, {"type": "Muon", "lr": 0.1})
    assert isinstance(outcome, ValueError)
