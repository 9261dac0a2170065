"""Cases beside those of released configs: every rule and every policy, written out or drawn with a fixed seed."""

from __future__ import annotations

import copy
from itertools import product
from random import Random
from typing import Any

Case = dict[str, Any]
EPOCHS = {"type": "EpochBasedRunner", "max_epochs": 12}
ITERS = {"type": "IterBasedRunner", "max_iters": 400}
_WARMUPS: tuple[Case, ...] = (
    {},
    {"warmup": "constant", "warmup_iters": 9, "warmup_ratio": 0.25},
    {"warmup": "linear", "warmup_iters": 30, "warmup_ratio": 1e-3},
    {"warmup": "exp", "warmup_iters": 50, "warmup_ratio": 0.02},
    {"warmup": "linear", "warmup_iters": 2, "warmup_by_epoch": True},
    {"warmup_iters": 10},
)
_UNITS: tuple[Case, ...] = ({}, {"by_epoch": True}, {"by_epoch": False})
_POLICIES: tuple[Case, ...] = (
    {"policy": "fixed"},
    {"policy": "step", "step": 3},
    {"policy": "step", "step": [2, 5, 9], "gamma": 0.3, "min_lr": 2e-4},
    {"policy": "Step", "step": []},
    {"policy": "exp", "gamma": 0.97},
    {"policy": "poly", "power": 0.9, "min_lr": 1e-4},
    {"policy": "poly"},
    {"policy": "inv", "gamma": 0.1, "power": 0.75},
    {"policy": "CosineAnnealing", "min_lr": 1e-5},
    {"policy": "CosineAnnealing", "min_lr_ratio": 0.05},
    {"policy": "FlatCosineAnnealing", "start_percent": 0.4, "min_lr": 0},
    {"policy": "FlatCosineAnnealing", "min_lr_ratio": 0.1},
    {"policy": "CosineRestart", "periods": [5, 400], "restart_weights": [1, 0.5], "min_lr": 1e-6},
    {"policy": "CosineRestart", "periods": [500], "min_lr_ratio": 0.01},
    {"policy": "LinearAnnealing", "min_lr_ratio": 0.2},
)
_BY_ITERATION: tuple[Case, ...] = (
    {"policy": "cyclic"},
    {"policy": "cyclic", "target_ratio": (10, 1e-4), "cyclic_times": 3, "step_ratio_up": 0.3},
    {"policy": "cyclic", "target_ratio": 4.0, "gamma": 0.7, "cyclic_times": 4},
    {"policy": "cyclic", "target_ratio": (6.0,), "step_ratio_up": 0, "anneal_strategy": "linear"},
    {"policy": "OneCycle", "max_lr": 0.05},
    {"policy": "OneCycle", "max_lr": [0.1, 0.2, 0.3, 0.4], "three_phase": True, "pct_start": 0.2},
    {"policy": "OneCycle", "max_lr": 0.01, "total_steps": 5000, "anneal_strategy": "linear"},
)
_MOMENTA: tuple[Case, ...] = (
    {"policy": "step", "step": [4, 8], "gamma": 0.5, "min_momentum": 0.3},
    {"policy": "step", "step": 2, "warmup": "linear", "warmup_iters": 20, "warmup_ratio": 0.9},
    {"policy": "CosineAnnealing", "min_momentum": 0.5},
    {"policy": "CosineAnnealing", "min_momentum_ratio": 0.9, "by_epoch": False},
    {"policy": "LinearAnnealing", "min_momentum_ratio": 0.7, "warmup": "exp", "warmup_iters": 11},
    {"policy": "cyclic", "target_ratio": (0.85 / 0.95, 1), "cyclic_times": 2, "step_ratio_up": 0.4},
    {"policy": "cyclic", "gamma": 0.5, "cyclic_times": 3, "anneal_strategy": "linear"},
    {"policy": "OneCycle", "base_momentum": 0.8, "max_momentum": 0.97},
    {"policy": "OneCycle", "three_phase": True, "pct_start": 0.25, "anneal_strategy": "linear"},
)
# What mmcv refuses.
_REFUSED: tuple[Case, ...] = (
    {"policy": "onecycle", "max_lr": 0.1},
    {"policy": "STEP", "step": [1]},
    {"policy": "YOLOX", "num_last_epochs": 15, "min_lr_ratio": 0.05},
    {"step": [8, 11]},
    {"policy": "step"},
    {"policy": "step", "step": [8, 0]},
    {"policy": "step", "step": (8, 11)},
    {"policy": "step", "step": [8], "stepp": 3},
    {"policy": "exp"},
    {"policy": "CosineAnnealing"},
    {"policy": "CosineAnnealing", "min_lr": 0, "min_lr_ratio": 0.1},
    {"policy": "FlatCosineAnnealing", "start_percent": 2.0, "min_lr": 0},
    {"policy": "FlatCosineAnnealing", "start_percent": 1, "min_lr": 0},
    {"policy": "CosineRestart", "periods": [1, 2], "min_lr": 0},
    {"policy": "CosineRestart", "periods": [3, 2], "restart_weights": [1, 1], "min_lr": 0},
    {"policy": "cyclic", "by_epoch": True},
    {"policy": "cyclic", "target_ratio": [10, 1e-4]},
    {"policy": "cyclic", "step_ratio_up": 1.0},
    {"policy": "cyclic", "gamma": 0},
    {"policy": "OneCycle"},
    {"policy": "OneCycle", "max_lr": 0.1, "total_steps": 3},
    {"policy": "OneCycle", "max_lr": [0.1]},
    {"policy": "OneCycle", "max_lr": {"Adam": 0.1}},
    {"policy": "OneCycle", "max_lr": 0.1, "pct_start": 1.5},
    {"policy": "OneCycle", "max_lr": 0.1, "anneal_strategy": "cosine"},
    {"policy": "OneCycle", "max_lr": 0.1, "by_epoch": True},
    {"policy": "fixed", "warmup": "cosine", "warmup_iters": 3},
    {"policy": "fixed", "warmup": "linear"},
    {"policy": "fixed", "warmup": "linear", "warmup_iters": 3, "warmup_ratio": 0},
    {"policy": "fixed", "warmup": "linear", "warmup_iters": 3, "warmup_ratio": 1.5},
)
_REFUSED_MOMENTA: tuple[Case, ...] = (
    {"policy": "fixed"},
    {"policy": "poly"},
    {"policy": "step", "step": [3], "warmup_by_epoch": True},
    {"policy": "CosineAnnealing"},
    {"policy": "cyclic", "by_epoch": True},
    {"policy": "OneCycle", "base_momentum": 1},
)


