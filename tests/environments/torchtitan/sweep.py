"""Hold entries of torchtitan's registry against its own trainer: ``python -m tests.environments.torchtitan.sweep [ENTRY…]``.

Without an entry, all are compared: each parameter's optimizer class and options, and the lr at the steps of the
training. Prints how many are equal, and which are left out, by their reason. The trainer is the library's own, on the
CPU, with the model left on the meta device and without a tokenizer.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from math import isclose
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import torch
import torch.distributed as dist
import torchtitan.tools.utils
from torch import nn

from optplan.app.config_schedule import Length
from optplan.app.request import PlanRequest
from optplan.app.schedule import scheduled
from optplan.errors import OptplanError
from optplan.model.torchtitan_models import PREFIX
from optplan.names import Status
from optplan.schedule import Schedule
from optplan.schedule.trajectories import courses_of

HOMES = {
    "models": ("deepseek_v3", "flux", "gpt_oss", "kimi_k2_7", "llama3", "muse_glimmer", "qwen3", "qwen3_5"),
    "experiments": (
        "graph_trainer.deepseek_v3", "graph_trainer.llama3", "graph_trainer.muse_glimmer", "graph_trainer.qwen3",
        "rl", "torchft.llama3", "transformers_modeling_backend",
    ),
}  # fmt: skip
_MOST_STEPS = 400


class StopError(Exception):
    """What comes after the schedulers is not needed."""


def all_entries() -> Iterator[tuple[str, Callable[[], Any] | None]]:
    """Yield the entries with the functions that make them; None for a module that cannot be imported."""
    for home, modules in HOMES.items():
        for module in modules:
            try:
                found = import_module(f"torchtitan.{home}.{module}.config_registry")
            except ImportError:
                yield f"{module}.", None
                continue
            for name, value in vars(found).items():
                if getattr(value, "__module__", None) == found.__name__ and not name.startswith(
                    "_"
                ):
                    yield f"{module}.{name}", value


def trainer_of(config: Any) -> Any:
    """Return the library's trainer, as far as it has made optimizers and schedulers."""
    metrics = MagicMock()
    stats = SimpleNamespace(max_reserved_gib=0.0, max_reserved_pct=0.0)
    metrics.device_memory_monitor.get_peak_stats.return_value = stats
    kind = type(config)._owner
    trainer = kind.__new__(kind)
    for name in ("expert", "tensor", "pipeline", "context"):  # this is one process
        setattr(config.parallelism, f"{name}_parallel_degree", 1)

    make_parallel = config.model_spec.parallelize_fn

    def stop(*_: object, **__: object) -> None:
        raise StopError

    def parallel(model: nn.Module, **given: Any) -> nn.Module:
        frozen = sum(not one.requires_grad for one in model.parameters())
        made: nn.Module = make_parallel(model, **given)
        if frozen and all(one.requires_grad for one in made.parameters()):
            raise RuntimeError("frozen parameters are trainable once the model is made parallel")
        return made

    with (
        patch.object(type(config.metrics), "build", lambda *_, **__: metrics),
        patch.object(type(config.tokenizer), "build", stop),
        patch.object(torchtitan.tools.utils, "get_peak_flops", lambda _: 1.0),
        patch.object(config.model_spec, "parallelize_fn", parallel),
        patch.object(nn.Module, "to_empty", lambda self, **_: self),
    ):
        try:
            trainer.__init__(config)
        except StopError:
            pass
        finally:  # each opens a group of its own
            if dist.is_initialized():
                dist.destroy_process_group()
    return trainer


def differences(entry: str, make: Callable[[], Any]) -> list[str]:
    """Return what differs between the plan and schedule of an entry and its trainer.

    Raises:
        OptplanError: There is no plan.
    """
    found = scheduled(f"{PREFIX}{entry}", PlanRequest(), Length())
    trainer = trainer_of(make())
    wanted = {
        name: (one, group)
        for one in trainer.optimizers
        for group in one.param_groups
        for name in group["param_names"]
    }
    rows = {row.name: row for row in found.plan.parameters if row.status is Status.OPTIMIZED}
    if set(rows) != set(wanted):
        return [f"other parameters: {sorted(set(rows) ^ set(wanted))[:3]}"]
    said: list[str] = []
    for name in rows.keys() & wanted.keys():
        row, (made, group) = rows[name], wanted[name]
        planned = found.plan.optimizers[row.optimizer or 0]
        own = {**made.defaults, **planned.options, **row.options}
        own |= {"lr": row.lr, "weight_decay": row.weight_decay, "class": planned.class_name}
        held = {
            **group,
            "lr": group["initial_lr"],
            "class": f"{type(made).__module__}.{type(made).__name__}",
        }
        said += [
            f"{name} {key}: {own.get(key)} instead of {held[key]}"
            for key in ("class", *made.defaults)
            if own.get(key) != held[key]
        ]
    return said + _lr_differences(found.schedule, trainer)


def _lr_differences(schedule: Schedule, trainer: Any) -> list[str]:
    """Return where the lr of a parameter differs at one of the training's steps."""
    steps = range(min(schedule.length, _MOST_STEPS))
    courses = courses_of(schedule, steps).values["lr"]
    told = {
        name: course
        for setting, course in zip(schedule.settings, courses, strict=True)
        for name in setting.names
    }
    groups = [group for one in trainer.optimizers for group in one.param_groups]
    said: list[str] = []
    for step in steps:
        for group in groups:
            name = group["param_names"][0]
            if not isclose(told[name][step] or 0.0, group["lr"], rel_tol=1e-12):
                said.append(f"{name} at {step}: {told[name][step]} instead of {group['lr']}")
        trainer.lr_schedulers.step()
    return said


def sweep(names: list[str]) -> bool:
    """Print the comparison of entries, of all where none is named; return whether none differs."""
    equal, differ = list[str](), dict[str, list[str]]()
    left_out: dict[str, list[str]] = defaultdict(list)
    for entry, make in all_entries():
        if names and entry not in names:
            continue
        try:
            said = differences(entry, make or (lambda: None))
            if said:
                differ[entry] = said
            else:
                equal.append(entry)
        except OptplanError as error:
            left_out[error.problems[0].message].append(entry)
        except Exception as error:  # noqa: BLE001 - the trainer needs more processes, or a GPU
            left_out[f"the trainer: {type(error).__name__}: {error}"].append(entry)
    print(
        f"torchtitan: {len(equal)} equal, {len(differ)} differ, {sum(map(len, left_out.values()))} left out"
    )
    for entry, said in differ.items():
        print(f"  differs: {entry}: {said[:3]}")
    for reason, entries in left_out.items():
        print(f"  left out {len(entries)}: {reason} ({', '.join(entries)})")
    return bool(equal) and not differ


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    torchtitan.tools.utils.device_type = "cpu"
    torchtitan.tools.utils.device_module = torch.cpu
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    os.environ["MASTER_PORT"] = str(port)
    sys.exit(0 if sweep(sys.argv[1:]) else 1)
