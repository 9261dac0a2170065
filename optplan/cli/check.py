"""``optplan check``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.completion import check_codes
from optplan.cli.delivery import Color, deliver
from optplan.cli.options import ReportOptions, with_options
from optplan.cli.progress import progress_bar
from optplan.cli.running import ExitStatus, running
from optplan.names import Severity

if TYPE_CHECKING:
    from optplan.app.check import CheckResult
    from optplan.checks.discovery import FoundFile
    from optplan.checks.session import Request


class CheckFormat(StrEnum):
    """The formats of ``check``."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    MD = "md"
    CONCISE = "concise"
    GITLAB = "gitlab"
    RDJSON = "rdjson"


class CheckCrashError(Exception):
    """A check raised what it must not: a bug of optplan."""


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options that say which checks run, and what becomes of their findings."""

    no_model: Annotated[
        bool,
        typer.Option(
            "--no-model", help="Build no models, for speed: only the checks that need none."
        ),
    ] = False
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="CODES",
            help="Only these checks: 'OPT1,OPT203'.",
            autocompletion=check_codes,
        ),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="CODES", help="Not these checks.", autocompletion=check_codes
        ),
    ] = None
    fail_on: Annotated[
        Severity | None,
        typer.Option("--fail-on", help="The least severity that fails.  [default: error]"),
    ] = None
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")
    ] = False
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Findings that are known today."),
    ] = None
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the findings to the baseline.")
    ] = False
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, metavar="N", help="Processes to check in.  [default: 1]"
        ),
    ] = None
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The tool's configuration, instead of those that are found.",
        ),
    ] = None
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Read no pyproject.toml and no optplan.toml.")
    ] = False
    stdin_filename: Annotated[
        str,
        typer.Option(
            "--stdin-filename",
            metavar="FILE",
            help="What the config that '-' reads from stdin is called.",
        ),
    ] = "stdin.py"
    show_settings: Annotated[
        bool,
        typer.Option(
            "--show-settings", help="Show the tool's configuration that applies, and stop."
        ),
    ] = False
    statistics: Annotated[
        bool,
        typer.Option("--statistics", help="Count the findings of each check, as text or JSON."),
    ] = False
    output_format: Annotated[
        CheckFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = CheckFormat.TEXT


@with_options
def check(
    configs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONFIG",
            help="Files, folders and globs, '-' for stdin; left out, those of the targets in pyproject.toml.",
        ),
    ] = None,
    *,
    options: PlanRequest,
    to: ReportOptions,
    which: CheckOptions,
) -> None:
    """Find options without effect and other mistakes, for CI.

    Example: optplan check configs --model resnet50

    Exit status: 0 no findings that fail, 1 findings, 2 nothing could be checked, 3 a bug in optplan.
    """
    from optplan.runtime.workers import started_workers

    with (
        running(quiet=to.quiet, debug=to.debug, dialect=options.dialect),
        started_workers(_jobs(which)) as workers,
    ):
        from optplan.app.check import ExitPolicy, applied_configs, check_configs
        from optplan.checks import ALL_CHECKS
        from optplan.reporters.tool_config import settings_text

        _refuse_format(which)
        request = _request(configs or (), options, which)
        if which.show_settings:
            text = "\n".join(map(settings_text, applied_configs(request, ALL_CHECKS)))
            deliver(lambda _width, _color: text, to.output, to.color, pages=not to.no_pager)
            return
        with progress_bar(quiet=to.quiet) as start:
            result = check_configs(
                request,
                ALL_CHECKS,
                workers=workers,
                policy=ExitPolicy(
                    fail_on=which.fail_on,
                    exit_zero=which.exit_zero,
                    baseline=which.baseline,
                    write_baseline=which.write_baseline,
                ),
                is_cached=options.is_cached,
                materialize=options.materialize,
                start=start,
            )
        status = _deliver(result, which, to)
    raise typer.Exit(status)


def _request(words: Sequence[str], options: PlanRequest, which: CheckOptions) -> Request:
    """Return what is to be checked, and how.

    Raises:
        UsageError: Options exclude each other, name a check that there is not, or stdin cannot be read.
    """
    from optplan.app.check import check_request
    from optplan.checks import ALL_CHECKS

    request = check_request(
        words,
        options,
        ALL_CHECKS,
        select=which.select or (),
        ignore=which.ignore or (),
        no_model=which.no_model,
    )
    return replace(
        request,
        config_file=None if which.config_file is None else str(which.config_file),
        is_isolated=which.isolated,
        stdin=_stdin(request.words, which),
    )


def _refuse_format(which: CheckOptions) -> None:
    """Refuse a format that statistics are not written in.

    Raises:
        UsageError: It is one.
    """
    from optplan.errors import UsageError

    if which.statistics and which.output_format not in (CheckFormat.TEXT, CheckFormat.JSON):
        raise UsageError("--statistics is written as text or json", hint="leave --format out")


def _jobs(which: CheckOptions) -> int:
    """Return how many processes check: as the command line says, else as the tool's configuration does."""
    if which.show_settings:
        return 1
    if which.jobs is not None:
        return which.jobs
    from optplan.app.check import configured_jobs
    from optplan.checks import ALL_CHECKS

    return configured_jobs(ALL_CHECKS, which.config_file, is_isolated=which.isolated)


def _stdin(words: Sequence[str], which: CheckOptions) -> FoundFile | None:
    """Return the config on stdin, where ``-`` asks for one.

    Raises:
        UsageError: It is too large, or stdin is closed.
    """
    from optplan.checks.discovery import FoundFile
    from optplan.checks.session import STDIN
    from optplan.config.limits import MAX_FILE_BYTES
    from optplan.errors import UsageError

    if STDIN not in words:
        return None
    if sys.stdin is None:
        raise UsageError("'-' reads a config from stdin, which is closed")
    content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"the config on stdin has more than {MAX_FILE_BYTES} bytes")
    text = content.decode("utf-8", "surrogateescape")
    return FoundFile(which.stdin_filename, named=True, text=text)


def _deliver(result: CheckResult, which: CheckOptions, to: ReportOptions) -> ExitStatus:
    """Write the baseline and the report, and return the exit status.

    Raises:
        CheckCrashError: A check broke down.
    """
    from optplan.errors import listed

    if result.baseline is not None:
        path, text = result.baseline
        deliver(lambda _width, _color: text, path, Color.NEVER)
    deliver(
        lambda width, colored: _text(result, which, width, colored),
        to.output,
        to.color,
        pages=not to.no_pager,
    )
    if result.report.crashes:
        raise CheckCrashError(listed(result.report.crashes, most=3))
    return ExitStatus.FINDINGS if result.fails else ExitStatus.FINE


def _text(result: CheckResult, which: CheckOptions, width: int | None, color: bool) -> str:
    """Return the report, or the counts that are asked for instead."""
    from optplan.reporters.check.statistics import check_statistics
    from optplan.reporters.formats import format_of
    from optplan.version import __version__

    if which.statistics:
        return check_statistics(result.report, as_json=which.output_format is CheckFormat.JSON)
    return format_of("optplan.reporters.check", which.output_format)(
        result.report,
        checks=result.checks,
        fail_on=result.fail_on,
        version=__version__,
        width=width,
        color=color,
    )
