"""Options of every kind that a checkpoint overwrites: what ``diff`` names is what torch's own loading changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.conftest import Invoke
from tests.schema import validate

MAKE = """\
from torch import nn, optim

def net():
    return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))

def make(net, kind="SGD", **options):
    return getattr(optim, kind)(net.parameters(), **options)
"""
# For each class what was saved, and what the training that goes on is made with.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "SGD": (
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True, "foreach": False},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.1},
    ),
    "AdamW": (
        {"lr": 0.1, "eps": 1e-6, "amsgrad": True, "foreach": True},
        {"lr": 0.1, "eps": 1e-7, "maximize": True},
    ),
    "Adam": ({"lr": 0.1, "eps": 1e-6, "differentiable": True}, {"lr": 0.1, "betas": (0.8, 0.9)}),
    "RMSprop": ({"lr": 0.1, "alpha": 0.9, "centered": True}, {"lr": 0.1, "momentum": 0.5}),
    "Adagrad": ({"lr": 0.1, "lr_decay": 0.1, "eps": 1e-9}, {"lr": 0.1}),
    "Adadelta": ({"lr": 0.1, "rho": 0.8}, {"lr": 0.1, "eps": 1e-4}),
    "Rprop": ({"lr": 0.1, "etas": (0.4, 1.3)}, {"lr": 0.1, "step_sizes": (1e-5, 10.0)}),
    "ASGD": ({"lr": 0.1, "lambd": 0.1, "t0": 10.0}, {"lr": 0.1, "alpha": 0.5}),
    "NAdam": ({"lr": 0.1, "momentum_decay": 0.1}, {"lr": 0.1, "decoupled_weight_decay": True}),
}


def made(kind: str, options: dict[str, Any]) -> tuple[nn.Module, torch.optim.Optimizer]:
    net = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
    optimizer: torch.optim.Optimizer = getattr(torch.optim, kind)(net.parameters(), **options)
    return net, optimizer


def entries(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    (group,) = optimizer.param_groups
    return {name: value for name, value in group.items() if name != "params"}


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


@pytest.mark.parametrize("kind", CASES)
def test_each_option_is_told_as_loading_changes_it(
    kind: str, tmp_path: Path, invoke: Invoke
) -> None:
    old, new = CASES[kind]
    (tmp_path / "train.py").write_text(MAKE)
    net, optimizer = made(kind, old)
    torch.save(
        {"state_dict": net.state_dict(), "optimizer": optimizer.state_dict()},
        tmp_path / "last.pth",
    )
    given = [
        word for pair in {"kind": kind, **new}.items() for word in ("-a", "{}={}".format(*pair))
    ]
    words = ("train.py:make", "last.pth", "-m", "train.py:net", *given)
    done = invoke("diff", *words, "-f", "json", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    data = json.loads(done.stdout)
    validate(data, "diff-1.0")
    assert data["misfits"] == []

    _, fresh = made(kind, new)
    before = entries(fresh)
    fresh.load_state_dict(torch.load(tmp_path / "last.pth")["optimizer"])
    after = entries(fresh)
    changed = {
        name: (plain(before[name]), plain(after[name]))
        for name in before
        if before[name] != after[name]
    }
    assert len(changed) >= 2
    told = {
        one["field"]: (plain(one.get("before")), plain(one.get("after")))
        for one in (*data["optimizers"], *data["clusters"])
        if one["field"] not in ("constructor", "type")
    }
    assert told == changed
    # what of the training's own words has no effect
    overwritten = {one["entry"] for one in data["resumption"]["overwritten"]}
    assert overwritten == changed.keys() & new.keys()
