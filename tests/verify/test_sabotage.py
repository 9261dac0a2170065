"""Whatever is not as planned is found, and the right parameters are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from optplan.app.planning import build_optimizers, make_plan
from optplan.names import Status
from optplan.plan import Plan
from optplan.verify.bench import TrainingSource
from optplan.verify.results import Mismatch, Movement, Verification
from optplan.verify.subject import NamedOptimizer
from tests.verify.given import Cnn, Matrices, config, source, verified


def deviating(found: Verification) -> set[str]:
    """Who did not move as planned in float64."""
    return {one.name for one in found.parameters if one.exact.movement is Movement.DEVIATES}


def sabotaged(
    change: Callable[[nn.Module, Optimizer], Optimizer | None],
    model: Callable[[], nn.Module] = Cnn,
    **arguments: Any,
) -> TrainingSource:
    """A constructor whose optimizer is changed behind its back."""
    made = config(**{"momentum": 0.9, **arguments})

    def optimizers(module: nn.Module) -> list[NamedOptimizer]:
        ((_, optimizer),) = build_optimizers(module, made)
        return [NamedOptimizer(name=None, optimizer=change(module, optimizer) or optimizer)]

    return TrainingSource(
        plan=make_plan(model(), made), make_model=model, make_optimizers=optimizers
    )


class IgnoresGroups(torch.optim.SGD):
    """Takes its own lr for every group."""

    def step(self, closure: Any = None) -> Any:
        kept = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = self.defaults["lr"]
        super().step(closure)
        for group, lr in zip(self.param_groups, kept, strict=True):
            group["lr"] = lr


class IgnoresGroupsTogether(IgnoresGroups):
    """The same, with a bound on the norm of all gradients."""

    def step(self, closure: Any = None) -> Any:
        parameters = [one for group in self.param_groups for one in group["params"]]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        return super().step(closure)


class ClipsTogether(torch.optim.SGD):
    """Couples all of its parameters, as LAMB does."""

    def step(self, closure: Any = None) -> Any:
        parameters = [one for group in self.param_groups for one in group["params"]]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        return super().step(closure)


class SkipsThird(torch.optim.SGD):
    """Forgets one of its parameters."""

    def step(self, closure: Any = None) -> Any:
        parameters = [one for group in self.param_groups for one in group["params"]]
        if len(parameters) > 3:
            parameters[3].grad = None
        return super().step(closure)


class NeverMoves(torch.optim.SGD):
    """Does nothing, alone or not."""

    def step(self, closure: Any = None) -> Any:
        return None


class MovesFrozen(torch.optim.SGD):
    """Decays what has no gradient, too."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if not one.requires_grad:
                    one.mul_(0.999)
        return super().step(closure)


def test_an_optimizer_that_ignores_its_groups_lr() -> None:
    found = verified(source(Cnn, config(IgnoresGroups)))
    assert [one.what for one in found.mismatches] == ["closure"]  # whose loss it does not return
    # a change of lr after construction has no effect on any of them
    assert deviating(found) == {one.name for one in found.parameters}
    reasons = {one.name: one.exact.reason for one in found.parameters}
    assert "after lr and weight decay were changed" in reasons["norm.weight"]
    assert reasons["stem.bias"].startswith("moved by 0.0")
    measured = {one.name: one.measured.lr for one in found.parameters}
    assert measured["head.weight"] == pytest.approx(0.01)
    assert measured["norm.weight"] == pytest.approx(0.01)
    decays = {one.name: one.measured.weight_decay for one in found.parameters}
    assert decays["head.weight"] == pytest.approx(0.1)  # of the lr that was seen


def test_the_same_in_an_optimizer_that_couples_its_parameters() -> None:
    """A joint run of such a class would ignore them just as well; the formula of SGD does not."""
    found = verified(source(Cnn, config(IgnoresGroupsTogether)))
    assert deviating(found) == {one.name for one in found.parameters}
    assert "differs from the formula of SGD" in found.against_plan[0].exact.reason


