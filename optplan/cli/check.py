"""``optplan check``."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from optplan.app.request import PlanRequest
from optplan.cli.check_options import CheckFormat, CheckOptions
from optplan.cli.delivery import Color, deliver
from optplan.cli.options import ReportOptions, with_options
from optplan.cli.running import ExitStatus, running

if TYPE_CHECKING:
    from optplan.app.check import CheckResult, Mending
    from optplan.checks.discovery import FoundFile
    from optplan.checks.session import Request
    from optplan.config.edits import Fixes


class CheckCrashError(Exception):
    """A check raised what it must not: a bug of optplan."""


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
        from optplan.app.check import ExitPolicy, check_configs
        from optplan.app.check_request import applied_configs
        from optplan.checks import ALL_CHECKS
        from optplan.reporters.tool_config import settings_text

        _refuse(configs or (), which)
        request = _request(configs or (), options, which)
        if which.show_settings:
            text = "\n".join(map(settings_text, applied_configs(request, ALL_CHECKS)))
            to.deliver(text)
            return

        def run() -> tuple[ExitStatus, frozenset[str]]:
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
                    mending=_mending(which),
                    start=start,
                )
            return _deliver(result, which, to), result.files

        if which.watch:
            _watch(run, request)
        status, _ = run()
    raise typer.Exit(status)


def _watch(run: Callable[[], tuple[ExitStatus, frozenset[str]]], request: Request) -> NoReturn:
    """Check again after each change, until an interrupt ends the process."""
    from optplan.checks import ALL_CHECKS
    from optplan.checks.session import found_files
    from optplan.cli.watching import run_watched

    run_watched(run, lambda: found_files(request, ALL_CHECKS))


def _request(words: Sequence[str], options: PlanRequest, which: CheckOptions) -> Request:
    """Return what is to be checked, and how.

    Raises:
        UsageError: Options exclude each other, name a check that there is not, or stdin cannot be read.
    """
    from optplan.app.check_request import check_request
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


def _refuse(words: Sequence[str], which: CheckOptions) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: There are such.
    """
    from optplan.checks.session import STDIN
    from optplan.errors import UsageError

    if which.statistics and which.output_format not in (CheckFormat.TEXT, CheckFormat.JSON):
        raise UsageError("--statistics is written as text or json", hint="leave --format out")
    if which.diff and (which.statistics or which.output_format is not CheckFormat.TEXT):
        raise UsageError("--diff is written as a unified diff", hint="leave --format out")
    if which.watch and (which.fix or which.write_baseline):
        raise UsageError("--watch only looks: it goes with neither --fix nor --write-baseline")
    if which.watch and STDIN in words:
        raise UsageError("'-' is read from stdin once: there is no file to watch")
    if which.diff and which.write_baseline:
        raise UsageError("--diff writes nothing, and --write-baseline does")


def _mending(which: CheckOptions) -> Mending:
    """Return what comes of what can be mended: two formats carry it for others to apply."""
    from optplan.app.check import Mending

    if which.fix or which.diff:
        return Mending.DONE
    carried = which.output_format in (CheckFormat.SARIF, CheckFormat.RDJSON)
    return Mending.SUGGESTED if carried and not which.statistics else Mending.NONE


def _jobs(which: CheckOptions) -> int:
    """Return how many processes check: as the command line says, else as the tool's configuration does."""
    if which.show_settings:
        return 1
    if which.jobs is not None:
        return which.jobs
    from optplan.app.check_request import configured_jobs
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
    from optplan.reporters.check.fixes import remarks_on_fixes

    if result.baseline is not None:
        path, text = result.baseline
        deliver(text, path, Color.NEVER)
    if result.fixes is not None and not which.diff:
        write_fixes(result.fixes)
    to.deliver(partial(_text, result, which))
    if result.fixes is not None:
        for line in remarks_on_fixes(result.fixes, is_diff=which.diff):
            logging.getLogger("optplan").warning("%s", line)
    if result.report.crashes:
        raise CheckCrashError(listed(result.report.crashes, most=3))
    is_open = which.diff and result.fixes is not None and result.fixes.count and not which.exit_zero
    return ExitStatus.FINDINGS if result.fails or is_open else ExitStatus.FINE


def write_fixes(fixes: Fixes) -> None:
    """Write new texts to their files, each as a whole or not at all.

    Raises:
        OutputError: A file cannot be written, or has changed since it was read.
    """
    from optplan.errors import OutputError

    for file in fixes.files:
        path = Path(file.path)
        if path.read_bytes() != file.before.encode("utf-8"):
            raise OutputError(f"{file.path} has changed since it was read: it is left as it is")
        deliver(file.after, path, Color.NEVER)


def _text(result: CheckResult, which: CheckOptions, width: int | None, color: bool) -> str:
    """Return the report, or the counts that are asked for instead."""
    from optplan.reporters.check.fixes import fixes_diff
    from optplan.reporters.check.words import check_statistics
    from optplan.reporters.formats import format_of
    from optplan.version import __version__

    if which.diff and result.fixes is not None:
        return fixes_diff(result.fixes, color=color, is_terminal=width is not None)
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


@contextlib.contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[int], Callable[[int], None]]]:
    """Show a progress bar on stderr, where that is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _count: lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def start(count: int) -> Callable[[int], None]:
            bar = progress.add_task("checking", total=count)
            return lambda done: progress.advance(bar, done)

        yield start
