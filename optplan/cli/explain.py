"""``optplan explain``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import CONFIG_HELP, ReportOptions, with_options
from optplan.cli.running import deliver, running


class ExplainFormat(StrEnum):
    """The formats of ``explain``."""

    TEXT = "text"
    JSON = "json"


@with_options
def explain(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="Parameters by name or pattern, as 'layer1.*.bias'."),
    ],
    options: PlanRequest,
    to: ReportOptions,
    output_format: Annotated[
        ExplainFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = ExplainFormat.TEXT,
) -> None:
    """Explain why these parameters get what they get.

    Example: optplan explain config.py --model resnet50 'layer1.*.bias'

    Exit status: 0 fine, 2 could not do it or a name matches nothing, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.plan import import_first, plan_of
        from optplan.errors import UsageError
        from optplan.plan import Planned
        from optplan.plan.explanation import explain as explained
        from optplan.reporters.explain import explain_json, explain_text
        from optplan.reporters.lr_scaling import not_final_text
        from optplan.reporters.plan_summary import rules_text

        import_first((config,), options)
        planned = plan_of(config, options)
        if not isinstance(planned, Planned):
            raise UsageError(
                f"{config!r} is a saved plan, which keeps the rules that won and not those that lost",
                hint="name the config that it was made from",
            )
        found = explained(planned, names)

        def report(width: int | None, colored: bool) -> str:
            if output_format is ExplainFormat.JSON:
                return explain_json(planned.plan, found)
            warning = not_final_text(planned.plan)
            rules = rules_text(planned.plan)
            return explain_text(found, width=width, color=colored, warning=warning, rules=rules)

        deliver(report, to.output, to.color)
