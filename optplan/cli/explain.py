"""``optplan explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import CONFIG_HELP, PlainFormatOption, ReportOptions, with_options
from optplan.cli.running import running
from optplan.reporters.formats import PlainFormat


@with_options
def explain(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME", help="Parameters by name or pattern, as 'layer1.*.bias', or modules."
        ),
    ],
    options: PlanRequest,
    to: ReportOptions,
    output_format: PlainFormatOption = PlainFormat.TEXT,
) -> None:
    """Explain why these parameters get what they get, and what modules get in all.

    Example: optplan explain config.py --model resnet50 'layer1.*.bias'

    Exit status: 0 fine, 2 could not do it or a name matches nothing, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.plan import import_first, plan_of
        from optplan.app.presentation import explanation_text
        from optplan.errors import UsageError
        from optplan.plan import Planned
        from optplan.plan.explanation import explain as explained
        from optplan.plan.explanation import modules_among
        from optplan.reporters.explain import explain_json

        import_first((config,), options)
        planned = plan_of(config, options)
        if not isinstance(planned, Planned):
            raise UsageError(
                f"{config!r} is a saved plan, which keeps the rules that won and not those that lost",
                hint="name the config that it was made from",
            )

        def report(width: int | None, color: bool) -> str:
            if output_format is PlainFormat.TEXT:
                return explanation_text(planned, names, width=width, color=color)
            modules = modules_among(planned.plan, names)
            each = [f"{one}.*" if one in modules else one for one in names]
            return explain_json(planned.plan, explained(planned, each))

        to.deliver(report)
