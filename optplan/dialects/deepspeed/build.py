"""DeepSpeed's engine, as far as it makes optimizers and schedulers; its kernels are neither built nor called."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from torch import nn

from optplan.config.trees import plain
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.errors import PlanError
from optplan.runtime.installed import find_installed
from optplan.runtime.stdio import suppress_output

# What of a file says which class is made, and with which values.
_READ = ("optimizer", "scheduler", "zero_optimization", "zero_allow_untested_optimizer")


class _Kernel:
    """What stands for a compiled kernel: making an optimizer asks it for functions, and stepping alone runs them."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_named: None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's own log, of accelerators and of schedulers at their first step, from the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def engine_of(data: Mapping[str, Any]) -> Iterator[Any]:
    """Make the library's engine for a file, without a model and without processes.

    Args:
        data: The file's entries.

    Raises:
        PlanError: The library is not installed.
    """
    if find_installed("deepspeed") is None:
        raise PlanError(
            "the optimizer is made by DeepSpeed's engine, which is not installed",
            hint="pip install deepspeed",
        )
    with suppress_output(), _quiet():
        from deepspeed.ops.op_builder.builder import OpBuilder
        from deepspeed.ops.op_builder.cpu.no_impl import NotImplementedBuilder
        from deepspeed.runtime.config import DeepSpeedConfig
        from deepspeed.runtime.engine import DeepSpeedEngine

        engine = DeepSpeedEngine.__new__(DeepSpeedEngine)
        nn.Module.__init__(engine)
        engine.client_optimizer = engine.client_lr_scheduler = None
        engine.has_moe_layers = False
        given = {name: plain(data[name]) for name in _READ if name in data}
        builders = (
            patch.object(one, "load", lambda *_, **__: _Kernel())
            for one in (OpBuilder, NotImplementedBuilder)
        )
        with next(builders), next(builders):
            engine._config = DeepSpeedConfig({**given, "train_batch_size": 1})
            yield engine


def optimizers_of(data: Mapping[str, Any], model: nn.Module) -> NamedOptimizers:
    """Return the optimizer that the engine makes of a file for the trainable parameters.

    Args:
        data: The file's entries.
        model: The model.

    Raises:
        PlanError: The library is not installed.
    """
    trainable = [one for one in model.parameters() if one.requires_grad]
    with engine_of(data) as engine:
        return [(None, engine._configure_basic_optimizer(trainable))]
