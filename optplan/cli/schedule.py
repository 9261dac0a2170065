"""``optplan schedule``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import (
    CONFIG_HELP,
    ItersPerEpochOption,
    ReportOptions,
    TableFormatOption,
    with_options,
)
from optplan.cli.running import running
from optplan.reporters.formats import TableFormat, write
from optplan.runtime.stdio import remark

if TYPE_CHECKING:
    from optplan.app.config_schedule import Length


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

    @property
    def length(self) -> Length:
        """What is said of the training's length."""
        from optplan.app.config_schedule import Length

        return Length(epochs=self.epochs, iters=self.iters, per_epoch=self.iters_per_epoch)

    @property
    def shown(self) -> dict[str, Any]:
        """Which steps and settings are shown."""
        return {"at": self.at or (), "every": self.every, "patterns": self.param or ()}


@with_options
def schedule(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NEXT[@STEP]]...",
            help="The phases that follow: CONFIG@1000 begins at that step, CONFIG where the one before ends.",
            show_default=False,
        ),
    ] = None,
    *,
    options: PlanRequest,
    to: ReportOptions,
    asked: ScheduleOptions,
    output_format: TableFormatOption = TableFormat.TEXT,
) -> None:
    """Show lr, weight decay and momentum of every setting over the whole training, or over its phases.

    Example: optplan schedule config.py --model resnet50 --at 12ep

    Exit status: 0 fine, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.decay import decay_of
        from optplan.app.pages import schedule_page
        from optplan.app.plan import import_first
        from optplan.app.schedule import scheduled
        from optplan.app.schedule_views import view_of
        from optplan.errors import UsageError
        from optplan.reporters.schedule.decay import decay_report
        from optplan.reporters.schedule.report import schedule_report
        from optplan.reporters.schedule.view import unread_notes

        if asked.topic is ScheduleTopic.DECAY and (asked.at or asked.every):
            raise UsageError(
                "--at and --every are for --view values: decay acts over the whole training"
            )
        if more:
            _phases([config, *more], options, to, asked, output_format)
            return
        import_first((config,), options)
        found = scheduled(config, options, asked.length)
        patterns = asked.param or ()
        is_decay = asked.topic is ScheduleTopic.DECAY
        if is_decay:
            table = decay_report(decay_of(found, patterns=patterns, trusted=options.trust))
        else:
            table = schedule_report(
                view_of(found, samples=SAMPLES.get(output_format, 0), **asked.shown)
            )
            if output_format is TableFormat.CSV:
                remark(unread_notes(found.schedule.unread))
        if output_format is TableFormat.HTML:
            page = schedule_page(
                found, table, is_decay=is_decay, patterns=patterns, options=options
            )
            to.deliver(page)
        else:
            to.deliver(partial(write, output_format, table))


def _phases(
    words: list[str],
    options: PlanRequest,
    to: ReportOptions,
    asked: ScheduleOptions,
    output_format: TableFormat,
) -> None:
    """Show the courses over phases."""
    from optplan.app.phased_schedule import phases_view, scheduled_phases
    from optplan.app.phases import phases_of
    from optplan.app.plan import import_first
    from optplan.errors import UsageError
    from optplan.reporters.schedule.phases_report import phases_report
    from optplan.reporters.schedule.view import unread_notes

    if asked.topic is ScheduleTopic.DECAY:
        raise UsageError("--view decay is of one config", hint="name each phase alone")
    phases = phases_of(words)
    import_first([phase.word for phase in phases], options)
    found = scheduled_phases(phases, options, asked.length)
    view = phases_view(found, samples=SAMPLES.get(output_format, 0), **asked.shown)
    if output_format is TableFormat.CSV:
        unread = [one for phase in view.phases for one in phase.view.courses.schedule.unread]
        remark(list(dict.fromkeys(unread_notes(unread))))
    to.deliver(partial(write, output_format, phases_report(view)))


# How many steps of a course a format draws; the others draw none.
SAMPLES = {TableFormat.TEXT: 256, TableFormat.HTML: 1000}
