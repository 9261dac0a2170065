"""``optplan scale``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import CONFIG_HELP, ReportOptions, TableFormatOption, with_options
from optplan.cli.running import running
from optplan.reporters.formats import TableFormat, write


@with_options
def scale(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    options: PlanRequest,
    to: ReportOptions,
    along: Annotated[
        str | None,
        typer.Option(
            "--along",
            metavar="NAME",
            help="The argument of -k that varies, where several have more than one value.",
        ),
    ] = None,
    output_format: TableFormatOption = TableFormat.TEXT,
) -> None:
    """Show how lr, weight decay and initialization change with the model's width, beside µP.

    Example: optplan scale train.py:make_optimizer --model net.py:Net -k width=256,512,1024

    Exit status: 0 fine, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.plan import import_first
        from optplan.app.scale import scale_of
        from optplan.reporters.scale import scale_report

        import_first((config,), options)
        report = scale_report(scale_of(config, options, along))
        to.deliver(partial(write, output_format, report))
