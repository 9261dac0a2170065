"""From the outcomes of all files to one report: suppressed, deduplicated, sorted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from optplan.checks.base import Check
from optplan.checks.baseline import Baseline, BaselineEntry
from optplan.checks.paths import fits
from optplan.checks.results import CheckedConfig, FileKind, Order, Report, Reported, worst
from optplan.checks.selection import selected
from optplan.checks.suppression import Comment
from optplan.checks.tool_config import Ignore, Settings
from optplan.checks.unneeded_suppressions import Knowledge, unused_findings
from optplan.dialects import dialects


@dataclass(frozen=True, slots=True)
class Suppressions:
    """What suppressions did.

    Args:
        comments: The comments that suppressed something, each with the code that it did.
        ignores: The same for entries of ``per-config-ignores``.
        known: The entries of the baseline that something still needs.
    """

    comments: set[tuple[str, int, str]] = field(default_factory=set)
    ignores: set[Ignore] = field(default_factory=set)
    known: set[BaselineEntry] = field(default_factory=set)


def gather(
    outcomes: Sequence[CheckedConfig],
    *,
    checks: tuple[Check, ...],
    settings: Sequence[Settings],
    baseline: Baseline | None = None,
) -> Report:
    """The report of all outcomes.

    Args:
        outcomes: What checking each file gave, in any order.
        checks: All checks.
        settings: The settings that outcomes refer to.
        baseline: Findings that are known.
    """
    did = Suppressions()
    comments = _by_line(outcomes)
    kept, suppressed = [], 0
    for outcome in outcomes:
        for finding in outcome.findings:
            if _is_suppressed(finding, outcome, settings, comments, baseline, did):
                suppressed += 1
            else:
                kept.append(finding)
    knowledge = Knowledge(outcomes=outcomes, checks=checks, settings=settings)
    kept += unused_findings(knowledge, comments.values(), baseline, did)
    chosen = {c.code: c for s in settings for c in selected(checks, s.select, s.ignore)}
    configs = {o.config: o.has_model for o in outcomes if o.kind is FileKind.CONFIG}
    return Report(
        findings=merged(kept),
        configs=tuple(sorted(configs)),
        parts=sum(outcome.kind is FileKind.PART for outcome in outcomes),
        others=sum(outcome.kind is FileKind.OTHER for outcome in outcomes),
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


def entries_of(outcomes: Iterable[CheckedConfig], report: Report) -> list[BaselineEntry]:
    """What a baseline has to hold so that nothing in a report is reported again."""
    reported = {(f.code, config, f.key) for f in report.findings for config in f.configs}
    found = {(f.code, o.config, f.key) for o in outcomes for f in o.findings}
    return [BaselineEntry(*one) for one in sorted(reported & found)]


def merged(findings: Iterable[Reported]) -> tuple[Reported, ...]:
    """Each finding once, with all configs that it affects; sorted by place."""
    alike: dict[Order, list[Reported]] = defaultdict(list)
    for finding in findings:
        alike[finding.order].append(finding)
    return tuple(_one(alike[order]) for order in sorted(alike))


def _one(alike: list[Reported]) -> Reported:
    severity = alike[0].severity
    for finding in alike:
        severity = worst(severity, finding.severity)
    configs = sorted({config for finding in alike for config in finding.configs})
    return replace(alike[0], severity=severity, configs=tuple(configs))


def _by_line(outcomes: Iterable[CheckedConfig]) -> dict[tuple[str, int], Comment]:
    return {(c.file, c.line): c for outcome in outcomes for c in outcome.comments}


def _is_suppressed(
    finding: Reported,
    outcome: CheckedConfig,
    settings: Sequence[Settings],
    comments: dict[tuple[str, int], Comment],
    baseline: Baseline | None,
    did: Suppressions,
) -> bool:
    """Whether anything suppresses a finding; everything that does is noted as needed."""
    needed = 0
    comment = comments.get((finding.spot.file, finding.spot.line))
    if comment is not None and comment.covers(finding.code):
        did.comments.add((comment.file, comment.line, finding.code))
        needed += 1
    own = settings[outcome.settings]
    for ignore in own.per_config_ignores:
        if finding.code.startswith(ignore.code) and fits(ignore.glob, outcome.config, own.folder):
            did.ignores.add(ignore)
            needed += 1
    entry = BaselineEntry(finding.code, outcome.config, finding.key)
    if baseline is not None and entry in baseline.entries:
        did.known.add(entry)
        needed += 1
    return needed > 0
