"""``optplan schedule``."""

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
    SetOption,
    TrustOption,
    WorldSizeOption,
    function_arguments,
)
from optplan.cli.running import Color, deliver, remark, running


class ScheduleFormat(StrEnum):
    """The formats of ``schedule``."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


def schedule(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A config file.")],
    model: ModelOption = None,
    model_arg: ArgumentsOption = None,
    function_arg: FunctionArgumentsOption = None,
    iters_per_epoch: ItersPerEpochOption = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", metavar="N", min=1, help="Train so many epochs instead."),
    ] = None,
    iters: Annotated[
        int | None,
        typer.Option("--iters", metavar="N", min=1, help="Train so many iterations instead."),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="STEP|EPOCH|PERCENT",
            help="Show this step alone, as 1000, 12ep or 50%; repeatable.",
        ),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option("--every", metavar="N", min=1, help="Show every so many steps."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", metavar="PATTERN", help="Only the settings of parameters of this name."
        ),
    ] = None,
    output_format: Annotated[
        ScheduleFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = ScheduleFormat.TEXT,
    overrides: SetOption = None,
    imports: ImportOption = None,
    dialect: DialectOption = None,
    trust: TrustOption = False,
    world_size: WorldSizeOption = None,
    batch_size: BatchSizeOption = None,
    auto_scale_lr: AutoScaleOption = False,
    materialize: MaterializeOption = False,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
    no_cache: CacheOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show lr, weight decay and momentum of every setting over the whole training."""
    with running(quiet=quiet, debug=debug, dialect=dialect):
        from optplan.cli.planning import import_first
        from optplan.cli.scheduling import Length, scheduled, view_of
        from optplan.config import Batch
        from optplan.reporters.schedule_data import schedule_csv, schedule_json
        from optplan.reporters.schedule_html import schedule_html
        from optplan.reporters.schedule_text import schedule_text
        from optplan.reporters.schedule_view import unread_notes

        import_first(imports or (), (config,), model, trust=trust)
        batch = Batch(world_size=world_size, size=batch_size, auto_scale_lr=auto_scale_lr)
        length = Length(epochs=epochs, iters=iters, per_epoch=iters_per_epoch)
        found = scheduled(
            config,
            model,
            model_arg,
            length,
            overrides=overrides or (),
            trust=trust,
            batch=batch,
            is_cached=not (no_cache or trust or imports),
            function_arguments=function_arguments(function_arg),
            materialize=materialize,
        )
        samples = SAMPLES[output_format]
        view = view_of(found, at=at or (), every=every, patterns=param or (), samples=samples)

        def report(width: int | None, colored: bool) -> str:
            match output_format:
                case ScheduleFormat.JSON:
                    return schedule_json(view)
                case ScheduleFormat.CSV:
                    return schedule_csv(view)
                case ScheduleFormat.HTML:
                    return schedule_html(view)
                case ScheduleFormat.TEXT:
                    return schedule_text(view, width=width, color=colored)

        if output_format is ScheduleFormat.CSV:
            remark(unread_notes(view))
        deliver(report, output, color)


# How many steps of a course a format draws.
SAMPLES = {
    ScheduleFormat.TEXT: 256,
    ScheduleFormat.JSON: 0,
    ScheduleFormat.CSV: 0,
    ScheduleFormat.HTML: 1000,
}
