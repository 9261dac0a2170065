"""``optplan checks``."""

from __future__ import annotations

from typing import Annotated

import typer

from optplan.cli.options import PlainFormatOption, ReportOptions, check_codes, with_options
from optplan.cli.running import running
from optplan.reporters.formats import PlainFormat


@with_options
def checks(
    codes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CODE",
            help="Checks, as 'OPT103'; 'OPT1' lists those that begin so; left out, all are listed.",
            autocompletion=check_codes,
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="List all checks.", hidden=True)
    ] = False,
    output_format: PlainFormatOption = PlainFormat.TEXT,
    to: ReportOptions,
) -> None:
    """List the checks, or print the page of one: what it finds, a bad config, the mended one.

    Example: optplan checks OPT103

    Exit status: 0 fine, 2 there is no such check, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug):
        from optplan.checks import ALL_CHECKS
        from optplan.checks.selection import by_code
        from optplan.errors import UsageError
        from optplan.reporters.check.pages import check_list, check_pages, checks_json

        if codes and everything:
            raise UsageError("--all lists all checks, and some are named")
        found, is_exact = by_code(codes, ALL_CHECKS) if codes else (ALL_CHECKS, False)
        found = tuple(sorted(found, key=lambda check: check.code))

        def report(width: int | None, color: bool) -> str:
            if output_format is PlainFormat.JSON:
                return checks_json(found)
            if is_exact:
                return check_pages(found, width=width, color=color)
            return check_list(found, width=width, color=color)

        to.deliver(report)
