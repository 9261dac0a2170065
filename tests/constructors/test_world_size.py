"""Constructors that ask in how many processes a model is trained."""

from __future__ import annotations

import json
import os
from pathlib import Path

import mmengine.dist
import pytest
import torch.distributed

from optplan.plan import Plan
from tests.conftest import Invoke
from tests.schema import validate

CONSTRUCTORS = """
import torch.distributed as dist
from mmengine.dist import get_dist_info, get_world_size
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS


def register(size):
    def add_params(self, params, module, **kw):
        params.append(dict(params=list(module.parameters()), weight_decay=self.base_wd * size() / 64))

    name = f'Asks{size.__name__.title()}'
    kind = type(name, (DefaultOptimWrapperConstructor,), {'add_params': add_params})
    OPTIM_WRAPPER_CONSTRUCTORS.register_module(name, force=True)(kind)


@register
def mmengines():
    return get_world_size()


@register
def torches():
    return dist.get_world_size()


@register
def both():
    return get_dist_info()[1]


@register
def none():
    return 1
"""
CONFIG = (
    "optim_wrapper = dict(constructor='Asks{}', paramwise_cfg=dict(x=1),\\n"
    "    optimizer=dict(type='SGD', lr=.01, weight_decay=6.4))\\n"
).replace("\\n", "\n")
NOT_FINAL = "asks for the world size, which is not known"


def words(folder: Path, name: str) -> tuple[str, ...]:
    (folder / "own.py").write_text(CONSTRUCTORS)
    (folder / "a.py").write_text(CONFIG.format(name))
    return ("a.py", "--import", "own.py", "--model", "tests.checks.models:Net")


@pytest.mark.parametrize("name", ["Mmengines", "Torches", "Both"])
def test_the_world_size_that_is_given(name: str, invoke: Invoke, tmp_path: Path) -> None:
    given = words(tmp_path, name)
    done = invoke("show", *given, "--world-size", "8", "--format", "json", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert {row["weight_decay"] for row in data["parameters"]} == {0.8}
    assert "needs_world_size" not in data
    found = invoke("check", *given, "--world-size", "8", "--select", "OPT007", cwd=tmp_path)
    assert (found.returncode, "OPT007" in found.stdout) == (0, False)


@pytest.mark.parametrize("name", ["Mmengines", "Torches", "Both"])
def test_not_final_without_one(name: str, invoke: Invoke, tmp_path: Path) -> None:
    given = words(tmp_path, name)
    first, *rest = invoke("show", *given, cwd=tmp_path).stdout.splitlines()
    assert first.startswith(f"the plan is not final: Asks{name} {NOT_FINAL}")
    assert first.endswith("give --world-size")
    assert any("lr 0.01 (not final)" in line for line in rest)
    text = invoke("show", *given, "--format", "json", cwd=tmp_path).stdout
    validate(json.loads(text), "plan-1.0")
    plan = Plan.from_json(text)
    assert (plan.needs_world_size, plan.is_final) == (True, False)
    assert Plan.from_json(plan.to_json()) == plan
    assert {row.weight_decay for row in plan.parameters} == {0.1}
    found = invoke("check", *given, "--select", "OPT007", cwd=tmp_path).stdout
    assert f"a.py:1:22: OPT007 warning: Asks{name} {NOT_FINAL}" in found
    assert "  hint: give the world size: --world-size N\n" in found


def test_a_constructor_that_does_not_ask(invoke: Invoke, tmp_path: Path) -> None:
    given = words(tmp_path, "None")
    assert "not final" not in invoke("show", *given, cwd=tmp_path).stdout
    assert "OPT007" not in invoke("check", *given, cwd=tmp_path).stdout


FUNCTIONS = """
import os
import torch
import torch.distributed as dist


def asks(model):
    return torch.optim.SGD(model.parameters(), lr=0.1 * dist.get_world_size())


def guarded(model):
    size = dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    return torch.optim.SGD(model.parameters(), lr=0.1 * size)


def is_distributed():
    return dist.is_initialized()


def ranked(model):
    size, rank = (dist.get_world_size(), dist.get_rank()) if is_distributed() else (1, 0)
    return torch.optim.SGD(model.parameters(), lr=0.1 * size + rank)


def by_environment(model):
    return torch.optim.SGD(model.parameters(), lr=0.1 * int(os.environ.get('WORLD_SIZE', '1')))


def logs(model):
    if dist.is_initialized():
        dist.barrier()
    return torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    (tmp_path / "f.py").write_text(FUNCTIONS)
    return tmp_path


def lr_of(invoke: Invoke, folder: Path, name: str, *more: str) -> Plan:
    words = ("show", f"f.py:{name}", "--model", "torch.nn:Linear", "-k", "in_features=2")
    done = invoke(*words, "-k", "out_features=2", "--format", "json", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return Plan.from_json(done.stdout)


@pytest.mark.parametrize(
    ("name", "lr", "is_asked"),
    [
        ("asks", 0.8, True),
        ("guarded", 0.8, True),
        ("ranked", 0.8, True),
        ("by_environment", 0.8, False),
        ("logs", 0.1, False),
    ],
)
def test_functions_are_told(
    name: str, lr: float, is_asked: bool, invoke: Invoke, functions: Path
) -> None:
    plan = lr_of(invoke, functions, name, "--world-size", "8")
    assert ({row.lr for row in plan.parameters}, plan.needs_world_size) == ({lr}, False)
    plan = lr_of(invoke, functions, name)
    assert ({row.lr for row in plan.parameters}, plan.needs_world_size) == ({0.1}, is_asked)
    assert not torch.distributed.is_initialized()
    assert "WORLD_SIZE" not in os.environ


def test_schedule_diff_and_check_of_functions_tell_it(invoke: Invoke, functions: Path) -> None:
    model = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    size = ("--world-size", "8")
    done = invoke("schedule", "f.py:asks", *model, *size, "--iters", "2", cwd=functions)
    assert (done.returncode, "lr 0.8" in done.stdout) == (0, True)
    done = invoke("diff", "f.py:asks", "f.py:guarded", *model, *size, cwd=functions)
    assert (done.returncode, done.stderr) == (1, "")
    assert "0 of 2 parameters change" in done.stdout
    (functions / "pyproject.toml").write_text(
        "[[tool.optplan.targets]]\nconfigs = ['*.py']\nmodel = 'torch.nn:Linear'\n"
        "arguments = {in_features = 2, out_features = 2}\n"
    )
    found = invoke("check", "f.py:asks", "--select", "OPT007", cwd=functions).stdout
    assert "f.py:7:1: OPT007 warning: asks asks for the world size, which is not known" in found


def test_the_functions_are_as_before(invoke: Invoke, tmp_path: Path) -> None:
    invoke("show", *words(tmp_path, "Mmengines"), "--world-size", "8", cwd=tmp_path)
    assert mmengine.dist.get_world_size() == 1
    with pytest.raises(ValueError, match="not been initialized"):
        torch.distributed.get_world_size()
