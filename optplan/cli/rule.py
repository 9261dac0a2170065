"""``optplan rule``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from optplan.cli.options import ColorOption, DebugOption, OutputOption
from optplan.cli.running import Color, deliver, running


class RuleFormat(StrEnum):
    """The formats of ``rule``."""

    TEXT = "text"
    JSON = "json"


def rule(
    codes: Annotated[
        list[str] | None, typer.Argument(metavar="[CODE...]", help="Checks, as 'OPT103'.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List all checks.")] = False,
    output_format: Annotated[
        RuleFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = RuleFormat.TEXT,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
    debug: DebugOption = False,
) -> None:
    """Print the page of a check: what it finds, a bad config, the mended one."""
    with running(quiet=False, debug=debug):
        from optplan.checks import ALL_CHECKS
        from optplan.checks.lookup import by_code
        from optplan.errors import UsageError
        from optplan.reporters.rules import rule_list, rule_pages, rules_json

        if bool(codes) is everything:
            raise UsageError("which check?", hint="name one: OPT103, or list them: --all")
        found = ALL_CHECKS if everything else by_code(codes or (), ALL_CHECKS)
        found = tuple(sorted(found, key=lambda check: check.code))

        def report(width: int | None, colored: bool) -> str:
            if output_format is RuleFormat.JSON:
                return rules_json(found)
            if everything:
                return rule_list(found, width=width, color=colored)
            return rule_pages(found, color=colored)

        deliver(report, output, color)
