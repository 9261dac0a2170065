"""One run of ``optplan check``: between the command line and ``checks/``."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from optplan.checks.base import Check
from optplan.checks.baseline import Baseline, Entry, baseline_text, read_baseline
from optplan.checks.gathering import entries_of, gather
from optplan.checks.results import Outcome, Report, reaches
from optplan.checks.selection import prefix_problem, split_codes
from optplan.checks.session import Request, Session, run_session, with_request
from optplan.checks.settings import Target
from optplan.checks.settings_file import SettingsFinder
from optplan.cli.model_planner import (
    ConfiguredModels,
    planner_of,
    schedule_of_plan,
    uncached_planner_of,
)
from optplan.cli.options import PlanOptions
from optplan.cli.running import Color, ExitStatus, deliver
from optplan.errors import UsageError, listed
from optplan.names import Severity
from optplan.workers import Workers

_LOG = logging.getLogger("optplan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is to become of the findings.

    Args:
        fail_on: The least severity that fails; None for what the settings say.
        exit_zero: Nothing fails.
        baseline: The baseline's file.
        write_baseline: It is written, and not only read.
    """

    fail_on: Severity | None = None
    exit_zero: bool = False
    baseline: Path | None = None
    write_baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run that is over."""

    report: Report
    checks: tuple[Check, ...]
    fail_on: Severity
    exit_zero: bool

    def status(self) -> ExitStatus:
        """The exit status.

        Raises:
            CheckCrashError: A check broke down.
        """
        if self.report.crashes:
            raise CheckCrashError(listed(self.report.crashes, most=3))
        failing = any(reaches(finding.severity, self.fail_on) for finding in self.report.findings)
        return ExitStatus.FINDINGS if failing and not self.exit_zero else ExitStatus.FINE


class CheckCrashError(Exception):
    """A check raised what it must not: a bug of optplan."""


def target_of(options: PlanOptions, *, no_model: bool = False) -> Target | None:
    """Return the model that the command line names.

    Raises:
        UsageError: It names arguments of no model, or a model and none.
    """
    model, given = options.model, options.model_arguments
    if model is not None and no_model:
        raise UsageError(f"--model {model} and --no-model exclude each other")
    if options.peft is not None and model is None:
        raise UsageError("--peft needs a model to put the adapter into", hint="add --model")
    if given and model is None:
        raise UsageError("-k gives arguments to a model, and there is none", hint="add --model")
    return None if model is None else Target(model=model, arguments=given)


def codes_of(
    option: str, words: Sequence[str] | None, checks: tuple[Check, ...]
) -> tuple[str, ...]:
    """The prefixes that an option gives.

    Raises:
        UsageError: It names a check that there is not.
    """
    prefixes = split_codes(words or ())
    problems = [
        problem for prefix in prefixes if (problem := prefix_problem(prefix, checks, option))
    ]
    if problems:
        raise UsageError(problems)
    return prefixes


def checked(
    request: Request,
    checks: tuple[Check, ...],
    ending: Ending,
    workers: Workers,
    *,
    is_cached: bool = False,
    materialize: bool = False,
    quiet: bool = False,
) -> Done:
    """Run the checks.

    Args:
        request: What to check.
        checks: All checks.
        ending: What is to become of the findings.
        workers: The processes that help this one.
        is_cached: Whether models may be cached.
        materialize: Whether models are built with memory.
        quiet: No progress bar.

    Raises:
        OptplanError: There is nothing to check, or the settings, the model or the baseline is wrong.
    """
    if ending.write_baseline and ending.baseline is None:
        raise UsageError("--write-baseline needs a file", hint="name it: --baseline FILE")
    known = _known(ending)
    with _progress(quiet=quiet) as start:
        session = run_session(
            request,
            checks=checks,
            make_planner=partial(
                planner_of if is_cached else uncached_planner_of, materialize=materialize
            ),
            own_models=ConfiguredModels(),
            make_schedule=partial(schedule_of_plan, is_cached=is_cached),
            workers=workers,
            start=start,
        )
    for remark in session.remarks:
        _LOG.warning("%s", remark)
    report = gather(session.outcomes, checks=checks, settings=session.settings, baseline=known)
    if not report.configs:
        raise _no_config(report)
    fail_on = ending.fail_on or session.settings[0].fail_on
    if ending.write_baseline and ending.baseline is not None:
        report = _written(ending.baseline, session, checks)
    return Done(report=report, checks=checks, fail_on=fail_on, exit_zero=ending.exit_zero)


def _known(ending: Ending) -> Baseline | None:
    """The baseline to hold findings against; none where it is about to be written."""
    if ending.baseline is None or ending.write_baseline:
        return None
    return read_baseline(ending.baseline)


def _written(path: Path, session: Session, checks: tuple[Check, ...]) -> Report:
    """Write the baseline, and report what is left with it.

    What it knew already of configs and checks that were not looked at now stays in it.
    """
    plain = gather(session.outcomes, checks=checks, settings=session.settings)
    entries = [*entries_of(session.outcomes, plain), *_kept(path, session.outcomes)]
    text = baseline_text(entries, path)
    deliver(lambda _width, _color: text, path, Color.NEVER)
    return gather(
        session.outcomes, checks=checks, settings=session.settings, baseline=read_baseline(path)
    )


def _kept(path: Path, outcomes: Sequence[Outcome]) -> list[Entry]:
    if not path.is_file() or path.stat().st_size == 0:
        return []
    ran = {(code, outcome.config) for outcome in outcomes for code in outcome.ran}
    found = {(f.code, outcome.config) for outcome in outcomes for f in outcome.findings}
    return [
        entry
        for entry in read_baseline(path).entries
        if (entry.code, entry.config) not in ran | found
    ]


def _no_config(report: Report) -> UsageError:
    found = [
        f"{count} {'file' if count == 1 else 'files'} {what}"
        for count, what in (
            (report.parts, "without an optimizer"),
            (report.others, "of another kind"),
        )
        if count
    ]
    return UsageError(
        f"there is no config to check, only {' and '.join(found)}",
        hint="a config defines 'optim_wrapper' or 'optimizer'",
    )


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int], Callable[[int], None]]]:
    """A progress bar on stderr, where that is a terminal."""
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


def settings_report(request: Request, checks: tuple[Check, ...]) -> str:
    """The settings that apply to what is asked for, as text.

    Raises:
        ConfigError: They are wrong.
    """
    from optplan.reporters.settings import settings_text

    finder = SettingsFinder(checks)
    found = {id(one): one for one in map(finder.of, request.words)} or {0: finder.here()}
    return "\n".join(settings_text(with_request(one, request)) for one in found.values())
