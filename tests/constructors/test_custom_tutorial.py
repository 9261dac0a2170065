"""Constructors written as MMEngine's tutorials describe them, with optplan's names in the imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import optplan
from tests.conftest import Invoke
from tests.constructors.registering import register
from tests.schema import validate

pytestmark = pytest.mark.usefixtures("registries")

MODEL = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.stages = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 2)
"""

OLDER = """\
@OPTIMIZER_CONSTRUCTORS.register_module()
class LayerDecayOptimizerConstructor(DefaultOptimizerConstructor):

    def add_params(self, params, module, prefix='', is_dcn_module=None):
        rate = self.paramwise_cfg['decay_rate']
        first = len(params)
        super().add_params(params, module, prefix, is_dcn_module)
        if prefix:
            return
        for group in params[first:]:
            name = next(n for n, p in module.named_parameters() if p is group['params'][0])
            print('visiting', name)
            if name.startswith('stem'):
                group['lr'] = self.base_lr * rate ** 2
            elif name.startswith('stages'):
                group['lr'] = self.base_lr * rate
"""
OLDER_CONFIG = """\
optimizer = dict(
    type='AdamW', lr=0.08, weight_decay=0.5,
    constructor='LayerDecayOptimizerConstructor',
    paramwise_cfg=dict(decay_rate=0.5, norm_decay_mult=0.0))
"""
# lr, weight decay, what decided the lr and by what factor, and the same for the weight decay
BASE, NO_DECAY = ("default", 1.0), ("norm", 0.0)
OLDER_PLAN = {
    "stem.weight": (0.02, 0.5, ("constructor", 0.25), BASE),
    "stem.bias": (0.02, 0.5, ("constructor", 0.25), BASE),
    "stages.0.weight": (0.04, 0.5, ("constructor", 0.5), BASE),
    "stages.0.bias": (0.04, 0.5, ("constructor", 0.5), BASE),
    "stages.1.weight": (0.04, 0.0, ("constructor", 0.5), NO_DECAY),
    "stages.1.bias": (0.04, 0.0, ("constructor", 0.5), NO_DECAY),
    "head.weight": (0.08, 0.5, BASE, BASE),
    "head.bias": (0.08, 0.5, BASE, BASE),
}

NEWER = """\
@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):

    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        super().__init__(optim_wrapper_cfg, paramwise_cfg=None)
        self.factor = paramwise_cfg.get('decay_factor', 0.25)
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def add_params(self, params, module, prefix='', lr=None):
        lr = self.base_lr if lr is None else lr
        for name, param in module.named_parameters(recurse=False):
            params.append(dict(params=[param], lr=lr))
            print('visiting', f'{prefix}.{name}' if prefix else name)
        for name, child in module.named_children():
            below = f'{prefix}.{name}' if prefix else name
            self.add_params(params, child, below, lr=lr * self.factor)
"""
NEWER_CONFIG = """\
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.08, momentum=0.9, weight_decay=0.5),
    paramwise_cfg=dict(decay_factor=0.5),
    constructor='LayerDecayOptimWrapperConstructor')
"""
ONCE, TWICE = ("constructor", 0.5), ("constructor", 0.25)
NEWER_PLAN = {
    "stem.weight": (0.04, 0.5, ONCE, ("constructor", 1.0)),
    "stem.bias": (0.04, 0.5, ONCE, ("constructor", 1.0)),
    "stages.0.weight": (0.02, 0.5, TWICE, ("constructor", 1.0)),
    "stages.0.bias": (0.02, 0.5, TWICE, ("constructor", 1.0)),
    "stages.1.weight": (0.02, 0.5, TWICE, ("constructor", 1.0)),
    "stages.1.bias": (0.02, 0.5, TWICE, ("constructor", 1.0)),
    "head.weight": (0.04, 0.5, ONCE, ("constructor", 1.0)),
    "head.bias": (0.04, 0.5, ONCE, ("constructor", 1.0)),
}
EXAMPLES = [(OLDER, OLDER_CONFIG, OLDER_PLAN), (NEWER, NEWER_CONFIG, NEWER_PLAN)]


def net() -> nn.Module:
    scope: dict[str, Any] = {}
    exec(MODEL, scope)
    model: nn.Module = scope["Net"]()
    return model


def told(plan: optplan.Plan) -> dict[str, Any]:
    """What each row says, as the tables above."""
    found = {}
    for row in plan.parameters:
        assert row.lr_rule is not None
        assert row.weight_decay_rule is not None
        uses = (row.lr_rule, row.weight_decay_rule)
        found[row.name] = (
            row.lr,
            row.weight_decay,
            *((use.rule.value, use.mult) for use in uses),
        )
    return found


@pytest.mark.parametrize(("code", "config", "expected"), EXAMPLES, ids=["older", "newer"])
def test_through_the_command(
    code: str, config: str, expected: dict[str, Any], tmp_path: Path, invoke: Invoke
) -> None:
    register(tmp_path, code)
    (tmp_path / "config.py").write_text(config)
    (tmp_path / "net.py").write_text(MODEL)
    done = invoke("show", "config.py", "--model", "net.py:Net", "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "".join(f"visiting {name}\n" for name in expected))
    data = json.loads(done.stdout)
    validate(data, "plan-1.0")
    plan = optplan.Plan.from_json(done.stdout)
    assert told(plan) == expected
    assert plan.constructor == code.split("class ")[1].split("(", maxsplit=1)[0]
    for row in plan.parameters:
        for use in (row.lr_rule, row.weight_decay_rule):
            assert use is not None
            own = use.rule.value == "constructor"
            assert use.constructor == (plan.constructor if own else None)
            if own:
                assert use.origin is not None
                assert (use.origin.file, use.origin.line) == ("own_file.py", 8)


@pytest.mark.parametrize(("code", "config", "expected"), EXAMPLES, ids=["older", "newer"])
def test_through_python(
    code: str, config: str, expected: dict[str, Any], tmp_path: Path, capsys: Any
) -> None:
    register(tmp_path, code)
    data: dict[str, Any] = {}
    exec(config, data)
    section: dict[str, Any] = {
        name: data[name] for name in ("optimizer", "optim_wrapper") if name in data
    }
    model = net()
    plan = optplan.make_plan(model, section)
    assert told(plan) == expected
    built = optplan.build_optimizer(model, section)
    by_id = {id(p): name for name, p in model.named_parameters()}
    groups = {by_id[id(g["params"][0])]: (g["lr"], g["weight_decay"]) for g in built.param_groups}
    assert groups == {name: row[:2] for name, row in expected.items()}
    assert capsys.readouterr().out == ""
