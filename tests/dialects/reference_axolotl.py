"""axolotl's trainer by its own builder, with all that a file says but what asks for a GPU or other processes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import yaml
from torch import nn
from torch.optim import Optimizer

# What asks for a GPU, for other processes or for the network.
_OTHERS = (
    "activation_offloading", "bf16", "bfloat16", "chat_template", "deepspeed", "fp16", "fsdp", "fsdp_config",
    "gradient_checkpointing", "layer_offloading", "tf32", "torch_compile", "use_mlflow", "use_wandb",
)  # fmt: skip


def model_of(path: Path) -> nn.Module:
    """Return a small Llama, with an adapter where the file trains one."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    entries = yaml.safe_load(path.read_text())
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2, "vocab_size": 16}
    model: nn.Module = LlamaForCausalLM(LlamaConfig(**sizes, num_hidden_layers=2))
    if not isinstance(entries, dict) or not entries.get("adapter"):
        return model
    adapted: nn.Module = get_peft_model(
        model, LoraConfig(r=2, target_modules=["q_proj", "v_proj", "lm_head"])
    )
    return adapted


def trainer_of(path: Path, model: nn.Module, folder: str, **changed: Any) -> Any:
    """Return the trainer of a file."""
    from axolotl.core.builders.causal import HFCausalTrainerBuilder
    from axolotl.utils.config import validate_config
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.freeze import freeze_layers_except

    entries = yaml.safe_load(path.read_text())
    entries.pop("plugins", None)
    cfg = validate_config(DictDefault({**entries, "output_dir": folder, **changed}))
    for name in _OTHERS:
        cfg[name] = None
    if cfg.unfrozen_parameters:
        freeze_layers_except(model, cfg.unfrozen_parameters)
    return HFCausalTrainerBuilder(cfg, model, MagicMock()).build(changed.get("max_steps", 100))


def reference(path: Path, model: nn.Module) -> Optimizer:
    """Return the optimizer that axolotl makes of a file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict(os.environ, {"AXOLOTL_DO_NOT_TRACK": "1"}),
    ):
        made: Optimizer = trainer_of(path, model, folder).create_optimizer()
    return made
