"""Files of ``TrainingArguments`` as ``HfArgumentParser`` reads them: recognized and read without the library."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from optplan.config.paramwise import number_problem
from optplan.config.placed import place_of
from optplan.dialects.protocol import resembles
from optplan.errors import ConfigError, Problem, did_you_mean
from optplan.places import Place
from optplan.runtime.installed import package_folder

# Names that no other trainer's files have at their top; two of these, or one with more of the others.
_SIGNS = frozenset(
    {
        "adam_beta1", "adam_beta2", "adam_epsilon", "eval_strategy", "evaluation_strategy",
        "gradient_accumulation_steps", "learning_rate", "load_best_model_at_end", "logging_steps",
        "lr_scheduler_kwargs", "lr_scheduler_type", "max_grad_norm", "num_train_epochs", "optim_args",
        "optim_target_modules", "per_device_eval_batch_size", "per_device_train_batch_size",
        "remove_unused_columns", "save_strategy", "save_total_limit", "warmup_ratio",
    }
)  # fmt: skip
_OTHERS = frozenset(
    {
        "bf16", "do_eval", "do_train", "eval_steps", "fp16", "max_steps", "optim", "output_dir",
        "report_to", "save_steps", "seed", "warmup_steps", "weight_decay",
    }
)  # fmt: skip
# What is said of an entry that is none of the library's.
UNKNOWN = (
    "in the training arguments is none: HfArgumentParser refuses it, unless another dataclass of the script "
    "takes it"
)
_SECTIONS = ("optim_wrapper", "optimizer", "opt")
_NUMBERS = (
    "learning_rate", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "warmup_steps",
    "max_steps", "num_train_epochs", "gradient_accumulation_steps",
)  # fmt: skip

_SCHEDULE = frozenset(
    {
        "gradient_accumulation_steps", "lr_scheduler_kwargs", "lr_scheduler_type", "max_steps",
        "num_train_epochs", "warmup_ratio", "warmup_steps",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerArgs:
    """The arguments of a training.

    Args:
        written: The file's entries, which know their places.
    """

    written: Mapping[str, Any]

    def place_of(self, name: str) -> Place | None:
        """Return where an argument is written, None where the library's default holds."""
        return place_of(self.written, name)

    @property
    def schedule(self) -> dict[str, Any]:
        """The arguments that say how the lr moves, and for how long."""
        return {name: value for name, value in self.written.items() if name in _SCHEDULE}

    @property
    def unknown(self) -> tuple[str, ...]:
        """The entries that are no arguments of the installed library; none where it is not installed."""
        known = known_arguments()
        return tuple(name for name in self.written if known and name not in known)


def signs_of(data: Mapping[str, Any]) -> list[str]:
    """Return the entries that tell ``TrainingArguments``; none where it is no file of these.

    A file of these has their names, and no optimizer section.
    """
    if any(name in data for name in _SECTIONS):
        return []
    signs, others = sorted(_SIGNS & data.keys()), _OTHERS & data.keys()
    if len(signs) >= 2 or (signs and others):
        return signs
    is_short = "output_dir" in data and isinstance(data.get("optim"), str)
    return ["optim", "output_dir"] if is_short else []


def read_training_arguments(data: Mapping[str, Any]) -> TrainerArgs:
    """Return a file's arguments.

    Raises:
        ConfigError: A value that must be a number is none.
    """
    problems = [_number(data, name) for name in _NUMBERS if name in data]
    if found := [problem for problem in problems if problem is not None]:
        raise ConfigError(found)
    return TrainerArgs(written=data)


def _number(data: Mapping[str, Any], name: str) -> Problem | None:
    problem = number_problem(data, name)
    if problem is None or not isinstance(data[name], str):
        return problem
    return Problem(
        message=problem.message,
        place=problem.place,
        hint="it is text: YAML takes 1e-4 for text, and 1.0e-4 for a number",
    )


def unknown_argument(args: TrainerArgs, name: str) -> Problem:
    """Return what to say of an entry that is no argument of the installed library."""
    return Problem(
        message=f"{name!r} {UNKNOWN}",
        place=args.place_of(name),
        hint=did_you_mean(name, known_arguments()),
    )


def is_mistake(name: str) -> bool:
    """Return whether an unknown entry was meant as an argument of the library: of another version, or misspelt.

    Others may belong to further dataclasses of the script.
    """
    return name in _SIGNS | _OTHERS or resembles(name, known_arguments())


@cache
def known_arguments() -> frozenset[str]:
    """Return the names of the installed library's arguments, read from its source; none if it is not there."""
    folder = package_folder("transformers")
    if folder is None:
        return frozenset()
    try:
        tree = ast.parse(Path(folder, "training_args.py").read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return frozenset()
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    body = next((one.body for one in classes if one.name == "TrainingArguments"), [])
    fields = (node.target for node in body if isinstance(node, ast.AnnAssign))
    return frozenset(target.id for target in fields if isinstance(target, ast.Name))
