"""Constructors that ask in how many processes a model is trained."""

from __future__ import annotations

import json
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


def test_the_functions_are_as_before(invoke: Invoke, tmp_path: Path) -> None:
    invoke("show", *words(tmp_path, "Mmengines"), "--world-size", "8", cwd=tmp_path)
    assert mmengine.dist.get_world_size() == 1
    with pytest.raises(ValueError, match="not been initialized"):
        torch.distributed.get_world_size()
