"""What cannot be checked is named, and nothing checked is no proof."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from optplan.app.planning import make_plan
from optplan.constructors import OPTIMIZER_CONSTRUCTORS
from optplan.errors import VerifyError
from optplan.verify.results import Movement
from tests.verify.given import Cnn, Matrices, config, source, verified


def test_an_optimizer_that_needs_the_graph_is_given_it() -> None:
    found = verified(source(Cnn, config("timm:adahessian", {})))
    assert found.matches
    assert {one.exact.movement for one in found.parameters} == {Movement.MOVED}
    assert [one.formula for one in found.oracles] == [None]


def test_an_optimizer_that_wants_sparse_gradients() -> None:
    with pytest.raises(VerifyError, match="SparseAdam does not support dense gradients"):
        verified(source(Matrices, config("SparseAdam", {}, weight_decay=None)))


class TwoAtLeast(torch.optim.SGD):
    """Refuses a single parameter, unlike the model's."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        if sum(len(group["params"]) for group in self.param_groups) < 2:
            raise ValueError("one is not enough")


def test_a_class_that_takes_no_single_parameter() -> None:
    found = verified(source(Cnn, config(TwoAtLeast)))
    assert found.matches
    assert [one.formula for one in found.oracles] == ["SGD"]


class Pair:
    """Two optimizers: one for matrices, which cannot be stepped here, and one for all else."""

    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        self.lr = optim_wrapper_cfg["optimizer"]["lr"]

    def __call__(self, model: nn.Module) -> dict[str, torch.optim.Optimizer]:
        matrices = [one for one in model.parameters() if one.ndim == 2]
        others = [one for one in model.parameters() if one.ndim != 2]
        return {
            "matrices": torch.optim.SparseAdam(matrices, lr=self.lr),
            "others": torch.optim.SGD(others, lr=self.lr * 2),
        }


OPTIMIZER_CONSTRUCTORS.register_module("PairForVerify", module=Pair)


def test_two_optimizers_where_the_saved_plan_has_one() -> None:
    made = config("SGD", {}, weight_decay=None)
    plan = make_plan(Cnn(), made)
    made["optim_wrapper"]["constructor"] = "PairForVerify"
    found = verified(source(Cnn, made, plan))
    by_what = {one.what: one for one in found.mismatches}
    assert (by_what["optimizers"].planned, by_what["optimizers"].built) == (1, 2)
    assert by_what["optimizer"].built == "torch.optim.sparse_adam.SparseAdam"
    assert "head.weight" not in by_what["group"].parameters
    assert not found.matches


def test_one_of_two_optimizers_cannot_be_checked() -> None:
    made = config("SGD", {}, weight_decay=None)
    made["optim_wrapper"]["constructor"] = "PairForVerify"
    found = verified(source(Cnn, made))
    assert found.matches
    assert [one.name for one in found.unchecked] == ["head.weight"]
    assert "SparseAdam does not support dense" in found.unchecked[0].exact.reason
    moved = [one for one in found.parameters if one.name != "head.weight"]
    assert {one.exact.movement for one in moved} == {Movement.MOVED}
    assert [one.measured.lr for one in moved] == pytest.approx([0.02] * len(moved))


class Normed(torch.optim.Optimizer):
    """Steps by the direction of the gradient, which a gradient of 0 has not."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None:
                    one.mul_(1 - group["lr"] * group["weight_decay"])
                    one.sub_(group["lr"] * one.grad / one.grad.norm())


def test_a_step_that_the_class_itself_does_not_take_is_named() -> None:
    told = "not tried, since the class itself fails in it: a step in which every gradient is 0"
    assert told in verified(source(Cnn, config(Normed))).remarks
    assert told not in verified(source(Cnn, config("SGD"))).remarks
