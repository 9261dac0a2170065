"""Plans of optimizers that exist, and what holds them against a plan."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

import optplan
from optplan import Plan, assert_matches, build_optimizer, make_plan
from optplan.errors import MismatchError, PlanError

CONFIG: dict[str, Any] = {
    "optim_wrapper": {
        "optimizer": {"type": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        "paramwise_cfg": {
            "norm_decay_mult": 0.0,
            "custom_keys": {"2": {"lr_mult": 0.1, "momentum": 0.5}},
        },
    }
}


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def parameters(model: nn.Module, *names: str) -> list[nn.Parameter]:
    return [model.get_parameter(name) for name in names]


def numbers(plan: Plan) -> list[Any]:
    rows = [
        (r.name, r.status, r.lr, r.weight_decay, r.effective_lr, r.options, r.group, r.setting)
        for r in plan.parameters
    ]
    bases = [(o.class_name, o.lr, o.weight_decay, o.options) for o in plan.optimizers]
    return [rows, plan.settings, bases]


def test_the_numbers_are_those_of_the_config() -> None:
    model = net()
    plan = make_plan(model, CONFIG)
    assert numbers(Plan.from_optimizer(model, build_optimizer(model, CONFIG))) == numbers(plan)
    assert [(row.name, row.lr) for row in plan.parameters][4:] == [
        ("2.weight", 0.1 * 0.1),
        ("2.bias", 0.1 * 0.1),
    ]


def test_without_any_option() -> None:
    model = net()
    config = {"optimizer": {"type": "AdamW", "lr": 0.01}}
    plan = Plan.from_optimizer(model, build_optimizer(model, config))
    assert numbers(plan) == numbers(make_plan(model, config))
    assert {row.group for row in plan.parameters} == {0}


def test_an_optimizer_written_by_hand() -> None:
    model = net()
    groups: list[dict[str, Any]] = [
        {"params": model[0].parameters()},
        {"params": model[2].parameters(), "lr": 0.5, "weight_decay": 0},
    ]
    plan = Plan.from_optimizer(model, torch.optim.AdamW(groups, lr=0.1))
    got = {row.name: (row.status.value, row.lr, row.weight_decay) for row in plan.parameters}
    assert got == {
        "0.weight": ("optimized", 0.1, 0.01),
        "0.bias": ("optimized", 0.1, 0.01),
        "1.weight": ("uncovered", None, None),
        "1.bias": ("uncovered", None, None),
        "2.weight": ("optimized", 0.5, 0),
        "2.bias": ("optimized", 0.5, 0),
    }
    use = plan.parameters[4].lr_rule
    assert use is not None
    assert (use.rule.value, use.mult) == ("set", None)
    assert Plan.from_json(plan.to_json()) == plan


def test_a_scheduler_has_begun() -> None:
    model = net()
    optimizer = build_optimizer(model, CONFIG)
    plan = make_plan(model, CONFIG)
    torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)
    assert_matches(plan, model, optimizer)
    assert numbers(Plan.from_optimizer(model, optimizer)) == numbers(plan)


def _move(optimizer: Optimizer) -> None:
    optimizer.param_groups[5]["params"].append(optimizer.param_groups[4]["params"].pop())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: o.param_groups[4].update(lr=0.2), "2.weight: lr is 0.2, planned 0.010"),
        (
            lambda o: o.param_groups[0].update(weight_decay=0.0),
            "0.weight: weight_decay is 0.0, planned 0.01",
        ),
        (
            lambda o: o.param_groups[1].update(momentum=0.8),
            "0.bias: momentum is 0.8, planned 0.9",
        ),
        (
            lambda o: o.param_groups[4].update(momentum=0.9),
            "2.weight: momentum is 0.9, planned 0.5",
        ),
        (
            lambda o: o.param_groups[0].update(nesterov=True),
            "0.weight: nesterov is True, planned False",
        ),
        (_move, "2.weight: in group 5, planned in group 4"),
        (lambda o: o.param_groups[3]["params"].clear(), "1.bias: in no group, planned in group 3"),
        (
            lambda o: o.param_groups[3]["params"].extend(o.param_groups[2]["params"]),
            "1.weight: in several groups (2, 3)",
        ),
    ],
    ids=["lr", "decay", "momentum", "own option", "default", "moved", "dropped", "doubled"],
)
def test_what_differs_is_named(change: Callable[[Optimizer], None], message: str) -> None:
    model = net()
    plan = make_plan(model, CONFIG)
    optimizer = build_optimizer(model, CONFIG)
    assert_matches(plan, model, optimizer)
    change(optimizer)
    with pytest.raises(AssertionError) as raised:
        assert_matches(plan, model, optimizer)
    assert str(raised.value).startswith(message)
    assert len(str(raised.value).splitlines()) == 1


def test_another_optimizer_or_model() -> None:
    model = net()
    plan = make_plan(model, CONFIG)
    with pytest.raises(
        MismatchError, match=r"is torch\.optim\.adam\.Adam, planned torch\.optim\.sgd"
    ):
        assert_matches(plan, model, torch.optim.Adam(model.parameters()))
    several = {"a": build_optimizer(model, CONFIG), "b": torch.optim.SGD(model.parameters())}
    with pytest.raises(MismatchError, match="2 optimizers, planned 1"):
        assert_matches(plan, model, several)
    larger = nn.Sequential(*net(), nn.Linear(2, 2))
    with pytest.raises(MismatchError, match=r"3\.weight, 3\.bias: not in the plan"):
        assert_matches(plan, larger, build_optimizer(larger, CONFIG))
    with pytest.raises(PlanError, match="there is no optimizer to compare but nothing"):
        assert_matches(plan, model, None)  # type: ignore[arg-type]


def test_equal_groups_may_be_merged() -> None:
    model = net()
    plan = make_plan(model, {"optimizer": {"type": "SGD", "lr": 0.1, "paramwise_cfg": {"a": 1}}})
    merged = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(MismatchError, match="in group 0, planned in group 1"):
        assert_matches(plan, model, merged)
    assert_matches(plan, model, merged, groups=False)


def test_a_doubled_parameter_makes_no_plan() -> None:
    model = net()
    optimizer = build_optimizer(model, CONFIG)
    optimizer.param_groups[3]["params"].extend(optimizer.param_groups[2]["params"])
    with pytest.raises(PlanError, match=r"several groups: 1\.weight"):
        Plan.from_optimizer(model, optimizer)


def test_several_optimizers_by_name() -> None:
    model = net()
    made = {
        "muon": torch.optim.Muon(parameters(model, "0.weight", "2.weight"), lr=0.02),
        "adamw": torch.optim.AdamW([p for p in model.parameters() if p.ndim == 1]),
    }
    plan = Plan.from_optimizer(model, made)
    assert [one.name for one in plan.optimizers] == ["muon", "adamw"]
    assert [row.optimizer for row in plan.parameters] == [0, 1, 1, 1, 0, 1]
    assert_matches(plan, model, made)
    with pytest.raises(MismatchError, match=r"0\.weight, 2\.weight: in optimizer 1, planned in"):
        assert_matches(plan, model, {"muon": _muon_of_nothing(), "adamw": _all_adamw(model)})


def _muon_of_nothing() -> Optimizer:
    return torch.optim.Muon([nn.Parameter(torch.empty(2, 2))], lr=0.02)


def _all_adamw(model: nn.Module) -> Optimizer:
    return torch.optim.AdamW(model.parameters())


# In a process of its own: torch keeps the process group of a process.
WRAPPED = """
import tempfile, torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from optplan import Plan, assert_matches, build_optimizer, make_plan
from tests.constructors.test_live import CONFIG, net, numbers

