"""The lr that a training really uses, held against the reference's runner."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import optplan
from optplan.config import Batch, load_config
from optplan.dialects import find_scaling
from optplan.errors import ConfigError
from optplan.plan import Plan
from tests.agreement import exact
from tests.grid import Entries

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mmengine.optim import build_optim_wrapper
    from mmengine.runner import Runner

PARAMWISE: Entries = {
    "bias_lr_mult": 2.0,
    "custom_keys": {"0.": {"lr_mult": 0.3}, "2.bias": {"lr": 0.07}},
}


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))


def config_of(lr: float, base: float, size: int, *, enable: bool = True) -> Entries:
    return {
        "optim_wrapper": {
            "optimizer": {"type": "SGD", "lr": lr, "momentum": 0.9},
            "paramwise_cfg": PARAMWISE,
            "accumulative_counts": 4,  # the reference does not count them
        },
        "train_dataloader": {"batch_size": size},
        "auto_scale_lr": {"enable": enable, "base_batch_size": base},
    }


class FakeRunner:
    """As much of a runner as ``scale_lr`` looks at."""

    param_schedulers = None

    class logger:
        @staticmethod
        def info(_: str) -> None: ...

    def __init__(self, size: int, world_size: int) -> None:
        self._train_dataloader = {"batch_size": size}
        self.world_size = world_size


def reference_lrs(module: nn.Module, config: Entries, world_size: int) -> dict[int, float]:
    """What the reference's runner leaves in the groups, by the ``id`` of the parameter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapper = build_optim_wrapper(module, config["optim_wrapper"])
        fake: Any = FakeRunner(config["train_dataloader"]["batch_size"], world_size)
        Runner.scale_lr(fake, wrapper, config["auto_scale_lr"])
    return {id(p): group["lr"] for group in wrapper.optimizer.param_groups for p in group["params"]}


@pytest.mark.parametrize("lr", [0.1, 0.0003, 1])
@pytest.mark.parametrize(
    ("base", "size", "world_size"),
    [(256, 32, 8), (256, 32, 16), (16, 2, 1), (1024, 77, 7), (96.0, 3, 64), (300, 1, 1)],
)
def test_every_lr_is_what_the_reference_leaves(
    lr: float, base: float, size: int, world_size: int
) -> None:
    module, config = model(), config_of(lr, base, size)
    theirs = reference_lrs(module, config, world_size)
    plan = optplan.make_plan(module, config, batch=Batch(world_size=world_size))
    by_name = dict(module.named_parameters())
    for row in plan.parameters:
        assert exact(row.lr) == exact(theirs[id(by_name[row.name])]), row.name
        assert exact(row.effective_lr) == exact(row.lr)
    ours = optplan.build_optimizer(module, config, batch=Batch(world_size=world_size))
    built = {id(p): group["lr"] for group in ours.param_groups for p in group["params"]}
    assert exact(built) == exact(theirs)
    assert plan.is_final
    assert {setting.lr for setting in plan.settings} == {row.lr for row in plan.parameters}
    assert Plan.from_json(plan.to_json()) == plan


def test_the_record_says_how_the_lr_came_about() -> None:
    plan = optplan.make_plan(model(), config_of(0.1, 256, 32), batch=Batch(world_size=16))
    scaling = plan.lr_scaling
    assert scaling is not None
    assert (scaling.source, scaling.rule, scaling.final) == ("auto_scale_lr", "linear", True)
    assert (scaling.base_lr, scaling.base_batch) == (0.1, 256)
    assert (scaling.batch_size, scaling.accumulation, scaling.world_size) == (32, 1, 16)
    assert (scaling.batch, scaling.factor, scaling.lr) == (512, 2.0, 0.2)
    assert plan.optimizers[0].lr == 0.1  # the optimizer's own default stays as it is


def test_what_is_not_known_is_not_final() -> None:
    plan = optplan.make_plan(model(), config_of(0.1, 256, 32))
    assert not plan.is_final
    assert plan.parameters[-1].lr == 0.07  # as the constructor left it
    config = config_of(0.1, 256, 32)
    del config["train_dataloader"]
    plan = optplan.make_plan(model(), config, batch=Batch(world_size=8))
    assert plan.lr_scaling is not None
    assert (plan.lr_scaling.world_size, plan.lr_scaling.batch_size) == (8, None)
    assert not plan.is_final
    plan = optplan.make_plan(model(), config, batch=Batch(world_size=8, size=64))
    assert plan.lr_scaling is not None
    assert plan.lr_scaling.factor == 2.0


def test_the_users_batch_size_goes_before_the_configs() -> None:
    plan = optplan.make_plan(model(), config_of(0.1, 256, 32), batch=Batch(world_size=4, size=128))
    assert plan.lr_scaling is not None
    assert (plan.lr_scaling.batch, plan.lr_scaling.factor) == (512, 2.0)


def test_the_older_form_has_its_batch_size_elsewhere() -> None:
    config = {
        "optimizer": {"type": "SGD", "lr": 0.02},
        "data": {"samples_per_gpu": 2},
        "auto_scale_lr": {"enable": True, "base_batch_size": 16},
    }
    plan = optplan.make_plan(model(), config, batch=Batch(world_size=4))
    assert {row.lr for row in plan.parameters} == {0.01}


def test_it_is_off_where_it_is_not_on() -> None:
    config = config_of(0.1, 256, 32, enable=False)
    plan = optplan.make_plan(model(), config, batch=Batch(world_size=16))
    assert plan.lr_scaling is None
    assert plan.is_final
    assert plan.parameters[2].lr == 0.1
    switched_on = optplan.make_plan(model(), config, batch=Batch(world_size=16, auto_scale_lr=True))
    assert switched_on.parameters[2].lr == 0.2
    assert find_scaling({"optimizer": {}}, Batch(world_size=4)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auto_scale_lr = dict(enable=True)", "1:1: auto_scale_lr has no base_batch_size"),
        (
            "auto_scale_lr = dict(enable=True,\nbase_batch_size=0)",
            "2:1: base_batch_size must be above 0, got 0",
        ),
        (
            "auto_scale_lr = dict(enable=True,\nbase_batch_size=1e-320)\n"
            "train_dataloader = dict(batch_size=2)",
            "1:22: the lr cannot be scaled: the batch divided by the base batch is no finite number above 0",
        ),
        (
            "auto_scale_lr = dict(enable=True,\nbase_batch_size='16')",
            "2:1: base_batch_size must be a number, got the string '16'",
        ),
        (
            "auto_scale_lr = dict(enable=True, base_batch_size=16)\ntrain_dataloader = dict(\nbatch_size=0)",
            "3:1: batch_size must be a whole number above 0, got int 0",
        ),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"{text}\noptimizer = dict(type='SGD', lr=0.1)\n")
    with pytest.raises(ConfigError) as raised:
        optplan.make_plan(model(), load_config(tmp_path / "a.py"), batch=Batch(world_size=1))
    assert str(raised.value).startswith(f"{tmp_path}/a.py:{message}")


def test_there_must_be_something_to_scale_by() -> None:
    config = {"optimizer": {"type": "SGD", "lr": 0.1}}
    with pytest.raises(
        ConfigError, match="the lr cannot be scaled: the config has no auto_scale_lr"
    ):
        optplan.make_plan(model(), config, batch=Batch(auto_scale_lr=True))
    recipe = {"opt": "sgd", "lr": None}
    with pytest.raises(ConfigError, match="--auto-scale-lr is for configs with auto_scale_lr"):
        optplan.make_plan(model(), recipe, batch=Batch(auto_scale_lr=True))
