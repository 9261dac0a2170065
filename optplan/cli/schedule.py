"""``optplan schedule``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.delivery import deliver
from optplan.cli.options import CONFIG_HELP, ItersPerEpochOption, ReportOptions, with_options
from optplan.cli.running import running
from optplan.runtime.stdio import remark


class ScheduleFormat(StrEnum):
    """The formats of ``schedule``."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    HTML = "html"


class ScheduleTopic(StrEnum):
    """What ``schedule`` shows of a training."""

    VALUES = "values"
    DECAY = "decay"


@dataclass(frozen=True, kw_only=True)
class ScheduleOptions:
    """The options that say how long the training is, and what of it is shown."""

    iters_per_epoch: ItersPerEpochOption = None
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", metavar="N", min=1, help="Train so many epochs instead."),
    ] = None
    iters: Annotated[
        int | None,
        typer.Option("--iters", metavar="N", min=1, help="Train so many iterations instead."),
    ] = None
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="STEP|EPOCH|PERCENT",
            help="Show this step alone, as 1000, 12ep or 50%; repeatable.",
        ),
    ] = None
    every: Annotated[
        int | None,
        typer.Option("--every", metavar="N", min=1, help="Show every so many steps."),
    ] = None
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", metavar="PATTERN", help="Only the settings of parameters of this name."
        ),
    ] = None
    topic: Annotated[
        ScheduleTopic,
        typer.Option(
            "--view",
            help="The values of each setting, or what weight decay leaves of its weights.",
        ),
    ] = ScheduleTopic.VALUES


@with_options
def schedule(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    options: PlanRequest,
    to: ReportOptions,
    asked: ScheduleOptions,
    output_format: Annotated[
        ScheduleFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = ScheduleFormat.TEXT,
) -> None:
    """Show lr, weight decay and momentum of every setting over the whole training.

    Example: optplan schedule config.py --model resnet50 --at 12ep

    Exit status: 0 fine, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.decay import decay_of
        from optplan.app.pages import schedule_page
        from optplan.app.plan import import_first
        from optplan.app.schedule import Length, scheduled, view_of
        from optplan.errors import UsageError
        from optplan.reporters.formats import write
        from optplan.reporters.schedule.decay import decay_report
        from optplan.reporters.schedule.report import schedule_report
        from optplan.reporters.schedule.view import unread_notes

        if asked.topic is ScheduleTopic.DECAY and (asked.at or asked.every):
            raise UsageError(
                "--at and --every are for --view values: decay acts over the whole training"
            )
        import_first((config,), options)
        length = Length(epochs=asked.epochs, iters=asked.iters, per_epoch=asked.iters_per_epoch)
        found = scheduled(config, options, length)
        patterns = asked.param or ()
        is_decay = asked.topic is ScheduleTopic.DECAY
        if is_decay:
            table = decay_report(decay_of(found, patterns=patterns, trusted=options.trust))
        else:
            samples = SAMPLES[output_format]
            view = view_of(
                found, at=asked.at or (), every=asked.every, patterns=patterns, samples=samples
            )
            table = schedule_report(view)

        def report(width: int | None, colored: bool) -> str:
            if output_format is ScheduleFormat.HTML:
                return schedule_page(
                    found, table, is_decay=is_decay, patterns=patterns, options=options
                )
            return write(output_format, table, width=width, color=colored)

        if output_format is ScheduleFormat.CSV and not is_decay:
            remark(unread_notes(found.schedule.unread))
        deliver(report, to.output, to.color, pages=not to.no_pager)


# How many steps of a course a format draws.
SAMPLES = {
    ScheduleFormat.TEXT: 256,
    ScheduleFormat.JSON: 0,
    ScheduleFormat.CSV: 0,
    ScheduleFormat.MD: 0,
    ScheduleFormat.HTML: 1000,
}
