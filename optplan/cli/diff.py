"""``optplan diff``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from optplan.cli.options import (
    ArgumentsOption,
    AutoScaleOption,
    BatchSizeOption,
    CacheOption,
    ColorOption,
    DebugOption,
    DialectOption,
    FunctionArgumentsOption,
    ImportOption,
    ItersPerEpochOption,
    MaterializeOption,
    ModelOption,
    OutputOption,
    QuietOption,
    WorldSizeOption,
)
from optplan.cli.running import Color, ExitStatus, deliver, remark, running

_SIDE = "A config file, a plan saved as JSON, REV:path in git, or a checkpoint."


class DiffFormat(StrEnum):
    """The formats of ``diff``."""

    TEXT = "text"
    JSON = "json"
    MD = "md"
    CSV = "csv"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=_SIDE, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The same.", show_default=False)],
    model: ModelOption = None,
    model_a: Annotated[
        str | None, typer.Option("--model-a", metavar="MODEL", help="The model of A alone.")
    ] = None,
    model_b: Annotated[
        str | None, typer.Option("--model-b", metavar="MODEL", help="The model of B alone.")
    ] = None,
    model_arg: ArgumentsOption = None,
    function_arg: FunctionArgumentsOption = None,
    function_arg_a: Annotated[
        list[str] | None,
        typer.Option("--arg-a", metavar="NAME=VALUE", help="An argument for the function A alone."),
    ] = None,
    function_arg_b: Annotated[
        list[str] | None,
        typer.Option("--arg-b", metavar="NAME=VALUE", help="An argument for the function B alone."),
    ] = None,
    world_size: WorldSizeOption = None,
    batch_size: BatchSizeOption = None,
    auto_scale_lr: AutoScaleOption = False,
    imports: ImportOption = None,
    dialect: DialectOption = None,
    iters_per_epoch: ItersPerEpochOption = None,
    full: Annotated[bool, typer.Option("--full", help="List each parameter.")] = False,
    output_format: Annotated[
        DiffFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = DiffFormat.TEXT,
    materialize: MaterializeOption = False,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
    no_cache: CacheOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show what changes between two configs, saved plans, revisions or a checkpoint.

    The exit status is 0 where nothing does, and 1 where something does.
    """
    with running(quiet=quiet, debug=debug, dialect=dialect):
        from optplan.cli.comparing import arguments_of, diff_of
        from optplan.cli.planning import import_first
        from optplan.config import Batch
        from optplan.reporters.diff_data import diff_csv, diff_json
        from optplan.reporters.diff_md import diff_md
        from optplan.reporters.diff_text import diff_text
        from optplan.reporters.diff_words import labels_of, unread_notes

        import_first(imports or (), (a, b), model, trust=False)
        batch = Batch(world_size=world_size, size=batch_size, auto_scale_lr=auto_scale_lr)
        found = diff_of(
            (a, b),
            (model_a, model_b),
            model,
            model_arg,
            batch,
            iters_per_epoch,
            is_cached=not (no_cache or imports),
            function_arguments=arguments_of((a, b), function_arg, (function_arg_a, function_arg_b)),
            materialize=materialize,
        )
        labels = labels_of((a, b), found)

        def report(width: int | None, colored: bool) -> str:
            match output_format:
                case DiffFormat.JSON:
                    return diff_json(found, labels, full=full)
                case DiffFormat.CSV:
                    return diff_csv(found, full=full)
                case DiffFormat.MD:
                    return diff_md(found, labels, full=full)
                case DiffFormat.TEXT:
                    return diff_text(found, labels, full=full, width=width, color=colored)

        if output_format is DiffFormat.CSV:
            remark(unread_notes(found))
        deliver(report, output, color)
        if not found.is_same:
            raise typer.Exit(ExitStatus.FINDINGS)
