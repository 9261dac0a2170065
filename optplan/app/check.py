"""Check configs: from what a user asks for to the report of all findings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

from optplan.app.config_schedule import schedule_of_plan
from optplan.app.model_planner import ConfiguredModels, planner_of, uncached_planner_of
from optplan.checks.base import Check
from optplan.checks.baseline import (
    Baseline,
    BaselineEntry,
    baseline_text,
    parse_baseline,
    read_baseline,
)
from optplan.checks.report import entries_of, report_of
from optplan.checks.results import CheckedConfig, CheckReport, Reported, reaches
from optplan.checks.session import Request, Session, run_session
from optplan.config.edits import Fixes
from optplan.delegation import delegated
from optplan.errors import UsageError
from optplan.names import Severity
from optplan.runtime.workers import Workers

_LOG = logging.getLogger("optplan")


class Mending(StrEnum):
    """What comes of the mistakes that can be mended without a guess: it is proved in memory."""

    NONE = "none"
    SUGGESTED = "suggested"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitPolicy:
    """Which findings fail.

    Args:
        fail_on: The least severity that does; None for what the tool's configuration says.
        exit_zero: None does.
        baseline: The file of the findings that are known and do not fail; None for what the tool's
            configuration says.
        write_baseline: All that is found is written to that file instead.
    """

    fail_on: Severity | None = None
    exit_zero: bool = False
    baseline: Path | None = None
    write_baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a run found.

    Args:
        report: The findings.
        checks: All checks.
        fail_on: The least severity that fails.
        exit_zero: Nothing fails.
        baseline: The baseline to write and its text; None where none is to be written.
        fixes: What is to be written to configs so that no more than this is found; None where nothing is
            to be mended.
        files: What was read: configs, their bases, the tool's configuration.
    """

    report: CheckReport
    checks: tuple[Check, ...]
    fail_on: Severity
    exit_zero: bool
    baseline: tuple[Path, str] | None = None
    fixes: Fixes | None = None
    files: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return str(delegated("check_text", self))

    def _repr_html_(self) -> str:
        return str(delegated("check_html", self))

    @property
    def fails(self) -> bool:
        """Return whether a finding fails."""
        found = self.report.findings
        return not self.exit_zero and any(reaches(one.severity, self.fail_on) for one in found)


def check_configs(
    request: Request,
    checks: tuple[Check, ...],
    *,
    workers: Workers,
    policy: ExitPolicy = ExitPolicy(),
    is_cached: bool = False,
    materialize: bool = False,
    mending: Mending = Mending.NONE,
    start: Callable[[int], Callable[[int], None]] = lambda _count: lambda _done: None,
) -> CheckResult:
    """Check everything that is asked for.

    Args:
        request: What that is.
        checks: All checks.
        workers: The processes that help this one.
        policy: Which findings fail.
        is_cached: Whether models may be cached.
        materialize: Whether models are built with memory.
        mending: What comes of what is certain.
        start: Told how many files there are; gives what is told how many more are done.

    Raises:
        OptplanError: There is nothing to check, or the tool's configuration, the model or the baseline is
            wrong.
    """
    policy = _with_baseline(policy, request, checks)
    known = _known_findings(policy)
    make_planner = planner_of if is_cached else uncached_planner_of
    run = partial(
        run_session,
        checks=checks,
        make_planner=partial(make_planner, materialize=materialize),
        own_models=ConfiguredModels(),
        make_schedule=partial(schedule_of_plan, is_cached=is_cached),
        workers=workers,
    )
    request = replace(
        request, reading=replace(request.reading, is_proving=mending is not Mending.NONE)
    )
    session, fixes = run(request, start=start), None
    for remark in session.remarks:
        _LOG.warning("%s", remark)
    shown, of_session = session, partial(_findings, checks=checks, known=known)
    # what comes from stdin is in no file that a report could tell how to change
    if mending is Mending.DONE or (mending is Mending.SUGGESTED and request.stdin is None):
        from optplan.app.fix import mend

        mended, fixes = mend(session, request, run, of_session)
        shown = mended if mending is Mending.DONE else session
    result = _result(shown, checks, policy, known)
    if fixes is not None and mending is Mending.SUGGESTED:
        result, fixes = _with_replacements(result, fixes), None
    files = {file for outcome in shown.outcomes for file in (outcome.config, *outcome.files)}
    files |= {one.file for one in shown.tool_configs if one.file is not None}
    result = replace(result, files=frozenset(files))
    return result if fixes is None else _mended(result, fixes)


