"""The optimizer that ``deepspeed.initialize`` makes of a file, on a CPU and in one process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import deepspeed
from deepspeed.ops.op_builder.builder import OpBuilder
from deepspeed.ops.op_builder.cpu.no_impl import NotImplementedBuilder
from torch import nn
from torch.optim import Optimizer

# What needs a GPU or other processes, and changes no value of a group.
LEFT_OUT = (
    "fp16",
    "bf16",
    "amp",
    "zero_optimization",
    "train_micro_batch_size_per_gpu",
    "gradient_accumulation_steps",
)


def engine_of(path: Path, model: nn.Module) -> Any:
    """Return DeepSpeed's engine as ``initialize`` makes it, but for its kernels, which have to be compiled."""
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    os.environ.setdefault("MASTER_PORT", "29617")
    config = {n: v for n, v in json.loads(path.read_text()).items() if n not in LEFT_OUT}
    config["train_batch_size"] = 1
    trainable = [one for one in model.parameters() if one.requires_grad]

    def kernel(*_: object, **__: object) -> MagicMock:
        return MagicMock()

    with (
        patch.object(OpBuilder, "load", kernel),
        patch.object(NotImplementedBuilder, "load", kernel),
    ):
        return deepspeed.initialize(model=model, model_parameters=trainable, config=config)[0]


def reference(path: Path, model: nn.Module) -> Optimizer:
    """Return the engine's optimizer."""
    made: Optimizer = engine_of(path, model).basic_optimizer
    return made
