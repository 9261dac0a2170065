"""``optplan show``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.delivery import deliver, shown_on
from optplan.cli.options import PLAN_HELP, ReportOptions, with_options
from optplan.cli.running import running
from optplan.names import Rule, Status
from optplan.reporters.show import ShowFormat, ShowView, require_sense

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optplan.rules.statistics import EntryStatistics

# The views that end with what decides nothing; that of the keys has it in a column.
_WITH_IDLE = frozenset({ShowView.PARAMS, ShowView.TREE, ShowView.SETTINGS})


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
    output_format: Annotated[
        ShowFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = ShowFormat.TEXT
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
        from optplan.app.option_use import entries_of, idle_words
        from optplan.app.plan import import_first, plan_of
        from optplan.errors import UsageError
        from optplan.plan import Planned
        from optplan.reporters.selection import Narrowing, Selection, narrowed
        from optplan.reporters.show.view import show_report

        import_first((config,), options)
        found = plan_of(config, options, of_any_size=view is ShowView.MEMORY)
        plan = found.plan if isinstance(found, Planned) else found
        narrowing = Narrowing(
            patterns=tuple(asked.param or ()),
            rules=tuple(asked.rule or ()),
            statuses=tuple(asked.status or ()),
        )
        idle = idle_words(found) if isinstance(found, Planned) and view in _WITH_IDLE else ""
        rows = narrowed(plan, narrowing)
        folded = ""
        if asked.view is None and _is_too_long(len(rows), asked, to):
            view, folded = ShowView.TREE, f"{len(rows)} rows folded: --view params lists each"
        entries: Sequence[EntryStatistics] = ()
        if view is ShowView.KEYS:
            if not isinstance(found, Planned):
                raise UsageError(
                    f"{config!r} is a saved plan, which keeps no options and keys, only what "
                    "they decided",
                    hint="name the config that it was made from",
                )
            entries = entries_of(found, rows)
        memory = None
        if view is ShowView.MEMORY:
            from optplan.app.memory import memory_of

            memory = memory_of(plan, rows, processes=options.world_size, trusted=options.trust)
        shown = Selection(
            plan=plan,
            rows=rows,
            narrowing=narrowing,
            idle=idle,
            depth=asked.depth,
            entries=entries,
            memory=memory,
            folded=folded,
        )

        def report(width: int | None, colored: bool) -> str:
            if asked.output_format is ShowFormat.HTML:
                from optplan.app.pages import plan_page

                made = found if isinstance(found, Planned) else None
                return plan_page(shown, made, view, config, options)
            return show_report(view, shown, asked.output_format, width=width, color=colored)

        deliver(report, to.output, to.color, pages=not to.no_pager)


def _is_too_long(count: int, asked: ShowOptions, to: ReportOptions) -> bool:
    """Return whether so many rows are more than the terminal shows that they would go to."""
    lines = shown_on().lines
    is_read = asked.output_format is ShowFormat.TEXT and to.output is None
    return is_read and lines is not None and count > lines
