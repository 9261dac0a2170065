"""Constructors and optimizers that were written for mmcv 1.x, run without it: ``--import FILE --trust``.

The numbers are those of mmcv 1.7.2, which was run with the same files and the same model.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from logging import getLogger
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from optplan.constructors import OPTIMIZER_CONSTRUCTORS
from optplan.constructors.mmcv1 import Mmcv1OptimizerConstructor
from optplan.constructors.optimizers import OPTIMIZERS
from optplan.runtime.user_modules import BY_FILE, FILE_MODULE, TOPS
from tests.conftest import Invoke

NET = """\
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.pos_embed = nn.Parameter(torch.empty(1, 3, 4))
        self.backbone.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4)) for _ in range(2))
        self.head = nn.Linear(4, 2)
        self.head.bias.requires_grad_(False)
"""
SIGN = "lr_config = dict(policy='poly')\n"
BY_DEPTH = """\
class ByDepth(DefaultOptimizerConstructor):
    def add_params(self, params, module, prefix="", is_dcn_module=None):
        logger = get_root_logger()
        logger.info("groups by depth")
        last, groups = self.paramwise_cfg.get("num_layers") + 1, {}
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad:
                continue
            flat = len(parameter.shape) == 1 or name.endswith(".bias")
            depth = last
            if name.startswith("backbone.pos_embed"):
                depth = 0
            elif name.startswith("backbone.blocks"):
                depth = int(name.split(".")[2]) + 1
            key = f"layer_{depth}_{'no_decay' if flat else 'decay'}"
            if key not in groups:
                scale = self.paramwise_cfg["layer_decay_rate"] ** (last - depth)
                groups[key] = {"weight_decay": 0.0 if flat else self.base_wd, "params": [], "param_names": [],
                               "lr_scale": scale, "group_name": key, "lr": scale * self.base_lr}
            groups[key]["params"].append(parameter)
            groups[key]["param_names"].append(name)
        rank, _ = get_dist_info()
        if rank == 0:
            logger.info(f"{len(groups)} groups")
        params.extend(groups.values())
"""
LAYERED = (
    "optimizer = dict(type='AdamW', lr=1e-3, weight_decay=0.05, constructor='ByDepth',"
    " paramwise_cfg=dict(num_layers=2, layer_decay_rate=0.9))\n"
)
# name: (group, lr, weight_decay)
BY_DEPTH_OF_MMCV = {
    "backbone.pos_embed": (0, 0.0007290000000000002, 0.05),
    "backbone.blocks.0.0.weight": (1, 0.0008100000000000001, 0.0),
    "backbone.blocks.0.0.bias": (1, 0.0008100000000000001, 0.0),
    "backbone.blocks.0.1.weight": (2, 0.0008100000000000001, 0.05),
    "backbone.blocks.0.1.bias": (1, 0.0008100000000000001, 0.0),
    "backbone.blocks.1.0.weight": (3, 0.0009000000000000001, 0.0),
    "backbone.blocks.1.0.bias": (3, 0.0009000000000000001, 0.0),
    "backbone.blocks.1.1.weight": (4, 0.0009000000000000001, 0.05),
    "backbone.blocks.1.1.bias": (3, 0.0009000000000000001, 0.0),
    "head.weight": (5, 0.001, 0.05),
    "head.bias": (None, None, None),
}
REGISTERED = "@OPTIMIZER_BUILDERS.register_module()\n" + BY_DEPTH
FORMS = {
    "a file beside the config": {
        "own.py": "from mmcv.runner import OPTIMIZER_BUILDERS, DefaultOptimizerConstructor, get_dist_info\n"
        "from mmseg.utils import get_root_logger\n" + REGISTERED,
    },
    "the modules below mmcv.runner": {
        "own.py": "from mmcv.runner.optimizer.builder import OPTIMIZER_BUILDERS\n"
        "from mmcv.runner.optimizer.default_constructor import DefaultOptimizerConstructor\n"
        "from mmcv.runner.dist_utils import get_dist_info\n"
        "from mmcv.utils import get_logger\n"
        "get_root_logger = lambda: get_logger('mine')\n" + REGISTERED,
    },
    "mmcv as a module": {
        "own.py": "import mmcv\nimport mmcv.runner\nimport mmdet.utils\n"
        "from mmcv.runner import DefaultOptimizerConstructor, get_dist_info\n"
        "get_root_logger = mmdet.utils.get_root_logger\n"
        + BY_DEPTH
        + "mmcv.runner.OPTIMIZER_BUILDERS.register_module(ByDepth)\n",
    },
    "a package that needs mmcv's operators": {
        "mine/__init__.py": "from mmcv.ops import nms\n",
        "mine/own.py": "from mmcv.runner import OPTIMIZER_BUILDERS, DefaultOptimizerConstructor, get_dist_info\n"
        "from mmdet.utils import get_root_logger\n" + REGISTERED,
    },
    "a package with a registry of its own": {
        "mmseg/__init__.py": "import mmcv\nassert mmcv.ops\n",
        "mmseg/core/__init__.py": "from .hooks import *\n",
        "mmseg/core/builder.py": "from mmcv.runner.optimizer import OPTIMIZER_BUILDERS as MMCV\n"
        "from mmcv.utils import Registry, build_from_cfg\n"
        "OPTIMIZER_BUILDERS = Registry('optimizer builder', parent=MMCV)\n",
        "mmseg/core/optimizers/__init__.py": "",
        "mmseg/core/optimizers/own.py": "from mmcv.runner import DefaultOptimizerConstructor, get_dist_info\n"
        "from mmseg.utils import get_root_logger\nfrom ..builder import OPTIMIZER_BUILDERS\n"
        + REGISTERED,
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Leave nothing registered; stand-ins are never left."""
    registries = (OPTIMIZER_CONSTRUCTORS, OPTIMIZERS)
    before = [dict(one._filled()) for one in registries]
    names = set(sys.modules)
    yield
    for one, entries in zip(registries, before, strict=True):
        one._entries = entries
    left = set(sys.modules) - names
    for name in left:
        if name.partition(".")[0].removeprefix(FILE_MODULE) in ("own", "mine", "mmseg"):
            del sys.modules[name]
    TOPS.difference_update({"own", "mine", "mmseg", f"{FILE_MODULE}mmseg"})
    BY_FILE.clear()
    assert not {name for name in left if name.startswith(("mmcv.runner", "mmdet", "mmpose"))}


