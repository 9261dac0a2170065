"""``optplan diff``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import (
    PLAN_HELP,
    ItersPerEpochOption,
    ReportOptions,
    TableFormatOption,
    with_options,
)
from optplan.cli.running import ExitStatus, running
from optplan.reporters.formats import TableFormat
from optplan.runtime.stdio import remark

if TYPE_CHECKING:
    from optplan.plan.changes import PlanDiff
    from optplan.reporters.diff.words import Labels

_SIDE = f"{PLAN_HELP[:-1]}; or a checkpoint."


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

    def for_sides(self, count: int) -> tuple[list[str | None], list[tuple[str, list[str] | None]]]:
        """Return the models of the sides, and their letters with the arguments of each.

        Raises:
            UsageError: There are more than two sides, and an option is for one of two.
        """
        if count == 2:
            own = [("a", self.function_arg_a), ("b", self.function_arg_b)]
            return [self.model_a, self.model_b], own
        for name, value in {
            "--model-a": self.model_a,
            "--model-b": self.model_b,
            "--arg-a": self.function_arg_a,
            "--arg-b": self.function_arg_b,
        }.items():
            if value is not None:
                from optplan.errors import UsageError

                raise UsageError(
                    f"{name} is for two sides, and here are {count}",
                    hint="--model and --arg are for all phases",
                )
        return [None] * count, []


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
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[C]...",
            help="The phases that follow, each compared with the one before.",
            show_default=False,
        ),
    ] = None,
    *,
    options: PlanRequest,
    to: ReportOptions,
    own: SideOptions,
    iters_per_epoch: ItersPerEpochOption = None,
    full: Annotated[bool, typer.Option("--full", help="List each parameter.")] = False,
    output_format: TableFormatOption = TableFormat.TEXT,
) -> None:
    """Show what changes between two configs, saved plans, revisions or a checkpoint; or from phase to phase.

    Example: optplan diff HEAD:config.py config.py --model resnet50

    Exit status: 0 the same, 1 differences, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.diff import arguments_of, diffs_of
        from optplan.app.phases import phases_of, sides_of
        from optplan.app.plan import import_first
        from optplan.reporters.diff.words import labels_of, unread_notes

        words = [word for word in (a, b, *(more or ())) if word is not None]
        sides = sides_of([phase.word for phase in phases_of(words)])
        models, own_arguments = own.for_sides(len(sides))
        import_first(sides, options)
        arguments = arguments_of(sides, options, own_arguments)
        found = diffs_of(sides, models, arguments, options, iters_per_epoch)
        said = words if len(words) == len(sides) else sides
        labels = [labels_of(pair, one) for pair, one in zip(pairwise(said), found, strict=True)]

        if output_format is TableFormat.CSV:
            remark(list(dict.fromkeys(note for one in found for note in unread_notes(one))))
        to.deliver(partial(_report, output_format, found, labels, full))
        if not all(one.is_same for one in found):
            raise typer.Exit(ExitStatus.FINDINGS)


def _report(
    output_format: TableFormat,
    found: Sequence[PlanDiff],
    labels: Sequence[Labels],
    full: bool,
    width: int | None,
    color: bool,
) -> str:
    if output_format is TableFormat.HTML:
        from optplan.app.pages import diff_page

        return diff_page(found, labels, full=full)
    from optplan.reporters.diff import report_of

    return report_of(output_format, found, labels)(full=full, width=width, color=color)
