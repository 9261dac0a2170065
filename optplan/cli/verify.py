"""``optplan verify``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import CONFIG_HELP, PlainFormatOption, ReportOptions, with_options
from optplan.cli.running import ExitStatus, running
from optplan.reporters.formats import PlainFormat, format_of


class ParallelWord(StrEnum):
    """How several processes train one model."""

    DDP = "ddp"
    FSDP = "fsdp"
    ZERO = "zero"


class DtypeWord(StrEnum):
    """The dtypes of ``--dtype``."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT64 = "float64"


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """The options that say what is stepped, and how."""

    plan: Annotated[
        str | None,
        typer.Option(
            "--plan",
            metavar="PLAN",
            help="Hold the optimizer against this saved plan, instead of the config's own.",
        ),
    ] = None
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps; auto takes CUDA.")
    ] = "auto"
    dtype: Annotated[
        DtypeWord | None,
        typer.Option("--dtype", help="Of the parameters in training; the model's own by default."),
    ] = None
    steps: Annotated[
        int,
        typer.Option(
            "--steps",
            metavar="N",
            min=1,
            help="Steps with given gradients; with fewer than 4, less is tried.",
        ),
    ] = 4
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 0
    forward: Annotated[
        bool | None,
        typer.Option(
            "--forward/--no-forward",
            help="A step with a random batch; by default where the input is known.",
        ),
    ] = None
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="The batch, as 2x3x224x224 or 2x16:int64; one for each argument.",
        ),
    ] = None
    amp: Annotated[bool, typer.Option("--amp", help="Forward under autocast.")] = False
    cost: Annotated[bool, typer.Option("--cost/--no-cost", help="Time the steps.")] = True
    parallel: Annotated[
        ParallelWord | None,
        typer.Option("--parallel", help="Under torchrun: how the processes share the model."),
    ] = None


@with_options
def verify(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    options: PlanRequest,
    to: ReportOptions,
    asked: StageOptions,
    output_format: PlainFormatOption = PlainFormat.TEXT,
) -> None:
    """Build and step the real optimizer, and hold each parameter's movement against the plan.

    Example: optplan verify config.py --model resnet50

    Groups: lr, decay, options and members are the plan's. Same class: another optimizer of the class, made on
    the plan's groups, does the same. Formula: torch's own implementation of the class's update rule, one tensor
    at a time in float64, does the same to every element, also after lr and decay are changed, a state is loaded,
    a closure is given.

    Not proved: update rules that follow no published formula, schedulers, what begins after 33 steps.
    What each stage proves, and what it finds: .github/docs/verify.md of the repository.

    Exit status: 0 matches, 1 a mismatch, 2 could not do it, 3 a bug in optplan.
    """
    # DistributedDataParallel advises against what it is given here; read when torch is loaded
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.plan import import_first
        from optplan.app.verify import is_first_process, source_of, terms_of
        from optplan.verify.devices import choose_device
        from optplan.verify.verification import verify as verified

        terms = terms_of(
            dtype=asked.dtype and asked.dtype.value,
            inputs=asked.inputs or (),
            parallel=asked.parallel and asked.parallel.value,
            steps=asked.steps,
            seed=asked.seed,
            forward=asked.forward,
            amp=asked.amp,
            cost=asked.cost,
        )
        chosen = choose_device(asked.device)
        import_first((config,), options)
        source = source_of(config, options, asked.plan)
        found = verified(source, chosen, terms, plan_source=asked.plan)

        if is_first_process():
            to.deliver(partial(format_of("optplan.reporters.verify", output_format), found))
        if not found.matches:
            raise typer.Exit(ExitStatus.FINDINGS)