plan = make_plan(net(), CONFIG)

def check(what, model, inner):
    optimizer = build_optimizer(inner, CONFIG)
    assert_matches(plan, model, optimizer)
    assert numbers(Plan.from_optimizer(model, optimizer)) == numbers(plan)
    optimizer.param_groups[4]["lr"] = 7.0
    try:
        assert_matches(plan, model, optimizer)
    except AssertionError as error:
        print(what, str(error).partition(",")[0])

with tempfile.TemporaryDirectory() as folder:
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=0, world_size=1)
    inner = net()
    check("ddp", DistributedDataParallel(inner), inner)
    inner = net()
    check("compile", torch.compile(inner), inner)
    inner = net()
    check("both", torch.compile(DistributedDataParallel(torch.compile(inner))), inner)
    inner = net()
    fully_shard(inner[0])
    fully_shard(inner)
    check("fsdp", inner, inner)
    dist.destroy_process_group()
"""


def test_wrapped_models() -> None:
    root = Path(optplan.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WRAPPED],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{what} 2.weight: lr is 7.0" for what in ("ddp", "compile", "both", "fsdp")
    ]


def test_a_part_of_the_model_is_compiled() -> None:
    plan = make_plan(net(), CONFIG)
    model = net()
    setattr(model, "0", torch.compile(model[0]))
    optimizer = build_optimizer(model, CONFIG)
    assert next(name for name, _ in model.named_parameters()) == "0._orig_mod.weight"
    assert_matches(plan, model, optimizer)
