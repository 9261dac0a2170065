"""The Python API besides what the comparison with the reference covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import optplan
from optplan.errors import PlanError


def test_a_class_as_type() -> None:
    section = {"type": torch.optim.SGD, "lr": 0.1}
    plan = optplan.make_plan(nn.Linear(2, 2), {"optimizer": section})
    assert (plan.optimizers[0].type, plan.optimizers[0].class_name) == (
        "SGD",
        "torch.optim.sgd.SGD",
    )
    with pytest.raises(PlanError, match="'Linear' is not an optimizer class"):
        optplan.make_plan(nn.Linear(2, 2), {"optimizer": {"type": nn.Linear}})


@pytest.mark.parametrize(
    "paramwise", [{"bias_lr_mult": -1}, {"custom_keys": {"w": {"lr": -1}}}, {"bias_lr_mult": 1e999}]
)
def test_build_optimizer_refuses_what_make_plan_refuses(paramwise: dict[str, Any]) -> None:
    config = {"optimizer": {"type": "SGD", "lr": 0.1, "paramwise_cfg": paramwise}}
    messages = []
    for make in (optplan.make_plan, optplan.build_optimizer):
        with pytest.raises(optplan.OptplanError) as raised:
            make(nn.Linear(2, 2), config)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


def test_model_and_config_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1), paramwise_cfg=dict(bias_lr_mult=2))"
    )
    config = optplan.load_config(tmp_path / "a.py")
    plan = optplan.make_plan(
        "torch.nn:Linear", config, model_arguments={"in_features": 1, "out_features": 1}
    )
    assert [(row.name, row.lr) for row in plan.parameters] == [("weight", 0.1), ("bias", 0.2)]
    assert plan.model.spec == "torch.nn:Linear"


def test_the_section_itself_is_a_config() -> None:
    model = nn.Linear(2, 2)
    whole = {
        "optim_wrapper": {
            "optimizer": {"type": "SGD", "lr": 1.0},
            "paramwise_cfg": {"bias_lr_mult": 2},
        }
    }
    inner = {"type": "OptimWrapper", **whole["optim_wrapper"]}
    assert optplan.make_plan(model, inner) == optplan.make_plan(model, whole)
    assert optplan.make_plan(model, {"type": "SGD", "lr": 1.0}).parameters[1].lr == 1.0


def test_nothing_of_the_users_is_changed() -> None:
    config = {
        "optimizer": {
            "type": "SGD",
            "lr": 0.1,
            "paramwise_cfg": {"custom_keys": {"w": {"lr_mult": 2}}},
        }
    }
    copy = {
        "optimizer": {
            "type": "SGD",
            "lr": 0.1,
            "paramwise_cfg": {"custom_keys": {"w": {"lr_mult": 2}}},
        }
    }
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).eval()
    model[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optplan.make_plan(model, config)
    optplan.build_optimizer(model, config)
    assert config == copy
    assert [p.requires_grad for p in model.parameters()] == [False, True, True, True]
    assert all(p.grad is None and not p.is_meta for p in model.parameters())
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_optimizer_without_decay_has_none() -> None:
    plan = optplan.make_plan(nn.Linear(2, 2), {"optimizer": {"type": "LBFGS", "lr": 1}})
    assert {(row.lr, row.weight_decay, row.weight_decay_rule) for row in plan.parameters} == {
        (1, None, None)
    }


def test_zero_redundancy_plans_its_inner_class() -> None:
    section = {
        "type": "ZeroRedundancyOptimizer",
        "optimizer_type": "AdamW",
        "lr": 0.1,
        "weight_decay": 0.2,
    }
    plan = optplan.make_plan(nn.Linear(2, 2), {"optimizer": section})
    assert plan.optimizers[0].class_name == "torch.optim.adamw.AdamW"
    assert {(row.lr, row.weight_decay) for row in plan.parameters} == {(0.1, 0.2)}


def test_registered_optimizers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optplan.OPTIMIZERS, "_entries", dict(optplan.OPTIMIZERS.module_dict))

    @optplan.OPTIMIZERS.register_module("OptplanTestSGD")
    class Mine(torch.optim.SGD):
        pass

    plan = optplan.make_plan(nn.Linear(2, 2), {"optimizer": {"type": "OptplanTestSGD", "lr": 0.5}})
    assert plan.optimizers[0].class_name.endswith("Mine")
    assert Mine is optplan.OPTIMIZERS.get("OptplanTestSGD")
    with pytest.raises(KeyError, match="'OptplanTestSGD' is already a registered optimizer"):
        optplan.OPTIMIZERS.register_module("OptplanTestSGD", module=torch.optim.Adam)
    optplan.OPTIMIZERS.register_module("OptplanTestSGD", force=True, module=torch.optim.Adam)
    assert optplan.OPTIMIZERS.get("OptplanTestSGD") is torch.optim.Adam


def test_registry_is_what_the_reference_registers() -> None:
    from tests.reference import torch_optimizers

    assert set(torch_optimizers()) <= set(optplan.OPTIMIZERS)


def test_the_parameters_go_in_as_the_first_argument() -> None:
    class Named(torch.optim.SGD):
        def __init__(self, model_params: Any, lr: float = 0.1) -> None:
            super().__init__(model_params, lr=lr)

    config = {"optimizer": {"type": Named, "lr": 0.5}}
    assert optplan.make_plan(nn.Linear(2, 2), config).parameters[0].lr == 0.5
    assert isinstance(optplan.build_optimizer(nn.Linear(2, 2), config), Named)


def test_what_the_class_makes_of_a_group_is_what_the_plan_says() -> None:
    class Halving(torch.optim.SGD):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, lr=lr)
            for group in self.param_groups:
                group["lr"] /= 2

    plan = optplan.make_plan(nn.Linear(2, 2), {"optimizer": {"type": Halving, "lr": 0.5}})
    assert {row.lr for row in plan.parameters} == {0.25}


def test_a_registry_builds_as_the_references_does() -> None:
    parameters = list(nn.Linear(2, 2).parameters())
    built = optplan.OPTIMIZERS.build({"type": "SGD", "lr": 0.5}, params=parameters)
    assert (type(built), built.param_groups[0]["lr"]) == (torch.optim.SGD, 0.5)
    with pytest.raises(optplan.OptplanError, match="there is no optimizer 'Nothing'"):
        optplan.OPTIMIZERS.build({"type": "Nothing"})
