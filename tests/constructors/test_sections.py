"""Several optimizer sections by name, each for the child of the model that has its name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from optplan import build_optimizer, build_optimizers, make_plan
from optplan.app.planning import plan_with_facts
from optplan.errors import ConfigError, PlanError
from optplan.plan.explanation import explain


class Gan(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3))
        self.discriminator = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
        self.scale = nn.Parameter(torch.ones(()))


GENERATOR = {"type": "Adam", "lr": 1e-4, "betas": (0.5, 0.9)}
DISCRIMINATOR = {"type": "SGD", "lr": 0.1, "weight_decay": 0.01}
OPTIONS: dict[str, Any] = {"norm_decay_mult": 0.0, "custom_keys": {"0.b": {"lr_mult": 2}}}

OLDER = {
    "optimizer": {
        "generator": GENERATOR,
        "discriminator": {**DISCRIMINATOR, "paramwise_cfg": OPTIONS},
    }
}
NEWER = {
    "optim_wrapper": {
        "generator": {"type": "OptimWrapper", "optimizer": GENERATOR},
        "discriminator": {"optimizer": DISCRIMINATOR, "paramwise_cfg": OPTIONS},
    }
}


@pytest.mark.parametrize("config", [OLDER, NEWER], ids=["older", "newer"])
def test_each_section_has_its_child(config: dict[str, Any]) -> None:
    plan = make_plan(Gan(), config)
    assert [(o.name, o.type, o.lr) for o in plan.optimizers] == [
        ("generator", "Adam", 1e-4),
        ("discriminator", "SGD", 0.1),
    ]
    got = {r.name: (r.optimizer, r.group, r.lr, r.weight_decay) for r in plan.parameters}
    assert got == {
        "scale": (None, None, None, None),
        "generator.0.weight": (0, 0, 1e-4, 0),
        "generator.0.bias": (0, 0, 1e-4, 0),
        "generator.1.weight": (0, 0, 1e-4, 0),
        "generator.1.bias": (0, 0, 1e-4, 0),
        "discriminator.0.weight": (1, 0, 0.1, 0.01),
        "discriminator.0.bias": (1, 1, 0.2, 0.01),
        "discriminator.1.weight": (1, 2, 0.1, 0.0),
        "discriminator.1.bias": (1, 3, 0.1, 0.0),
    }
    assert plan.parameters[0].status.value == "uncovered"
    assert [(s.optimizer, s.parameters) for s in plan.settings] == [(0, 4), (1, 1), (1, 1), (1, 2)]


def test_built_as_planned() -> None:
    model = Gan()
    built = build_optimizers(model, OLDER)
    assert [(name, type(one)) for name, one in built] == [
        ("generator", torch.optim.Adam),
        ("discriminator", torch.optim.SGD),
    ]
    plan = make_plan(model, OLDER)
    for row in plan.parameters[1:]:
        group = built[row.optimizer or 0][1].param_groups[row.group or 0]
        assert model.get_parameter(row.name) in set(group["params"])
        assert (group["lr"], group["weight_decay"]) == (row.lr, row.weight_decay)
    with pytest.raises(PlanError, match="the config makes 2 optimizers"):
        build_optimizer(model, OLDER)


def test_explained_by_the_section() -> None:
    made = plan_with_facts(Gan(), OLDER)
    bias, scale = (explain(made, [name])[0] for name in ("discriminator.0.bias", "scale"))
    assert (bias.row.name, bias.match_name) == ("discriminator.0.bias", "0.bias")
    assert (bias.values[0].use.key, bias.values[0].base) == ("0.b", 0.1)
    assert scale.note == "trainable, but in no optimizer: it is not below generator, discriminator"


def test_the_model_has_no_such_part() -> None:
    config = {"optimizer": {"generatr": GENERATOR, "discriminator": DISCRIMINATOR}}
    with pytest.raises(PlanError, match=r"the section 'generatr' .*did you mean 'generator'\?"):
        make_plan(Gan(), config)


def test_a_shared_part() -> None:
    model = Gan()
    model.discriminator[0] = nn.Linear(4, 3)
    model.discriminator[0].weight = model.generator[0].weight
    with pytest.raises(PlanError, match=r"in several optimizers: generator\.0\.weight"):
        make_plan(model, OLDER)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"optimizer": {"a": {"type": "SGD", "lr": "x"}}}, "lr must be a number"),
        ({"optim_wrapper": {"optimzer": {"type": "SGD", "lr": 1}}}, "has no 'optimizer'"),
        ({"optim_wrapper": {"a": {"type": "SGD", "lr": 1}, "b": 3}}, "has no 'optimizer'"),
        ({"optimizer": {"a": {"lr": 1}}}, "the optimizer has no 'type'"),
    ],
)
def test_refused(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_plan(Gan(), section)
