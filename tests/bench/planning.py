"""Plans of large models: against the reference, and how the time grows."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from optplan.app.planning import plan_with_facts
from tests.bench.giants import mixture_of_experts
from tests.bench.table import Row, ratio
from tests.bench.timing import growth, medians, seconds

_PARAMETERS = (4_000, 16_000, 64_000)
_KEYS = (25, 100, 400)
_OPTIMIZER = {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05}


def paramwise(keys: int) -> dict[str, Any]:
    """Options and keys, of which half match something."""
    custom = {
        f"blocks.{key // 2}." if key % 2 else f"nothing_like_{key}": {"lr_mult": 1 / (key + 1)}
        for key in range(keys)
    }
    return {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0, "custom_keys": custom}


def plan_rows(rounds: int) -> Iterator[Row]:
    """The same model and config for both; the reference once, since it takes long."""
    from tests.reference import run_reference

    model, options = mixture_of_experts(8_000), paramwise(100)
    ours = medians({"ours": partial(_plan, model, 100)}, rounds=rounds)["ours"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seconds(lambda: run_reference(model, _OPTIMIZER, options))
    yield ratio(
        f"plan of {_count(model)} parameters × 100 keys",
        ours,
        "mmengine's `build_optim_wrapper`",
        theirs,
        0.02,
    )


def growth_rows(rounds: int) -> Iterator[Row]:
    """More parameters, and more keys."""
    models = {size: mixture_of_experts(size) for size in _PARAMETERS}
    taken = medians(
        {str(size): partial(_plan, model, 100) for size, model in models.items()}, rounds=rounds
    )
    yield Row(
        what="growth of a plan in the number of parameters",
        value=growth([_count(model) for model in models.values()], list(taken.values())),
        bound=1.1,
        detail=f"{_PARAMETERS[0]:,} to {_PARAMETERS[-1]:,}",
    )
    model = models[_PARAMETERS[1]]
    taken = medians({str(keys): partial(_plan, model, keys) for keys in _KEYS}, rounds=rounds)
    yield Row(
        what="growth of a plan in the number of keys",
        value=growth(_KEYS, list(taken.values())),
        bound=1.1,
        detail=f"{_KEYS[0]} to {_KEYS[-1]}",
    )


def _plan(model: nn.Module, keys: int) -> float:
    config = {"optim_wrapper": {"optimizer": _OPTIMIZER, "paramwise_cfg": paramwise(keys)}}
    gc.collect()
    gc.freeze()  # as the command does, once all is loaded
    try:
        return seconds(lambda: plan_with_facts(model, config))
    finally:
        gc.unfreeze()


def _count(model: nn.Module) -> int:
    assert torch.get_default_device().type == "cpu"
    return sum(1 for _ in model.parameters())