def test_a_class_derived_from_sgd_that_clips_is_not_sgd() -> None:
    """The plan says SGD, and gradients that are clipped behind its back are no part of that."""
    found = verified(source(Cnn, config(ClipsTogether, momentum=0.9)))
    assert deviating(found) == {one.name for one in found.parameters if one.lr}


class ClipsByOption(torch.optim.SGD):
    """The same, by an option of its own that the plan shows."""

    def __init__(self, params: Any, lr: float, weight_decay: float, max_norm: float = 1.0) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        self.defaults["max_norm"] = max_norm
        for group in self.param_groups:
            group.setdefault("max_norm", max_norm)

    def step(self, closure: Any = None) -> Any:
        parameters = [one for group in self.param_groups for one in group["params"]]
        nn.utils.clip_grad_norm_(parameters, self.defaults["max_norm"])
        return super().step(closure)


def test_an_option_that_no_formula_knows_makes_a_formula_of_its_own() -> None:
    found = verified(source(Cnn, config(ClipsByOption)))
    assert found.matches
    (oracle,) = found.oracles
    assert (oracle.formula, oracle.reason) == (None, "max_norm is no part of the formula of SGD")


def test_a_constructor_that_swaps_two_groups() -> None:
    def swap(_: nn.Module, optimizer: Optimizer) -> None:
        groups = optimizer.param_groups
        groups[2], groups[8] = groups[8], groups[2]

    found = verified(sabotaged(swap))
    assert found.mismatches == (
        Mismatch(what="group", planned="group 2", built="group 8", parameters=("norm.weight",)),
        Mismatch(what="group", planned="group 8", built="group 2", parameters=("head.weight",)),
    )
    assert deviating(found) == set()  # they took their values with them


def test_a_constructor_that_swaps_the_members_of_two_groups() -> None:
    def swap(_: nn.Module, optimizer: Optimizer) -> None:
        first, second = optimizer.param_groups[4], optimizer.param_groups[8]
        first["params"], second["params"] = second["params"], first["params"]

    found = verified(sabotaged(swap))
    assert (
        Mismatch(what="lr", planned=0.01, built=0.1, parameters=("body.0.weight",))
        in found.mismatches
    )
    assert (
        Mismatch(what="lr", planned=0.1, built=0.01, parameters=("head.weight",))
        in found.mismatches
    )
    assert deviating(found) == {"body.0.weight", "head.weight"}


