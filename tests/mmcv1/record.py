"""Ask mmcv 1.7.2, in an environment of its own, and write its answers into recorded.json.

Run from the root of the project: ``python -m tests.mmcv1.record FOLDER...``, each folder one with released
configs of a package for mmcv 1.x. With ``--check`` nothing is written, and a difference ends with status 1.
"""

from __future__ import annotations

import ast
import copy
import json
import logging
import sys
import time
import types
import warnings
from pathlib import Path
from typing import Any

import mmcv
import torch
from mmcv.runner import build_optimizer, build_runner
from mmcv.runner.hooks import Hook
from mmcv.runner.optimizer import default_constructor
from torchvision import ops

from tests import models
from tests.mmcv1.cases import Case, drawn_schedules, schedule_cases, section_cases
from tests.mmcv1.common import (
    MODELS,
    OPTIMIZERS,
    RECORDED,
    Scheduled,
    courses_hash,
    groups_hash,
    lengths_of,
    looked_at,
    marks_of,
    model_of,
    scheduled_section,
    total_of,
)

_REFUSALS = (ArithmeticError, AssertionError, KeyError, RuntimeError, TypeError, ValueError)
_SCHEDULE = ("lr_config", "momentum_config", "runner", "total_epochs", "total_iters", "workflow")


def main(arguments: list[str]) -> int:
    """Record, or compare with what is recorded."""
    warnings.simplefilter("ignore")
    _with_operators()
    time.sleep = lambda _: None  # the runner waits between epochs
    folders = [Path(one) for one in arguments if one != "--check"]
    sections, schedules = _released(folders)
    found = {
        "mmcv": mmcv.__version__,
        "released": {"sections": len(sections), "schedules": len(schedules)},
        "sections": [
            _plans(one) for one in sections + _texts(section_cases(), section_cases(60, 20, 2))
        ],
        "schedules": [
            _courses(one) for one in schedules + _texts(schedule_cases(), drawn_schedules(150))
        ],
    }
    if "--check" in arguments:
        is_same = json.loads(RECORDED.read_text()) == found
        sys.stdout.write("as recorded\n" if is_same else "not as recorded\n")
        return int(not is_same)
    RECORDED.write_text(_text(found))
    return 0


def _texts(*cases: list[Case]) -> list[str]:
    return [repr(one) for some in cases for one in some]


def _text(found: dict[str, Any]) -> str:
    """JSON with a line for each case."""
    entries = []
    for name, value in found.items():
        cases = value if isinstance(value, list) else None
        lines = [f"  {json.dumps(one)}" for one in cases or ()]
        text = json.dumps(value) if cases is None else "[\n" + ",\n".join(lines) + "\n ]"
        entries.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _with_operators() -> None:
    """Let mmcv know deformable convolutions, which it does only where its operators were compiled."""
    stub: Any = types.ModuleType("mmcv.ops")
    stub.DeformConv2d = (models.DeformConv2d, ops.DeformConv2d)
    stub.ModulatedDeformConv2d = models.ModulatedDeformConv2d
    sys.modules["mmcv.ops"] = stub
    default_constructor.check_ops_exist = lambda: True


def _released(folders: list[Path]) -> tuple[list[str], list[str]]:
    """The distinct optimizer sections and schedules of the configs in some folders, as Python literals."""
    sections: dict[str, None] = {}
    schedules: dict[str, None] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if "_base_" in path.parts:
                continue
            data = _plain(mmcv.Config.fromfile(str(path), import_custom_modules=False)._cfg_dict)
            if isinstance(data.get("optimizer"), dict):
                sections[repr(data["optimizer"])] = None
            if data.get("lr_config") is not None:
                schedules[repr({name: data[name] for name in _SCHEDULE if name in data})] = None
    return list(sections), list(schedules)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value


def _plans(text: str) -> dict[str, Any]:
    """What each model gets by an optimizer section."""
    answers = {}
    for name in MODELS:
        section, model = ast.literal_eval(text), model_of(name)
        given = section.keys() - {"type", "paramwise_cfg", "constructor"}
        try:
            optimizer = build_optimizer(model, copy.deepcopy(section))
        except _REFUSALS as error:
            answers[name] = type(error).__name__
        else:
            answers[name] = groups_hash(model, optimizer.param_groups, given)
    return {"section": text, "answers": answers}


def _courses(text: str) -> dict[str, Any]:
    """What the groups get over a training."""
    config = ast.literal_eval(text)
    answers = {}
    for name in OPTIMIZERS if config.get("momentum_config") else ("SGD",):
        for per_epoch in lengths_of(config):
            try:
                rows = _run(ast.literal_eval(text), name, per_epoch)
            except _REFUSALS as error:
                answers[f"{name} {per_epoch}"] = type(error).__name__
            else:
                answers[f"{name} {per_epoch}"] = courses_hash(rows)
    return {"config": text, "answers": answers}


class _Watch(Hook):  # type: ignore[misc, unused-ignore]
    """Writes down lr and momentum of each group at some iterations, after all other hooks."""

    def __init__(self, steps: list[int]) -> None:
        self.steps = set(steps)
        self.rows: list[list[float]] = []

    def before_train_iter(self, runner: Any) -> None:
        if runner.iter in self.steps:
            momentum = runner.current_momentum()
            self.rows.append([*runner.current_lr(), *momentum])


class _Model(Scheduled):
    """What a runner can train, and nothing comes of it."""

    def train_step(self, batch: Any, optimizer: Any) -> dict[str, Any]:
        return {}

    val_step = train_step


class _Batches(list[int]):
    """As many batches as an epoch has."""

    sampler = None


def _run(config: dict[str, Any], optimizer: str, per_epoch: int | None) -> list[list[float]]:
    """Train for real with the hooks of a config, and return what they set."""
    model = _Model()
    runner_cfg = config.get("runner") or (
        {"type": "EpochBasedRunner", "max_epochs": config["total_epochs"]}
        if "total_epochs" in config
        else {"type": "IterBasedRunner", "max_iters": config["total_iters"]}
    )
    logger = logging.getLogger("recording")
    logger.setLevel(logging.ERROR)
    runner = build_runner(
        runner_cfg,
        default_args={
            "model": model,
            "optimizer": build_optimizer(model, scheduled_section(optimizer)),
            "logger": logger,
        },
    )
    runner.register_training_hooks(
        lr_config=config.get("lr_config"), momentum_config=config.get("momentum_config")
    )
    watch = _Watch(looked_at(total_of(config, per_epoch), marks_of(config, per_epoch)))
    runner.register_hook(watch, priority="LOWEST")
    workflow = config.get("workflow", [("train", 1)])
    batches = _Batches(range(per_epoch or 50))
    runner.run([batches] * len(workflow), workflow)
    return watch.rows


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1:]))
