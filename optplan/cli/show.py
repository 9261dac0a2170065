"""``optplan show``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from optplan.cli.options import (
    ArgumentsOption,
    ColorOption,
    DebugOption,
    ModelOption,
    OutputOption,
    QuietOption,
)
from optplan.cli.running import Color, deliver, running
from optplan.names import Rule, Status


class ShowView(StrEnum):
    """What ``show`` shows of a plan."""

    PARAMS = "params"
    TREE = "tree"
    GROUPS = "groups"
    KEYS = "keys"


class ShowFormat(StrEnum):
    """The formats of ``show``."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    HTML = "html"


def show(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A config file, or a plan saved as JSON.")
    ],
    model: ModelOption = None,
    model_arg: ArgumentsOption = None,
    output_format: Annotated[
        ShowFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = ShowFormat.TEXT,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            metavar="PATTERN",
            help="Only parameters of this name, as 'layer1.*.{0-3}.*'.",
        ),
    ] = None,
    rule: Annotated[
        list[Rule] | None, typer.Option("--rule", help="Only parameters that this rule decides.")
    ] = None,
    status: Annotated[
        list[Status] | None, typer.Option("--status", help="Only parameters of this status.")
    ] = None,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the plan: a row per parameter, with the rule that decided it."""
    with running(quiet=quiet, debug=debug):
        from optplan.cli.planning import plan_of
        from optplan.reporters.rows import Narrowing, narrowed
        from optplan.reporters.show_data import show_csv, show_json
        from optplan.reporters.show_text import show_text

        plan = plan_of(config, model, model_arg)
        narrowing = Narrowing(
            patterns=tuple(param or ()), rules=tuple(rule or ()), statuses=tuple(status or ())
        )
        rows = narrowed(plan, narrowing)

        def report(width: int | None, colored: bool) -> str:
            if output_format is ShowFormat.JSON:
                return show_json(plan, rows, narrowing)
            if output_format is ShowFormat.CSV:
                return show_csv(rows)
            return show_text(plan, rows, narrowing, width=width, color=colored)

        deliver(report, output, color)
