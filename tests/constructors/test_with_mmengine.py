"""optplan's constructors in the place of mmengine's, in a process in which mmengine runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from mmengine.optim import OPTIMIZERS, build_optim_wrapper
from mmengine.optim import ZeroRedundancyOptimizer as TheirZero
from mmengine.registry import DefaultScope, Registry
from torch import nn
from torch.distributed.optim import ZeroRedundancyOptimizer as TorchZero

import optplan
from optplan.config import Namespace
from optplan.errors import ConfigError
from optplan.registries import default_scope, live_scope

pytestmark = pytest.mark.usefixtures("registries")


@pytest.fixture
def own_scope() -> str:
    """A scope that no package has, with an optimizer of its own and one under the name of torch's."""
    name = "own_scope"
    registry = Registry("optimizer", scope=name, parent=OPTIMIZERS)

    class Mine(torch.optim.SGD):
        pass

    registry.register_module(module=Mine)
    registry.register_module(name="Adam", module=Mine)
    return name


def both(section: dict[str, Any]) -> tuple[str, str]:
    """The classes of the optimizers that optplan and mmengine make."""
    model = nn.Linear(2, 2)
    ours = optplan.DefaultOptimWrapperConstructor({"optimizer": section})(model)
    theirs = build_optim_wrapper(model, {"optimizer": section}).optimizer
    return type(ours).__name__, type(theirs).__name__


@pytest.mark.parametrize(
    ("kind", "expected"), [("Mine", "Mine"), ("Adam", "Mine"), ("SGD", "SGD"), ("AdamW", "AdamW")]
)
def test_the_default_scope_of_the_process(own_scope: str, kind: str, expected: str) -> None:
    with DefaultScope.overwrite_default_scope(own_scope):
        assert both({"type": kind, "lr": 0.1}) == (expected, expected)


def test_the_scope_of_a_config_that_is_no_package(own_scope: str, tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text(
        f"default_scope = '{own_scope}'\noptim_wrapper = dict(optimizer=dict(type='Mine', lr=0.1))\n"
    )
    plan = optplan.make_plan(nn.Linear(2, 2), optplan.load_config(config))
    assert plan.optimizers[0].class_name.endswith("Mine")


def test_outside_of_its_scope_it_is_unknown(own_scope: str) -> None:
    with pytest.raises(optplan.OptplanError, match="there is no optimizer 'Mine'"):
        optplan.build_optimizer(nn.Linear(2, 2), {"optimizer": {"type": "Mine", "lr": 0.1}})


def test_an_exception_leaves_no_scope_behind() -> None:
    before = live_scope()
    inside = []

    def failing() -> None:
        with default_scope(Namespace(scope="own_scope")):
            inside.append(live_scope())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert (inside, live_scope()) == (["own_scope"], before)


def test_a_config_without_a_type() -> None:
    with pytest.raises(ConfigError, match=r"the optimizer has no 'type' \(write type='SGD', or"):
        optplan.DefaultOptimWrapperConstructor({"optimizer": {"lr": 0.1}})(nn.Linear(2, 2))


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    """The one process of a distributed run."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("process_group")
@pytest.mark.parametrize("whose", [TheirZero, TorchZero], ids=["mmengine", "torch"])
@pytest.mark.parametrize("paramwise", [{}, {"norm_decay_mult": 0.0, "bias_lr_mult": 2.0}])
def test_zero_redundancy(
    whose: type, paramwise: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """mmengine's class takes the inner optimizer's name, torch's the class."""
    if whose is TorchZero:
        monkeypatch.delitem(OPTIMIZERS.module_dict, "ZeroRedundancyOptimizer")
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    section = {"type": "ZeroRedundancyOptimizer", "optimizer_type": "SGD", "lr": 0.1}
    config = {"optimizer": {**section, "weight_decay": 0.5, "paramwise_cfg": paramwise}}
    optimizer = optplan.build_optimizer(model, config)
    assert type(optimizer) is whose
    assert type(optimizer.optim) is torch.optim.SGD  # type: ignore[attr-defined]
    found = {
        name: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for name, parameter in model.named_parameters()
        if any(parameter is one for one in group["params"])
    }
    plain = (0.1, 0.5)
    bias, norm = ((0.2, 0.5), (0.1, 0.0)) if paramwise else (plain, plain)
    assert found == {"0.weight": plain, "0.bias": bias, "1.weight": norm, "1.bias": norm}
