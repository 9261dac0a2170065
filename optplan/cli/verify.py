"""``optplan verify``."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from optplan.cli.options import (
    ArgumentsOption,
    AutoScaleOption,
    BatchSizeOption,
    ColorOption,
    DebugOption,
    FunctionArgumentsOption,
    ImportOption,
    MaterializeOption,
    ModelOption,
    OutputOption,
    QuietOption,
    SetOption,
    TrustOption,
    WorldSizeOption,
    function_arguments,
)
from optplan.cli.running import Color, ExitStatus, deliver, running


class VerifyFormat(StrEnum):
    """The formats of ``verify``."""

    TEXT = "text"
    JSON = "json"


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


def verify(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A config file.")],
    model: ModelOption = None,
    model_arg: ArgumentsOption = None,
    function_arg: FunctionArgumentsOption = None,
    plan: Annotated[
        str | None,
        typer.Option(
            "--plan",
            metavar="PLAN",
            help="Hold the optimizer against this saved plan, instead of the config's own.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps; auto takes CUDA.")
    ] = "auto",
    dtype: Annotated[
        DtypeWord | None,
        typer.Option("--dtype", help="Of the parameters in training; the model's own by default."),
    ] = None,
    steps: Annotated[
        int,
        typer.Option(
            "--steps",
            metavar="N",
            min=1,
            help="Steps with given gradients; with fewer than 4, less is tried.",
        ),
    ] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all values.")] = 0,
    forward: Annotated[
        bool | None,
        typer.Option(
            "--forward/--no-forward",
            help="A step with a random batch; by default where the input is known.",
        ),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="The batch, as 2x3x224x224 or 2x16:int64; one for each argument.",
        ),
    ] = None,
    amp: Annotated[bool, typer.Option("--amp", help="Forward under autocast.")] = False,
    cost: Annotated[bool, typer.Option("--cost/--no-cost", help="Time the steps.")] = True,
    parallel: Annotated[
        ParallelWord | None,
        typer.Option("--parallel", help="Under torchrun: how the processes share the model."),
    ] = None,
    overrides: SetOption = None,
    imports: ImportOption = None,
    trust: TrustOption = False,
    world_size: WorldSizeOption = None,
    batch_size: BatchSizeOption = None,
    auto_scale_lr: AutoScaleOption = False,
    output_format: Annotated[
        VerifyFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = VerifyFormat.TEXT,
    materialize: MaterializeOption = False,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Build and step the real optimizer, and hold each parameter's movement against the plan.

    Groups: lr, decay, options and members are the plan's. Same class: another optimizer of the class, made on
    the plan's groups, does the same. Formula: torch's own implementation of the class's update rule, one tensor
    at a time in float64, does the same to every element, also after lr and decay are changed, a state is loaded,
    a closure is given.

    Not proved: update rules that follow no published formula, schedulers, what begins after 32 steps.
    """
    # DistributedDataParallel advises against what it is given here; read when torch is loaded
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    with running(quiet=quiet, debug=debug):
        from optplan.cli.planning import import_first
        from optplan.cli.verifying import is_first_process, source_of, terms_of
        from optplan.config import Batch
        from optplan.reporters.verify_json import verify_json
        from optplan.reporters.verify_text import verify_text
        from optplan.verify.devices import choose_device
        from optplan.verify.verification import verify as verified

        terms = terms_of(
            dtype=dtype and dtype.value,
            inputs=inputs or (),
            parallel=parallel and parallel.value,
            steps=steps,
            seed=seed,
            forward=forward,
            amp=amp,
            cost=cost,
            shows_progress=not quiet,
        )
        chosen = choose_device(device)
        import_first(imports or (), (config,), model, trust=trust)
        source = source_of(
            config,
            model,
            model_arg,
            plan,
            overrides=overrides or (),
            trust=trust,
            batch=Batch(world_size=world_size, size=batch_size, auto_scale_lr=auto_scale_lr),
            function_arguments=function_arguments(function_arg),
            materialize=materialize,
        )
        found = verified(source, chosen, terms, plan_source=plan)

        def report(width: int | None, colored: bool) -> str:
            if output_format is VerifyFormat.JSON:
                return verify_json(found)
            return verify_text(found, width=width, color=colored)

        if is_first_process():
            deliver(report, output, color)
        if not found.matches:
            raise typer.Exit(ExitStatus.FINDINGS)
