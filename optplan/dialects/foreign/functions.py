"""The plain functions that make the optimizers of other trainers: three lines of Python, with what their file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Entries that are no arguments of an optimizer's class.
_NO_ARGUMENTS = ("_name", "_target_", "name", "sched", "groups", "type")
# What transformers' trainer takes of a file, by the names that it may have there.
_TRAINER = {
    **{name: name for name in ("learning_rate", "weight_decay", "adam_beta1", "adam_beta2")},
    **{name: name for name in ("adam_epsilon", "optim")},
    "lr": "learning_rate",
    "optimizer": "optim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFunction:
    """A function of the model that makes a trainer's optimizer.

    Args:
        imports: Its first line.
        result: What it returns: ``{path}`` is the file, ``{stem}`` its name without ending, ``{name}`` the section's
            own ``name``, ``{arguments}`` what the section says, each with a comma before it.
        section: The section with the arguments, by names with dots between them; '' for the whole file.
        names: What an argument is called in Python, by its name in the file; None for all, as they are.
    """

    imports: str
    result: str
    section: str = ""
    names: Mapping[str, str] | None = None

    def lines(self, data: Mapping[str, Any], path: str) -> tuple[str, ...]:
        """Return its three lines for a file.

        Args:
            data: The file's entries.
            path: The file.
        """
        section: Any = data
        for part in filter(None, self.section.split(".")):
            section = section.get(part) if isinstance(section, Mapping) else None
        section = section if isinstance(section, Mapping) else {}
        known = {
            "path": repr(path),
            "stem": Path(path).stem,
            "name": repr(section.get("name", "adamw")),
            "arguments": _arguments(section, self.names),
        }
        fields = (self.imports.format(**known), self.result.format(**known))
        return (fields[0], "def make_optimizer(model):", f"    {fields[1]}")


def _arguments(section: Mapping[str, Any], names: Mapping[str, str] | None) -> str:
    given = {name: _value(value) for name, value in section.items()}
    if names is not None:
        given = {names[name]: value for name, value in given.items() if name in names}
    return "".join(
        f", {name}={value!r}"
        for name, value in given.items()
        if name not in _NO_ARGUMENTS
        and str(name).isidentifier()
        and isinstance(value, int | float | list | str)
    )


def _value(value: Any) -> Any:
    """Return a number that YAML takes for text, such as 1e-4, as a number."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


TRAINER = PlainFunction(
    imports="from transformers import Trainer, TrainingArguments",
    result='return Trainer(model, TrainingArguments("out"{arguments}))',
    names=_TRAINER,
)
LLAMA_FACTORY = PlainFunction(
    imports="import yaml, transformers, llamafactory.hparams as hparams",
    result="return transformers.Trainer(model, hparams.get_train_args(yaml.safe_load(open({path})))[2])",
)
NEMO = PlainFunction(
    imports="from nemo.core.optim.optimizers import get_optimizer",
    result="return get_optimizer({name})(model.parameters(){arguments})",
    section="model.optim",
)
OLMO_CORE = PlainFunction(
    imports="import json, olmo_core.optim as optim",
    result='return optim.OptimConfig.from_dict(json.load(open({path}))["train_module"]["optim"]).build(model)',
)
OLMO_CORE_SCRIPT = PlainFunction(
    imports="from olmo_core.optim import SkipStepAdamWConfig  # or the class that the script has",
    result="return SkipStepAdamWConfig(lr=..., weight_decay=...).build(model)  # with its values",
)
PLAIN_CLASS = PlainFunction(
    imports="import torch",
    result="return torch.optim.AdamW(model.parameters(), lr=..., weight_decay=...)  # the file's class and values",
)
DETECTRON2 = PlainFunction(
    imports="from detectron2 import config, solver",
    result="cfg = config.get_cfg(); cfg.merge_from_file({path}); return solver.build_optimizer(cfg, model)",
)
LAZY_CONFIG = PlainFunction(
    imports="from detectron2.config import LazyConfig, instantiate",
    result="o = LazyConfig.load({path}).optimizer; o.params.model = model; return instantiate(o)",
)
TORCHTITAN = PlainFunction(
    imports="import {stem} as registry",
    result="return registry.NAME().optimizer.build(model_parts=[model]).optimizers[0]",
)