def planned(folder: Path, invoke: Invoke, path: str) -> dict[str, Any]:
    """Group, lr and weight decay by name."""
    words = (
        "show",
        "config.py",
        "--model",
        "net.py:Net",
        "--import",
        path,
        "--trust",
        "-f",
        "json",
    )
    done = invoke(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    return {
        row["name"]: (row["group"], row["lr"], row["weight_decay"]) for row in data["parameters"]
    }


@pytest.mark.parametrize("form", FORMS)
def test_layer_decay(form: str, folder: Path, invoke: Invoke) -> None:
    (folder / "config.py").write_text(LAYERED + SIGN)
    for name, text in FORMS[form].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert planned(folder, invoke, next(reversed(FORMS[form]))) == BY_DEPTH_OF_MMCV


CALLS = """\
from mmcv.runner import OPTIMIZER_BUILDERS, OPTIMIZERS, DefaultOptimizerConstructor, build_optimizer
from mmcv.utils import build_from_cfg
from torch.optim import SGD

@OPTIMIZERS.register_module()
class Nudged(SGD):
    def __init__(self, params, lr, nudge, **rest):
        super().__init__(params, lr=lr, **rest)
        for group in self.param_groups:
            group["nudge"] = nudge

@OPTIMIZER_BUILDERS.register_module("calls")
class Calls(DefaultOptimizerConstructor):
    def __call__(self, model):
        section, params = self.optimizer_cfg.copy(), []
        self.add_params(params, model)
        for group in params[::2]:
            group["lr"] = self.base_lr * self.paramwise_cfg["even"]
        section["params"] = params
        return build_from_cfg(section, OPTIMIZERS)

@OPTIMIZER_BUILDERS.register_module()
class Delegates:
    def __init__(self, optimizer_cfg, paramwise_cfg=None):
        self.section, self.options = optimizer_cfg, paramwise_cfg

    def __call__(self, model):
        return build_optimizer(model, dict(self.section, paramwise_cfg=self.options))
"""
NUDGED = "type='Nudged', lr=0.1, nudge=0.25, momentum=0.9, weight_decay=1e-4"
PLAIN = {
    "backbone.pos_embed": (0, 0.1, 0.0001),
    "backbone.blocks.0.0.weight": (1, 0.1, 0.0),
    "backbone.blocks.0.0.bias": (2, 0.1, 0.0),
    "backbone.blocks.0.1.weight": (3, 0.1, 0.0001),
    "backbone.blocks.0.1.bias": (4, 0.2, 0.0001),
    "backbone.blocks.1.0.weight": (5, 0.1, 0.0),
    "backbone.blocks.1.0.bias": (6, 0.1, 0.0),
    "backbone.blocks.1.1.weight": (7, 0.1, 0.0001),
    "backbone.blocks.1.1.bias": (8, 0.2, 0.0001),
    "head.weight": (9, 0.1, 0.0001),
    "head.bias": (10, 0.1, 0.0001),
}
EVEN = {
    name: (group, lr if group % 2 else 0.025, decay) for name, (group, lr, decay) in PLAIN.items()
}


@pytest.mark.parametrize(
    ("constructor", "options", "expected"),
    [
        ("", "", PLAIN),
        (" constructor='Delegates',", "", PLAIN),
        (" constructor='calls',", ", even=0.25", EVEN),
    ],
)
def test_optimizers_of_mmcvs_registry(
    constructor: str, options: str, expected: dict[str, Any], folder: Path, invoke: Invoke
) -> None:
    (folder / "own.py").write_text(CALLS)
    paramwise = f"paramwise_cfg=dict(bias_lr_mult=2., norm_decay_mult=0.{options})"
    (folder / "config.py").write_text(
        f"optimizer = dict({NUDGED},{constructor} {paramwise})\n{SIGN}"
    )
    assert planned(folder, invoke, "own.py") == expected


def test_custom_imports_of_a_trusted_config(folder: Path, invoke: Invoke) -> None:
    (folder / "depth_of_mmcv.py").write_text(FORMS["a file beside the config"]["own.py"])
    imports = "custom_imports = dict(imports=['depth_of_mmcv'])\n"
    (folder / "config.py").write_text(LAYERED + SIGN + imports)
    done = invoke("show", "config.py", "--model", "net.py:Net", "--trust", "-f", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parameters"][0]["lr"] == 0.0007290000000000002


BY_WORLD = """\
from mmcv.runner import OPTIMIZER_BUILDERS, DefaultOptimizerConstructor, get_dist_info

@OPTIMIZER_BUILDERS.register_module()
class ByWorld(DefaultOptimizerConstructor):
    def add_params(self, params, module, prefix="", is_dcn_module=None):
        size = 1
        {asks}
        for one in module.parameters():
            params.append({{"params": [one], "lr": self.base_lr * size}})
"""


@pytest.mark.parametrize(
    ("asks", "is_final", "lr"),
    [
        ("rank, _ = get_dist_info()", True, 0.1),
        ("rank, world_size = get_dist_info()", True, 0.1),
        ("rank = get_dist_info()[0]", True, 0.1),
        ("_, size = get_dist_info()", False, 0.4),
        ("size = get_dist_info()[1]", False, 0.4),
    ],
)
def test_world_size(asks: str, is_final: bool, lr: float, folder: Path, invoke: Invoke) -> None:
    """A plan waits for it where the constructor uses it, not where it asks for its rank."""
    (folder / "own.py").write_text(BY_WORLD.format(asks=asks))
    section = "type='SGD', lr=0.1, constructor='ByWorld', paramwise_cfg=dict(a=1)"
    (folder / "config.py").write_text(f"optimizer = dict({section})\n{SIGN}")
    words = ("show", "config.py", "--model", "net.py:Net", "--import", "own.py", "--trust")
    told = invoke(*words, cwd=folder).stdout
    assert ("the plan is not final" in told) is not is_final
    OPTIMIZER_CONSTRUCTORS._entries = {
        name: one for name, one in OPTIMIZER_CONSTRUCTORS._filled().items() if name != "ByWorld"
    }
    BY_FILE.clear()
    for name in ("own", f"{FILE_MODULE}own"):  # the other where a test before has left its own
        sys.modules.pop(name, None)
    done = invoke(*words, "--world-size", "4", "-f", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parameters"][0]["lr"] == lr


def test_names_that_have_no_stand_in(folder: Path, invoke: Invoke) -> None:
    (folder / "config.py").write_text(LAYERED + SIGN)
    (folder / "own.py").write_text("from mmcv.runner import HOOKS\n")
    words = ("show", "config.py", "--model", "net.py:Net", "--import", "own.py", "--trust")
    done = invoke(*words, cwd=folder)
    assert done.returncode == 2
    assert "cannot import name 'HOOKS' from 'mmcv.runner'" in done.stderr
    assert "mmcv 1.x is not installed: --trust provides" in done.stderr


class _Entries(dict[str, Any]):
    """A registry as mmcv 1.x has them: a package's own is a child of mmcv's."""

    def __init__(self, entries: dict[str, Any], **children: Any) -> None:
        super().__init__(entries)
        self.children = children


def test_classes_that_a_running_mmcv_has(
    folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    code: dict[str, Any] = {
        "DefaultOptimizerConstructor": Mmcv1OptimizerConstructor,
        "get_root_logger": getLogger,
        "get_dist_info": lambda: (1, 2),
    }
    exec(BY_DEPTH, code)
    runner: Any = ModuleType("mmcv.runner")
    runner.OPTIMIZER_BUILDERS = _Entries({}, mmdet=_Entries({"ByDepth": code["ByDepth"]}))
    runner.OPTIMIZERS = _Entries({})
    monkeypatch.setitem(sys.modules, "mmcv.runner", runner)
    (folder / "config.py").write_text(LAYERED + SIGN)
    done = invoke("show", "config.py", "--model", "net.py:Net", "-f", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parameters"][0]["lr"] == 0.0007290000000000002


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("Adafactor", None),
        ("AdamW", None),
        ("TorchAdafactor", "mmcv 1.x has no optimizer 'TorchAdafactor'"),
        ("Lion", "hint: where a package registers it: --import FILE"),
        ("AdmaW", "did you mean 'AdamW'"),
    ],
)
def test_names_of_optimizers(kind: str, told: str | None, folder: Path, invoke: Invoke) -> None:
    """Torch's own names and those that somebody registers, none of those that MMEngine adds."""
    (folder / "config.py").write_text(f"optimizer = dict(type={kind!r}, lr=0.1)\n{SIGN}")
    done = invoke("show", "config.py", "--model", "net.py:Net", "-f", "json", cwd=folder)
    if told is None:
        found = json.loads(done.stdout)["optimizers"][0]["class"]
        assert found.startswith("torch.optim.")
        assert found.endswith(f".{kind}")
    else:
        assert done.returncode == 2
        assert told in done.stderr