def schedule_cases() -> list[Case]:
    """Configs without their optimizer: policies, warm-ups, units, runners, momentum."""
    found: list[Case] = []
    for policy, warmup in product(_POLICIES, _WARMUPS):
        for runner in (EPOCHS, ITERS):
            configs = [{**policy, **warmup, **by_epoch} for by_epoch in _UNITS]
            found += [{"lr_config": one, "runner": runner} for one in configs]
    for policy, warmup in product(_BY_ITERATION, _WARMUPS[:4]):
        found += [{"lr_config": {**policy, **warmup}, "runner": one} for one in (EPOCHS, ITERS)]
    for momentum, runner in product(_MOMENTA, (EPOCHS, ITERS)):
        found.append({"momentum_config": momentum, "runner": runner})
        cyclic = {"policy": "cyclic", "target_ratio": (10, 1e-4)}
        found.append({"lr_config": cyclic, "momentum_config": momentum, "runner": runner})
    found += [{"lr_config": one, "runner": EPOCHS} for one in _REFUSED]
    found += [{"lr_config": one, "runner": ITERS} for one in _REFUSED]
    found += [{"momentum_config": one, "runner": EPOCHS} for one in _REFUSED_MOMENTA]
    step = {"policy": "step", "step": [3, 5]}
    found += [{"lr_config": step, "total_epochs": 7}, {"lr_config": step, "total_iters": 60}]
    found.append({"lr_config": step, "runner": EPOCHS, "workflow": [("train", 2), ("val", 1)]})
    found.append({"lr_config": None, "runner": ITERS})
    return found


