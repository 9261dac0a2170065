"""Make one report of the outcomes of all files: suppressed, deduplicated, sorted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from optplan.checks.base import Check
from optplan.checks.baseline import Baseline, BaselineEntry
from optplan.checks.paths import fits
from optplan.checks.results import CheckedConfig, CheckReport, FileKind, Reported, worst
from optplan.checks.selection import selected
from optplan.checks.suppression import Comment
from optplan.checks.tool_config import ToolConfig
from optplan.checks.unneeded_suppressions import RunHistory, Suppressions, unused_findings
from optplan.dialects import dialects


def report_of(
    outcomes: Sequence[CheckedConfig],
    *,
    checks: tuple[Check, ...],
    tool_configs: Sequence[ToolConfig],
    baseline: Baseline | None = None,
) -> CheckReport:
    """Return the report of all outcomes.

    Args:
        outcomes: What checking each file gave, in any order.
        checks: All checks.
        tool_configs: The tool configurations that outcomes refer to.
        baseline: Findings that are known.
    """
    did = Suppressions()
    comments = {(c.file, c.line): c for outcome in outcomes for c in outcome.comments}
    kept, suppressed = [], 0
    for outcome in outcomes:
        for finding in outcome.findings:
            if _is_suppressed(finding, outcome, tool_configs, comments, baseline, did):
                suppressed += 1
            else:
                kept.append(finding)
    history = RunHistory(outcomes=outcomes, checks=checks, tool_configs=tool_configs)
    kept += unused_findings(history, comments.values(), baseline, did)
    chosen = {c.code: c for t in tool_configs for c in selected(checks, t.select, t.ignore)}
    configs = {o.config: o.has_model for o in outcomes if o.kind is FileKind.CONFIG}
    return CheckReport(
        findings=merged(kept, {check.code for check in checks if check.is_folded}),
        configs=tuple(sorted(configs)),
        parts=sum(outcome.kind is FileKind.PART for outcome in outcomes),
        others=sum(o.kind is FileKind.OTHER and o.known_as is None for o in outcomes),
        known=dict(sorted(Counter(o.known_as for o in outcomes if o.known_as).items())),
        checks=tuple(sorted(chosen)),
        left_out=tuple(
            sorted(c.code for c in chosen.values() if c.needs_plan)
            if not all(configs.values())
            else ()
        ),
        without_model=sum(not has_model for has_model in configs.values()),
        suppressed=suppressed,
        crashes=tuple(sorted({outcome.crash for outcome in outcomes if outcome.crash})),
        generations=_generations(outcomes),
    )


def _generations(outcomes: Iterable[CheckedConfig]) -> dict[str, int]:
    known = {outcome.config: outcome.generation for outcome in outcomes if outcome.generation}
    titles = [one.title for one in dialects()]
    return {one: count for one in titles if (count := list(known.values()).count(one))}


def entries_of(outcomes: Iterable[CheckedConfig], report: CheckReport) -> list[BaselineEntry]:
    """Return what a baseline has to hold so that nothing in a report is reported again."""
    reported = {(f.code, config, f.key) for f in report.findings for config in f.configs}
    found = {(f.code, o.config, f.key) for o in outcomes for f in o.findings}
    return [BaselineEntry(*one) for one in sorted(reported & found)]


def merged(findings: Iterable[Reported], folded: Container[str] = ()) -> tuple[Reported, ...]:
    """Return each finding once, with all configs that it affects, sorted by place.

    Args:
        findings: The findings of all configs.
        folded: The codes of checks whose equal findings are one wherever they stand.
    """
    alike: dict[tuple[object, ...], list[Reported]] = defaultdict(list)
    for finding in sorted(findings, key=lambda one: one.order):
        is_folded = finding.code in folded
        key = (
            (finding.code, finding.key, finding.message, finding.hint)
            if is_folded
            else finding.order
        )
        alike[key].append(finding)
    return tuple(_one(found) for found in alike.values())


def _one(alike: list[Reported]) -> Reported:
    severity = alike[0].severity
    for finding in alike:
        severity = worst(severity, finding.severity)
    configs = sorted({config for finding in alike for config in finding.configs})
    return replace(alike[0], severity=severity, configs=tuple(configs))


def _is_suppressed(
    finding: Reported,
    outcome: CheckedConfig,
    tool_configs: Sequence[ToolConfig],
    comments: dict[tuple[str, int], Comment],
    baseline: Baseline | None,
    did: Suppressions,
) -> bool:
    """Return whether anything suppresses a finding; everything that does is noted as needed."""
    needed = 0
    comment = comments.get((finding.location.file, finding.location.line))
    if comment is not None and comment.covers(finding.code):
        did.comments.add((comment.file, comment.line, finding.code))
        needed += 1
    own = tool_configs[outcome.tool_config]
    for ignore in own.per_config_ignores:
        if finding.code.startswith(ignore.code) and fits(ignore.glob, outcome.config, own.folder):
            did.ignores.add(ignore)
            needed += 1
    entry = BaselineEntry(finding.code, outcome.config, finding.key)
    if baseline is not None and entry in baseline.entries:
        did.known.add(entry)
        needed += 1
    return needed > 0