def _with_replacements(result: CheckResult, fixes: Fixes) -> CheckResult:
    """Return a result whose findings say what would mend them, where that was proved."""
    from optplan.app.fix import replacements_of

    proved = replacements_of(fixes)
    found = tuple(
        replace(one, replacement=None if one.fix is None else proved.get(one.fix))
        for one in result.report.findings
    )
    return replace(result, report=replace(result.report, findings=found))


def _mended(result: CheckResult, fixes: Fixes) -> CheckResult:
    """Return a result with its fixes; what is still found was not mended, and is not offered again."""
    still = tuple(replace(finding, fix=None) for finding in result.report.findings)
    return replace(result, report=replace(result.report, findings=still), fixes=fixes)


def _findings(
    session: Session, *, checks: tuple[Check, ...], known: Baseline | None
) -> tuple[Reported, ...]:
    return report_of(
        session.outcomes, checks=checks, tool_configs=session.tool_configs, baseline=known
    ).findings


def _with_baseline(policy: ExitPolicy, request: Request, checks: tuple[Check, ...]) -> ExitPolicy:
    """Return the policy with the baseline that the tool's configuration names, where it has none.

    Raises:
        UsageError: A baseline is to be written, and none is named.
    """
    if policy.baseline is None and (named := request.finder(checks).here().baseline) is not None:
        policy = replace(policy, baseline=Path(named))
    if policy.write_baseline and policy.baseline is None:
        raise UsageError("--write-baseline needs a file", hint="name it: --baseline FILE")
    return policy


def _known_findings(policy: ExitPolicy) -> Baseline | None:
    if policy.baseline is None or policy.write_baseline:
        return None
    return read_baseline(policy.baseline)


def _result(
    session: Session, checks: tuple[Check, ...], policy: ExitPolicy, known: Baseline | None
) -> CheckResult:
    """Return the report of a session, and the baseline to write where one is asked for.

    Raises:
        UsageError: There was no config among the files.
    """
    of_session = partial(
        report_of, session.outcomes, checks=checks, tool_configs=session.tool_configs
    )
    report, written = of_session(baseline=known), None
    if not report.configs:
        raise _no_config(report)
    if policy.baseline is not None and policy.write_baseline:
        text = _new_baseline(policy.baseline, session, report)
        report = of_session(baseline=parse_baseline(text, policy.baseline))
        written = policy.baseline, text
    return CheckResult(
        report=report,
        checks=checks,
        fail_on=policy.fail_on or session.tool_configs[0].fail_on,
        exit_zero=policy.exit_zero,
        baseline=written,
    )


def _new_baseline(path: Path, session: Session, report: CheckReport) -> str:
    """Return the text of a baseline with all that is reported.

    What it knew already of configs and checks that were not looked at now stays in it.
    """
    entries = [*entries_of(session.outcomes, report), *_kept(path, session.outcomes)]
    return baseline_text(entries, path)


def _kept(path: Path, outcomes: Sequence[CheckedConfig]) -> list[BaselineEntry]:
    if not path.is_file() or path.stat().st_size == 0:
        return []
    ran = {(code, outcome.config) for outcome in outcomes for code in outcome.ran}
    found = {(f.code, outcome.config) for outcome in outcomes for f in outcome.findings}
    return [
        entry
        for entry in read_baseline(path).entries
        if (entry.code, entry.config) not in ran | found
    ]


def _no_config(report: CheckReport) -> UsageError:
    found = [
        f"{count} {'file' if count == 1 else 'files'} {what}"
        for count, what in (
            (report.parts, "without an optimizer"),
            *((count, f"({title})") for title, count in report.known.items()),
            (report.others, "of another kind"),
        )
        if count
    ]
    if not found:
        return UsageError(
            "there is no config to check: all files are excluded",
            hint="name a file itself, or change 'exclude' in the tool's configuration",
        )
    return UsageError(
        f"there is no config to check, only {' and '.join(found)}",
        hint="a config defines 'optim_wrapper' or 'optimizer'",
    )
