"""``optplan show``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.delivery import shown_on
from optplan.cli.options import PLAN_HELP, ReportOptions, TableFormatOption, with_options
from optplan.cli.running import running
from optplan.names import Rule, Status
from optplan.reporters.formats import TableFormat
from optplan.reporters.show import ShowView, require_sense


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """The options that say which view of a plan is shown, and of which parameters."""

    view: Annotated[
        ShowView | None,
        typer.Option(
            "--view",
            metavar="VIEW",
            help="params: a row per parameter; tree: the module tree; settings: the settings with their members; "
            "keys: what each key does; layers: the layers; depth: lr and decay by depth and module type; "
            "memory: that of parameters, gradients and state.  [default: params, or tree where a terminal has "
            "fewer lines than there are parameters]",
        ),
    ] = None
    depth: Annotated[
        int | None,
        typer.Option("--depth", metavar="N", min=0, help="Levels of the tree below the model."),
    ] = None
    output_format: TableFormatOption = TableFormat.TEXT
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            metavar="PATTERN",
            help="Only parameters of this name, as 'layer1.*.{0-3}.*'.",
        ),
    ] = None
    rule: Annotated[
        list[Rule] | None,
        typer.Option(
            "--rule",
            metavar="RULE",
            help=f"Only parameters that this rule decides: {', '.join(Rule)}.",
        ),
    ] = None
    status: Annotated[
        list[Status] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help=f"Only parameters of this status: {', '.join(Status)}.",
        ),
    ] = None


@with_options
def show(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=PLAN_HELP)],
    options: PlanRequest,
    to: ReportOptions,
    asked: ShowOptions,
) -> None:
    """Show what each parameter gets, with the rule that decided it.

    Example: optplan show config.py --model resnet50

    Exit status: 0 fine, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        view = asked.view or ShowView.PARAMS
        require_sense(view, asked.output_format, asked.depth)
        from optplan.app.plan import import_first, plan_of
        from optplan.app.show import for_view, selection_of
        from optplan.plan import Planned
        from optplan.reporters.selection import Narrowing
        from optplan.reporters.show.view import show_report

        import_first((config,), options)
        found = plan_of(config, options, of_any_size=view is ShowView.MEMORY)
        narrowing = Narrowing(
            patterns=tuple(asked.param or ()),
            rules=tuple(asked.rule or ()),
            statuses=tuple(asked.status or ()),
        )
        shown = selection_of(found, narrowing, asked.depth)
        if asked.view is None and _is_too_long(len(shown.rows), asked, to):
            view, count = ShowView.TREE, len(shown.rows)
            shown = replace(shown, folded=f"{count} rows folded: --view params lists each")
        shown = for_view(shown, found, view, config, options)

        def report(width: int | None, color: bool) -> str:
            if asked.output_format is TableFormat.HTML:
                from optplan.app.pages import plan_page

                made = found if isinstance(found, Planned) else None
                return plan_page(shown, made, view, config, options)
            return show_report(view, shown, asked.output_format, width=width, color=color)

        to.deliver(report)


def _is_too_long(count: int, asked: ShowOptions, to: ReportOptions) -> bool:
    """Return whether so many rows are more than the terminal shows that they would go to."""
    lines = shown_on().lines
    is_read = asked.output_format is TableFormat.TEXT and to.output is None
    return is_read and lines is not None and count > lines
