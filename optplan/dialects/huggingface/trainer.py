"""The library's own ``Trainer`` on a model without memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from importlib import util
from typing import Any

from torch import nn

from optplan.constructors.observed_groups import others_code
from optplan.dialects.huggingface.arguments import TrainerArgs
from optplan.errors import PlanError, did_you_mean, quoted
from optplan.model.device_moves import ignore_device_moves
from optplan.places import Place
from optplan.runtime.stdio import suppress_transformers_output

# Arguments about the machine and about what surrounds the training, which need not be there for a plan.
_LEFT_OUT = frozenset(
    {
        "accelerator_config", "activation_checkpointing", "activation_checkpointing_kwargs", "bf16",
        "bf16_full_eval", "deepspeed", "fp16", "fp16_full_eval", "fsdp", "fsdp_config",
        "gradient_checkpointing", "gradient_checkpointing_kwargs", "hub_token", "liger_kernel_config",
        "local_rank", "log_level", "output_dir", "parallelism_config", "push_to_hub", "report_to", "tf32",
        "torch_compile", "torch_compile_backend", "torch_compile_mode", "use_cpu", "use_liger_kernel",
    }
)  # fmt: skip
_NEEDED = ("transformers", "accelerate")


@contextmanager
def made_trainer(
    args: TrainerArgs, model: nn.Module, changed: Mapping[str, Any] | None = None
) -> Iterator[Any]:
    """Make the library's trainer of a model, in a folder that is removed afterwards.

    Args:
        args: Its arguments.
        model: The model.
        changed: Arguments that count instead.

    Raises:
        PlanError: The library is not installed, or refuses the arguments or the model.
    """
    require_library()
    with (
        tempfile.TemporaryDirectory() as folder,
        ignore_device_moves(),
        suppress_transformers_output(),
        _raised(args),
    ):
        import transformers

        _refuse_unknown_names(args)
        known = {one.name for one in fields(transformers.TrainingArguments) if one.init}
        given = {n: v for n, v in args.written.items() if n in known and n not in _LEFT_OUT}
        arguments = transformers.TrainingArguments(
            **{**given, **(changed or {})}, output_dir=folder, report_to="none", use_cpu=True
        )
        yield transformers.Trainer(model=model, args=arguments)


def require_library() -> None:
    """Refuse to go on without the library.

    Raises:
        PlanError: A package of it is not installed.
    """
    if missing := [name for name in _NEEDED if util.find_spec(name) is None]:
        raise PlanError(
            f"the optimizer is made by transformers' Trainer, and {' and '.join(missing)} is not installed",
            hint=f"pip install {' '.join(missing)}",
        )


def _refuse_unknown_names(args: TrainerArgs) -> None:
    """Refuse an optimizer or a scheduler that the library does not have.

    Raises:
        PlanError: There is one.
    """
    from transformers.trainer_utils import SchedulerType
    from transformers.training_args import OptimizerNames

    for name, kinds in (("optim", OptimizerNames), ("lr_scheduler_type", SchedulerType)):
        value, known = args.written.get(name), [str(kind.value) for kind in kinds]
        if name in args.written and value not in known:
            raise PlanError(
                f"transformers has no {name} {quoted(str(value))}",
                place=args.place_of(name),
                hint=did_you_mean(str(value), known),
            )


@contextmanager
def _raised(args: TrainerArgs) -> Iterator[None]:
    """Place what the library raises at the argument that it names."""
    try:
        with others_code("transformers.Trainer", None):
            yield
    except PlanError as error:
        problems = [
            replace(one, place=one.place or _named(args, one.message)) for one in error.problems
        ]
        raise PlanError(problems) from error


def _named(args: TrainerArgs, message: str) -> Place | None:
    found = (name for name in sorted(args.written, key=len, reverse=True) if name in message)
    return args.place_of(next(found, next(iter(args.written))))