# What arguments are drawn from; with "!" each of them is written, of several sets one.
_WARM: Case = {
    "warmup": ("constant", "linear", "exp"),
    "warmup_iters!": (1, 3, 10, 37, 500),
    "warmup_ratio": (1e-6, 0.001, 0.1, 1.0 / 3, 1),
    "warmup_by_epoch": (True, False),
}
_FLOORS: tuple[Case, ...] = ({"min_{}!": (0, 1e-5, 0.05)}, {"min_{}_ratio!": (0, 0.01, 2)})
_CYCLE: Case = {
    "pct_start": (0.0, 0.1, 0.3, 0.5, 1.0),
    "anneal_strategy": ("cos", "linear"),
    "three_phase": (True, False),
}
_STEP: Case = {
    "step!": (1, 3, [2, 4], [5], [4, 2], [], [3, 3], [100]),
    "gamma": (0.1, 0.5, 1, 2.0, 0),
}
_UP: tuple[Any, ...] = (
    0.1,
    0.5,
    [0.1, 0.2, 0.3, 0.4],
    {"SGD": [0.1, 0.2, 0.3, 0.4], "AdamW": [1.0] * 4},
)
_SHORT: tuple[Any, ...] = ({"SGD": [0.1, 0.2], "AdamW": [0.1] * 6}, {"SGD": 0.1})
_MOMENTUM: tuple[Any, ...] = (0.8, [0.7, 0.8, 0.85, 0.9], {"SGD": [0.7, 0.8], "AdamW": [0.1] * 6})
_ARGUMENTS: dict[str, tuple[Case, ...]] = {
    "fixed": ({},),
    "step": ({**_STEP, "min_{}": (None, 0, 1e-4, 0.02)},),
    "exp": ({"gamma!": (0.9, 1, 0.5)},),
    "poly": ({"power": (0.9, 1, 2, 0), "min_{}": (0, 1e-4, 0.3)},),
    "inv": ({"gamma!": (0.1, 1, 0), "power": (0.75, 1, 2)},),
    "CosineAnnealing": _FLOORS,
    "LinearAnnealing": _FLOORS,
    "FlatCosineAnnealing": tuple({"start_percent": (0.0, 0.3, 0.72, 1.0), **one} for one in _FLOORS),
    "CosineRestart": tuple(
        {"periods!": (value,), "restart_weights!": (weights,), **one}
        for one in _FLOORS
        for value, weights in (([4, 8], [1, 0.5]), ([3, 3, 2000], [1, 1, 2]), ([2000], [1]))
    ),
    "cyclic": (
        {
            "target_ratio": ((10, 1e-4), (0.9,), 6.0, (0.85 / 0.95, 1)),
            "cyclic_times": (1, 2, 3, 7),
            "step_ratio_up": (0, 0.1, 0.4, 0.9),
            "anneal_strategy": ("cos", "linear"),
            "gamma": (1, 0.7, 0.1),
        },
    ),
    "OneCycle": (
        {
            "max_{}!": (*_UP, *_SHORT),
            "total_steps": (None, 5000),
            "div_factor": (25, 10.0, 1),
            "final_div_factor": (1e4, 10),
            **_CYCLE,
        },
    ),
}  # fmt: skip
_OF_MOMENTUM: dict[str, tuple[Case, ...]] = {
    **{name: _ARGUMENTS[name] for name in ("step", "CosineAnnealing", "LinearAnnealing", "cyclic")},
    "OneCycle": ({"base_momentum": _MOMENTUM, "max_momentum": _MOMENTUM, **_CYCLE},),
}
_WRONG = (
    ("warmup", "liner"),
    ("warmup_iters", 0),
    ("gamma", "x"),
    ("by_epoch", True),
    ("step", 2.0),
    ("min_lr", None),
)