class PartlyFrozen(Cnn):
    """The stem is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.stem.requires_grad_(False)


def test_a_frozen_parameter_put_into_a_group() -> None:
    def add(module: nn.Module, optimizer: Optimizer) -> None:
        optimizer.add_param_group({"params": [module.get_parameter("stem.bias")], "lr": 0.5})

    found = verified(sabotaged(add, PartlyFrozen))
    assert found.mismatches == (
        Mismatch(
            what="coverage",
            planned="frozen, in no group",
            built="group 8",
            parameters=("stem.bias",),
        ),
    )
    assert not found.matches
    assert deviating(found) == set()  # without a gradient it stands still


def test_an_optimizer_that_moves_what_is_frozen() -> None:
    made = config(MovesFrozen, {})
    found = verified(source(PartlyFrozen, made))
    assert found.mismatches == ()
    assert deviating(found) == {"stem.weight", "stem.bias"}


def with_value(plan: Plan, name: str, **values: Any) -> Plan:
    """The plan with another value of one parameter."""
    rows = tuple(row._replace(**values) if row.name == name else row for row in plan.parameters)
    return replace(plan, parameters=rows)


@pytest.mark.parametrize("kind", ["SGD", "AdamW", "Adam", "RMSprop", "timm:lion"])
@pytest.mark.parametrize("what", ["lr", "weight_decay"])
@pytest.mark.parametrize("decay", [0.1, 1e-5])
def test_a_plan_with_one_value_changed_by_a_hundredth(kind: str, what: str, decay: float) -> None:
    made = config(kind, weight_decay=decay)
    plan = make_plan(Cnn(), made)
    planned = next(row for row in plan.parameters if row.name == "body.0.weight")
    value = getattr(planned, what)
    found = verified(source(Cnn, made, with_value(plan, "body.0.weight", **{what: value * 1.01})))
    assert found.mismatches == (
        Mismatch(what=what, planned=value * 1.01, built=value, parameters=("body.0.weight",)),
    )
    assert deviating(found) == {"body.0.weight"}
    assert not found.matches


def test_a_value_of_an_optimizer_that_rounds_inside() -> None:
    """Muon multiplies matrices in bfloat16."""
    made = config("Muon", {})
    plan = make_plan(Matrices(), made)
    found = verified(source(Matrices, made, with_value(plan, "first.weight", lr=0.0101)))
    assert deviating(found) == {"first.weight"}


def test_a_momentum_changed_by_a_hundredth() -> None:
    made = config(momentum=0.9)
    plan = make_plan(Cnn(), made)
    wrong = with_value(plan, "norm.bias", options={"momentum": 0.909})
    found = verified(source(Cnn, made, wrong))
    assert [one.what for one in found.mismatches] == ["momentum"]
    assert deviating(found) == {"norm.bias"}


def test_an_optimizer_that_skips_one_parameter() -> None:
    found = verified(source(Cnn, config(SkipsThird)))
    assert deviating(found) == {"norm.bias"}
    assert found.against_plan[0].exact.reason == "did not move (differs from the formula of SGD)"
    assert found.coupled == ()


def test_a_class_that_moves_nothing_keeps_to_no_plan() -> None:
    found = verified(source(Cnn, config(NeverMoves)))
    assert deviating(found) == {one.name for one in found.parameters if one.lr}
    assert found.against_plan[0].exact.reason == ("did not move (differs from the formula of SGD)")


def test_a_parameter_that_is_missing_and_one_that_is_not_the_models() -> None:
    def drop(_: nn.Module, optimizer: Optimizer) -> None:
        optimizer.param_groups[3]["params"] = [nn.Parameter(torch.ones(2))]

    found = verified(sabotaged(drop))
    assert found.mismatches == (
        Mismatch(
            what="coverage",
            planned="the model's parameters",
            built="1 tensor in group 3, none of the model's",
        ),
        Mismatch(
            what="coverage", planned="group 3", built="in no group", parameters=("norm.bias",)
        ),
    )
    assert deviating(found) == {"norm.bias"}


def test_an_option_of_all_groups() -> None:
    def other(_: nn.Module, optimizer: Optimizer) -> Optimizer:
        groups = [{**group, "momentum": 0.5} for group in optimizer.param_groups]
        return torch.optim.SGD(groups, lr=0.01, momentum=0.5, weight_decay=0.1)

    found = verified(sabotaged(other))
    (mismatch,) = found.mismatches
    assert (mismatch.what, mismatch.planned, mismatch.built) == ("momentum", 0.9, 0.5)
    assert mismatch.parameters == tuple(row.name for row in found.plan.parameters)
    assert deviating(found) == {row.name for row in found.plan.parameters if row.lr}


def test_a_model_that_the_saved_plan_is_not_of() -> None:
    class Other(Cnn):
        def __init__(self) -> None:
            super().__init__()
            self.neck = nn.Linear(8, 8)
            self.head = nn.Linear(8, 6)

    made = config()
    found = verified(source(Other, made, make_plan(Cnn(), made)))
    assert [(one.what, one.parameters) for one in found.mismatches] == [
        ("model", ("neck.weight", "neck.bias")),
        ("shape", ("head.weight",)),
        ("shape", ("head.bias",)),
    ]


def test_requires_grad_that_the_plan_does_not_have() -> None:
    made = config(momentum=0.9)
    plan = make_plan(Cnn(), made)
    found = verified(source(PartlyFrozen, made, plan))
    status = next(one for one in found.mismatches if one.what == "status")
    assert status == Mismatch(
        what="status", planned="trainable", built="frozen", parameters=("stem.weight", "stem.bias")
    )
    assert all(row.status is Status.OPTIMIZED for row in plan.parameters)
