"""``optplan diff``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.delivery import deliver
from optplan.cli.options import PLAN_HELP, ItersPerEpochOption, ReportOptions, with_options
from optplan.cli.running import ExitStatus, running
from optplan.runtime.stdio import remark

_SIDE = f"{PLAN_HELP[:-1]}; or a checkpoint."


class DiffFormat(StrEnum):
    """The formats of ``diff``."""

    TEXT = "text"
    JSON = "json"
    MD = "md"
    CSV = "csv"
    HTML = "html"


@dataclass(frozen=True, kw_only=True)
class SideOptions:
    """The options of one side alone."""

    model_a: Annotated[
        str | None, typer.Option("--model-a", metavar="MODEL", help="The model of A alone.")
    ] = None
    model_b: Annotated[
        str | None, typer.Option("--model-b", metavar="MODEL", help="The model of B alone.")
    ] = None
    function_arg_a: Annotated[
        list[str] | None,
        typer.Option("--arg-a", metavar="NAME=VALUE", help="An argument for the function A alone."),
    ] = None
    function_arg_b: Annotated[
        list[str] | None,
        typer.Option("--arg-b", metavar="NAME=VALUE", help="An argument for the function B alone."),
    ] = None


@with_options
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=_SIDE, show_default=False)],
    b: Annotated[
        str | None,
        typer.Argument(
            metavar="B",
            help="The same; left out, A as it stands in the work tree is compared with the last commit.",
            show_default=False,
        ),
    ] = None,
    *,
    options: PlanRequest,
    to: ReportOptions,
    own: SideOptions,
    iters_per_epoch: ItersPerEpochOption = None,
    full: Annotated[bool, typer.Option("--full", help="List each parameter.")] = False,
    output_format: Annotated[
        DiffFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = DiffFormat.TEXT,
) -> None:
    """Show what changes between two configs, saved plans, revisions or a checkpoint.

    Example: optplan diff HEAD:config.py config.py --model resnet50

    Exit status: 0 the same, 1 differences, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.diff import arguments_of, diff_of
        from optplan.app.diff_sides import sides_of
        from optplan.app.pages import diff_page
        from optplan.app.plan import import_first
        from optplan.reporters.diff.words import labels_of, unread_notes
        from optplan.reporters.formats import format_of

        sides = sides_of(a, b)
        import_first(sides, options)
        arguments = arguments_of(sides, options, (own.function_arg_a, own.function_arg_b))
        found = diff_of(sides, (own.model_a, own.model_b), arguments, options, iters_per_epoch)
        labels = labels_of(sides, found)

        def report(width: int | None, colored: bool) -> str:
            if output_format is DiffFormat.HTML:
                return diff_page(found, labels, full=full)
            render = format_of("optplan.reporters.diff", output_format)
            return render(found, labels, full=full, width=width, color=colored)

        if output_format is DiffFormat.CSV:
            remark(unread_notes(found))
        deliver(report, to.output, to.color, pages=not to.no_pager)
        if not found.is_same:
            raise typer.Exit(ExitStatus.FINDINGS)