def drawn_schedules(count: int, seed: int = 19) -> list[Case]:
    """Configs without their optimizer that were drawn, a small part of them wrong."""
    random = Random(seed)
    return [_schedule(random) for _ in range(count)]


def _schedule(random: Random) -> Case:
    found: Case = random.choice(
        ({"runner": EPOCHS}, {"runner": ITERS}, {"total_epochs": 6}, {"total_iters": 48})
    )
    found = dict(found)
    if found.get("runner") is EPOCHS and random.random() < 0.2:
        found["workflow"] = [("train", random.randint(1, 3)), ("val", 1)]
    if random.random() < 0.85:
        found["lr_config"] = _policy(random, "lr", _ARGUMENTS)
    if random.random() < 0.35 or "lr_config" not in found:
        found["momentum_config"] = _policy(random, "momentum", _OF_MOMENTUM)
    return found


def _policy(random: Random, param: str, policies: dict[str, tuple[Case, ...]]) -> Case:
    name = random.choice(list(policies))
    arguments = dict(random.choice(policies[name]))
    if random.random() < 0.4:
        arguments.update(_WARM)
        if param == "momentum" or random.random() < 0.7:
            del arguments["warmup_by_epoch"]
    if name not in ("cyclic", "OneCycle"):
        arguments["by_epoch"] = (True, False)
    found: Case = {
        "policy": name.title() if name == name.lower() and random.random() < 0.1 else name
    }
    for argument, values in arguments.items():
        if argument.endswith("!") or random.random() < 0.5:
            found[argument.format(param).removesuffix("!")] = copy.deepcopy(random.choice(values))
    if random.random() < 0.05:
        found.update([random.choice(_WRONG)])
    return found


_KEYS = ("backbone", "norm", "conv", "bias", ".bias", "weight", "head", "a", "blocks.1", "0", "tok")


def section_cases(count: int = 120, seed: int = 19, nones: int = 0) -> list[Case]:
    """Optimizer sections that were drawn: options, keys, missing base values, unknown names.

    Args:
        count: How many.
        seed: Of the draws.
        nones: How often None is among the values to draw a number from.
    """
    random = Random(seed)
    return [_section(random, [None] * nones) for _ in range(count)]


def _section(random: Random, nones: list[None]) -> Case:
    section: Case = {"type": random.choice(["SGD", "AdamW", "Adam"])}
    if random.random() < 0.9:
        section["lr"] = random.choice([0.01, 2e-4, 0.1, 1])
    if random.random() < 0.8:
        section["weight_decay"] = random.choice([1e-4, 0.05, 0, 0.0])
    if section["type"] == "SGD":
        section["momentum"] = 0.9
        section.setdefault("lr", 0.02) if random.random() < 0.5 else None
    options: Case = {}
    for name in (
        "bias_lr_mult", "bias_decay_mult", "norm_decay_mult", "dwconv_decay_mult", "dcn_offset_lr_mult",
        "flat_decay_mult",
    ):  # fmt: skip
        if random.random() < 0.35:
            options[name] = random.choice([0, 0.0, 0.1, 0.5, 1.0, 2, 10.0, *nones])
    if random.random() < 0.5:
        options["bypass_duplicate"] = random.random() < 0.8
    if random.random() < 0.5:
        options["custom_keys"] = {
            key: {
                name: random.choice([0.0, 0.1, 1.0, 3, *nones])
                for name in ("lr_mult", "decay_mult", "lr", "weight_decay", "foo", "momentum")
                if random.random() < 0.3
            }
            for key in random.sample(_KEYS, random.randint(1, 4))
        }
    if random.random() < 0.95:
        section["paramwise_cfg"] = options
    return section
