"""The guard called by hand: what passes, what is named, what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from optplan import Plan, PlanGuard
from optplan.errors import MismatchError, PlanError

Change = Callable[[nn.Module, list[dict[str, Any]]], None]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)
        self.norm = nn.LayerNorm(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.head(self.norm(x))
        return made


def groups_of(model: nn.Module) -> list[dict[str, Any]]:
    return [
        {"params": [model.get_parameter("head.weight")], "weight_decay": 0.1},
        {
            "params": [
                model.get_parameter(name) for name in ("head.bias", "norm.weight", "norm.bias")
            ],
            "weight_decay": 0.0,
        },
    ]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model, path = Net(), tmp_path / "plan.json"
    optimizer = torch.optim.AdamW(groups_of(model), lr=1e-3)
    path.write_text(Plan.from_optimizer(model, optimizer).to_json())
    return path


def test_an_equal_training_passes(saved: Path) -> None:
    model, before = Net(), saved.read_text()
    PlanGuard(saved)(model, torch.optim.AdamW(groups_of(model), lr=1e-3))
    assert saved.read_text() == before


def lr(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    groups[1]["lr"] = 5e-4


def decay(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    groups[0]["weight_decay"] = 0.0


def moved(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    groups[0]["params"].append(groups[1]["params"].pop())


def option(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    groups[0]["betas"] = (0.9, 0.95)


def frozen(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    model.get_parameter("norm.bias").requires_grad_(False)


def left_out(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    groups[1]["params"].pop(0)


CHANGES: dict[Change, tuple[str, str]] = {
    lr: ("norm.weight", "lr is 0.0005, planned 0.001"),
    decay: ("head.weight", "weight_decay is 0.0, planned 0.1"),
    moved: ("norm.bias", "in group 0, planned in group 1"),
    frozen: ("norm.bias", "frozen, planned trainable"),
    left_out: ("head.bias", "in no group, planned in group 1"),
}


@pytest.mark.parametrize(
    ("change", "name", "what"),
    [
        *((change, *told) for change, told in CHANGES.items()),
        (option, "head.weight", "betas is (0.9, 0.95), planned (0.9, 0.999)"),
    ],
)
def test_each_change_is_named(
    saved: Path, change: Callable[[nn.Module, Any], None], name: str, what: str
) -> None:
    model = Net()
    groups = groups_of(model)
    change(model, groups)
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    with pytest.raises(MismatchError) as caught:
        PlanGuard(saved)(model, optimizer)
    found = {name for problem in caught.value.problems for name in problem.parameters}
    assert name in found
    assert what in str(caught.value)
    with pytest.warns(UserWarning, match="departs from") as warned:
        PlanGuard(saved, on_mismatch="warn")(model, optimizer)
    assert name in str(warned[0].message)


def test_another_class_is_named(saved: Path) -> None:
    model = Net()
    with pytest.raises(MismatchError, match=r"torch\.optim\.adam\.Adam, planned .*AdamW"):
        PlanGuard(saved)(model, torch.optim.Adam(groups_of(model), lr=1e-3))


def test_a_missing_plan_is_an_error_or_written(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "plan.json"
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(PlanError, match="there is no plan"):
        PlanGuard(path)(model, optimizer)
    assert not path.exists()
    PlanGuard(path, if_missing="write")(model, optimizer)
    assert Plan.from_json(path.read_text()) == Plan.from_optimizer(model, optimizer)
    assert list(path.parent.iterdir()) == [path]
    optimizer.param_groups[0]["lr"] = 0.2
    with pytest.raises(MismatchError, match=r"lr is 0\.2, planned 0\.1"):
        PlanGuard(path, if_missing="write")(model, optimizer)


def test_a_scheduler_that_has_moved_the_lr_is_no_mismatch(saved: Path) -> None:
    model = Net()
    optimizer = torch.optim.AdamW(groups_of(model), lr=1e-3)
    torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1)
    assert optimizer.param_groups[0]["lr"] == 1e-4
    PlanGuard(saved)(model, optimizer)


def test_what_it_is_given_is_checked(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="on_mismatch must be one of 'raise', 'warn', got 'ignore'"
    ):
        PlanGuard(saved, on_mismatch="ignore")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="if_missing"):
        PlanGuard(saved, if_missing=True)  # type: ignore[arg-type]
    model = Net()
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(PlanError):
        PlanGuard(tmp_path / "other.json")(model, torch.optim.SGD(model.parameters(), lr=1))


UNREADY: dict[str, tuple[Callable[[Net, Any], tuple[Any, Any]], str]] = {
    "nothing": (lambda net, _: (net, None), "no optimizer to compare but nothing"),
    "an empty list": (lambda net, _: (net, []), "no optimizer to compare but an empty list"),
    "a class": (lambda net, _: (net, torch.optim.SGD), "no optimizer to compare but a value of"),
    "a config": (lambda net, _: (net, {"type": "SGD"}), "no optimizer to compare but a value of"),
    "a scheduler": (
        lambda net, made: (net, torch.optim.lr_scheduler.StepLR(made, 1)),
        "no optimizer to compare but a scheduler alone",
    ),
    "the other way round": (
        lambda net, made: (made, net),
        r"no model to compare but AdamW \(the model comes first",
    ),
    "no model": (lambda _, made: (None, made), "no model to compare but nothing"),
    "no optimizer but the model": (lambda net, _: (net, net), "the model comes first"),
}


@pytest.mark.parametrize("case", UNREADY)
def test_what_is_not_there_yet_is_named(saved: Path, tmp_path: Path, case: str) -> None:
    net = Net()
    given, message = UNREADY[case]
    for guard in (PlanGuard(saved), PlanGuard(tmp_path / "new.json", if_missing="write")):
        with pytest.raises(PlanError, match=message) as caught:
            guard(*given(net, torch.optim.AdamW(groups_of(net), lr=1e-3)))
        assert not isinstance(caught.value, MismatchError)
    assert not (tmp_path / "new.json").exists()


def test_an_optimizer_of_another_copy_of_the_model(saved: Path) -> None:
    stale = torch.optim.AdamW(groups_of(Net()), lr=1e-3)
    with pytest.raises(MismatchError, match="has none of the model's parameters: head") as caught:
        PlanGuard(saved)(Net(), stale)
    assert "after that is moved, sharded or copied" in str(caught.value)
