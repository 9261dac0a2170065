"""axolotl's trainer builder, as far as it makes the optimizer and its scheduler: no data and no tokenizer is read."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from torch import nn

from optplan.config.placed import place_of
from optplan.config.trees import plain
from optplan.constructors.observed_groups import others_code
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.errors import PlanError
from optplan.model.device_moves import ignore_device_moves
from optplan.runtime.installed import find_installed
from optplan.runtime.stdio import suppress_transformers_output

# About the machine, and about what surrounds the training; taken out once the library has checked the file.
_LEFT_OUT = (
    "activation_offloading", "bf16", "bfloat16", "chat_template", "deepspeed", "fp16", "fsdp", "fsdp_config",
    "gradient_checkpointing", "hub_model_id", "layer_offloading", "tf32", "torch_compile", "use_comet", "use_mlflow",
    "use_tensorboard", "use_trackio", "use_wandb",
)  # fmt: skip
_NOT_READ = {
    "rl": "preference and reward trainers are others",
    "trainer_cls": "it names code of its own",
}
_QUIET = {"AXOLOTL_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
_log = logging.getLogger(__name__)


def optimizers_of(data: Mapping[str, Any], model: nn.Module) -> NamedOptimizers:
    """Return the optimizer that axolotl's trainer makes of a file for a model.

    Raises:
        PlanError: The library is not installed or refuses the file; the file trains an adapter, which the model
            does not have.
    """
    if data.get("adapter") and not hasattr(model, "peft_config"):
        raise PlanError(
            f"the file trains an adapter ({data['adapter']}), and the model has none",
            place=place_of(data, "adapter"),
            hint="put it into the model: --peft FOLDER, with the adapter_config.json that axolotl has written, or"
            " one with this file's lora_r, lora_alpha and lora_target_modules",
        )
    if plugins := data.get("plugins"):
        _log.warning(
            "plugins are not run, and what they do to the optimizer is not read: %s", plugins
        )
    with _trainer(data, model, None) as trainer:
        return [(None, trainer.create_optimizer())]


def scheduler_of(data: Mapping[str, Any], optimizer: Any, steps: int) -> Any:
    """Return the scheduler that axolotl's trainer makes.

    Args:
        data: The file's entries.
        optimizer: The optimizer.
        steps: How many updates the training has.
    """
    with _trainer({**data, "adapter": None}, nn.Linear(1, 1, device="meta"), steps) as trainer:
        return trainer.create_scheduler(steps, optimizer)


@contextmanager
def _trainer(data: Mapping[str, Any], model: nn.Module, steps: int | None) -> Iterator[Any]:
    """Make the library's trainer of a model, in a folder that is removed afterwards."""
    if find_installed("axolotl") is None:
        raise PlanError(
            "the optimizer is made by axolotl's trainer, which is not installed",
            place=place_of(data, "base_model"),
            hint="pip install axolotl",
        )
    for name, why in _NOT_READ.items():
        if data.get(name):
            raise PlanError(f"{name} is not read: {why}", place=place_of(data, name))
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict(os.environ, _QUIET),
        ignore_device_moves(),
        suppress_transformers_output(),
        others_code("axolotl's trainer", place_of(data, "base_model")),
    ):
        from axolotl.core.builders.causal import HFCausalTrainerBuilder
        from axolotl.utils.config import validate_config
        from axolotl.utils.dict import DictDefault
        from axolotl.utils.freeze import freeze_layers_except

        given = {name: value for name, value in plain(data).items() if value is not None}
        cfg = validate_config(DictDefault({**given, "plugins": None, "output_dir": folder}))
        cfg.update(dict.fromkeys(_LEFT_OUT))
        if cfg.unfrozen_parameters and steps is None:
            freeze_layers_except(model, cfg.unfrozen_parameters)
        with patch.object(HFCausalTrainerBuilder, "get_callbacks", lambda _: []):
            yield HFCausalTrainerBuilder(cfg, model, _NoTokenizer()).build(
                steps or cfg.max_steps or 1
            )


class _NoTokenizer:
    """What stands where data would be made into tokens."""

    padding_side = "right"
    pad_token_id = 0
    model_max_length = 1
