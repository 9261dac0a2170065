"""The guard inside each trainer: an unchanged training runs, a changed one ends with the parameter's name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from optplan import Plan, PlanGuard
from optplan.errors import MismatchError
from tests.guard.test_plan_guard import decay, frozen, left_out, lr, moved, option

# One option of a group, one parameter in another group or in none, one frozen.
SAVED = {lr: "norm.weight", decay: "head.weight", option: "head.weight"}
CHANGES = {**SAVED, moved: "norm.bias", left_out: "head.bias", frozen: "norm.bias"}


def no_change(model: Any, groups: Any) -> None:
    pass


pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=["huggingface", "lightning", "mmengine", "accelerate"])
def train(request: pytest.FixtureRequest) -> Any:
    """Train with one of the trainers, which are imported only here."""
    return getattr(import_module("tests.guard.trainers"), request.param)


def test_unchanged_passes_and_changed_is_named(train: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    train(tmp_path, PlanGuard(path, if_missing="write"), no_change)
    names = [row.name for row in Plan.from_json(path.read_text()).parameters]
    assert names == ["net.head.weight", "net.head.bias", "net.norm.weight", "net.norm.bias"]
    train(tmp_path, PlanGuard(path), no_change)
    for change, name in CHANGES.items():
        with pytest.raises(MismatchError, match=name):
            train(tmp_path, PlanGuard(path), change)


def test_on_resume_too(train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # mmengine's checkpoints hold more
    path = tmp_path / "plan.json"
    train(tmp_path, PlanGuard(path, if_missing="write"), no_change)
    train(tmp_path, PlanGuard(path), no_change, resume=True)
    train(tmp_path, PlanGuard(path), no_change)
    changed = path.read_text().replace('"weight_decay": 0.1', '"weight_decay": 0.2')
    path.write_text(changed)
    with pytest.raises(MismatchError, match=r"net\.head\.weight"):
        train(tmp_path, PlanGuard(path), no_change, resume=True)


def test_what_a_checkpoint_changes_is_named(
    train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # mmengine's checkpoints hold more
    path = tmp_path / "plan.json"
    train(tmp_path / "plain", PlanGuard(path, if_missing="write"), no_change)
    for change, name in SAVED.items():
        folder = tmp_path / change.__name__
        train(folder, PlanGuard(path, on_mismatch="warn"), change)
        # the code is as planned again, and what is loaded is not
        with pytest.raises(MismatchError, match=name):
            train(folder, PlanGuard(path), no_change, resume=True)
    with pytest.raises(MismatchError, match=r"norm\.bias: frozen, planned"):
        train(tmp_path / "plain", PlanGuard(path), frozen, resume=True)
