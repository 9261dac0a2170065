"""``optplan check``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.completion import check_codes
from optplan.cli.options import ReportOptions, with_options
from optplan.cli.running import deliver, running
from optplan.names import Severity

if TYPE_CHECKING:
    from optplan.cli.checking import Done


class CheckFormat(StrEnum):
    """The formats of ``check``."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    MD = "md"


@with_options
def check(
    configs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONFIG",
            help="Files, folders and globs; left out, those of the targets in pyproject.toml.",
        ),
    ] = None,
    *,
    options: PlanRequest,
    to: ReportOptions,
    no_model: Annotated[
        bool,
        typer.Option(
            "--no-model", help="Build no models, for speed: only the checks that need none."
        ),
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="CODES",
            help="Only these checks: 'OPT1,OPT203'.",
            autocompletion=check_codes,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="CODES", help="Not these checks.", autocompletion=check_codes
        ),
    ] = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option("--fail-on", help="The least severity that fails.  [default: error]"),
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Findings that are known today."),
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the findings to the baseline.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes to check in.")
    ] = 1,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Show the settings that apply, and stop.")
    ] = False,
    output_format: Annotated[
        CheckFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = CheckFormat.TEXT,
) -> None:
    """Find options without effect and other mistakes, for CI.

    Example: optplan check configs --model resnet50

    Exit status: 0 no findings that fail, 1 findings, 2 nothing could be checked, 3 a bug in optplan.
    """
    from optplan.runtime.workers import started_workers

    with (
        running(quiet=to.quiet, debug=to.debug, dialect=options.dialect),
        started_workers(1 if show_settings else jobs) as workers,
    ):
        from optplan.app.plan import stand_ins
        from optplan.checks import ALL_CHECKS
        from optplan.checks.session import Request
        from optplan.cli.checking import Ending, checked, codes_of, settings_report, target_of
        from optplan.config.recognition import chosen_dialect

        given = target_of(options, no_model=no_model)
        request = Request(
            words=tuple(configs or ()),
            model=given,
            models=not no_model,
            select=codes_of("--select", select, ALL_CHECKS),
            ignore=codes_of("--ignore", ignore, ALL_CHECKS),
            imports=tuple(options.imports or ()),
            overrides=tuple(options.overrides or ()),
            function_arguments=options.function_arguments,
            trust=options.trust,
            dialect=chosen_dialect(),
            stand_ins=stand_ins(trust=options.trust),
            batch=options.batch,
        )
        if show_settings:
            text = settings_report(request, ALL_CHECKS)
            deliver(lambda _width, _color: text, to.output, to.color)
            return
        ending = Ending(
            fail_on=fail_on, exit_zero=exit_zero, baseline=baseline, write_baseline=write_baseline
        )
        done = checked(
            request,
            ALL_CHECKS,
            ending,
            workers,
            is_cached=options.is_cached,
            materialize=options.materialize,
            quiet=to.quiet,
        )
        deliver(
            lambda width, colored: _report(done, output_format, width, colored), to.output, to.color
        )
        status = done.status()
    raise typer.Exit(status)


def _report(done: Done, output_format: CheckFormat, width: int | None, color: bool) -> str:
    """Return the report in one format."""
    from optplan.reporters.formats import format_of
    from optplan.version import __version__

    render = format_of("optplan.reporters.check", output_format)
    return render(
        done.report,
        checks=done.checks,
        fail_on=done.fail_on,
        version=__version__,
        width=width,
        color=color,
    )
