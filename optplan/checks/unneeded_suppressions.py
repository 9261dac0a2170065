"""The suppressions that nothing needs any more: the findings of OPT901."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from optplan.checks.base import Check
from optplan.checks.baseline import Baseline, BaselineEntry
from optplan.checks.catalog.unused_suppression import UnusedSuppression
from optplan.checks.paths import fits
from optplan.checks.results import CheckedConfig, FileKind, FindingLocation, Reported
from optplan.checks.selection import selected
from optplan.checks.suppression import Comment
from optplan.checks.tool_config import Ignore, ToolConfig
from optplan.errors import did_you_mean

_GROUP_KEYS = "OPT102"


@dataclass(frozen=True, slots=True)
class Suppressions:
    """What suppressions did, to tell those that nothing needs.

    Args:
        comments: The comments that suppressed something, each with the code that it did.
        ignores: The same for entries of ``per-config-ignores``.
        known: The entries of the baseline that something still needs.
    """

    comments: set[tuple[str, int, str]] = field(default_factory=set)
    ignores: set[Ignore] = field(default_factory=set)
    known: set[BaselineEntry] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """What is known of a run, to tell what is unused from what was not looked at.

    Args:
        outcomes: What checking each file gave.
        checks: All checks.
        tool_configs: The tool configurations that outcomes refer to.
    """

    outcomes: Sequence[CheckedConfig]
    checks: tuple[Check, ...]
    tool_configs: Sequence[ToolConfig]
    _ran: dict[str, frozenset[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Join what several models say of one config: a check ran if it did with all of them."""
        for outcome in self.outcomes:
            if outcome.kind is FileKind.CONFIG:
                earlier = self._ran.get(outcome.config, outcome.ran)
                self._ran[outcome.config] = earlier & outcome.ran

    def ran(self, config: str) -> frozenset[str]:
        """Return the codes of the checks that would have found something in a config."""
        return self._ran.get(config, frozenset())

    def judge(self, tool_config: ToolConfig) -> UnusedSuppression | None:
        """Return the check, where the tool configuration selects it."""
        for check in selected(self.checks, tool_config.select, tool_config.ignore):
            if isinstance(check, UnusedSuppression):
                return check
        return None


def unused_findings(
    history: RunHistory,
    comments: Iterable[Comment],
    baseline: Baseline | None,
    needed: Suppressions,
) -> list[Reported]:
    """Return a finding for every suppression that nothing needs."""
    found = list(_unused_comments(history, comments, needed))
    for index, tool_config in enumerate(history.tool_configs):
        judge = history.judge(tool_config)
        if judge is None:
            continue
        own = [o for o in history.outcomes if o.tool_config == index and o.kind is FileKind.CONFIG]
        found += _unused_ignores(history, judge, tool_config, own, needed)
        found += _unused_group_keys(history, judge, tool_config, own)
    judge = history.judge(history.tool_configs[0]) if history.tool_configs else None
    if baseline is not None and judge is not None:
        found += _unused_entries(history, judge, baseline, needed)
    return found


def _finding(
    judge: UnusedSuppression,
    message: str,
    key: str,
    location: FindingLocation,
    configs: Iterable[str] = (),
) -> Reported:
    """Return a finding; without configs it is about the file that it stands in."""
    return Reported(
        code=judge.code,
        name=judge.name,
        severity=judge.severity,
        message=message,
        key=key,
        location=location,
        configs=tuple(sorted(set(configs))) or (location.file,),
    )


def _unused_comments(
    history: RunHistory, comments: Iterable[Comment], needed: Suppressions
) -> Iterator[Reported]:
    readers: dict[tuple[str, int], list[CheckedConfig]] = {}
    for outcome in history.outcomes:
        for comment in outcome.comments:
            readers.setdefault((comment.file, comment.line), []).append(outcome)
    known = {check.code: check for check in history.checks}
    every = frozenset(code for code, check in known.items() if not check.opt_in)
    for comment in comments:
        outcomes = readers[comment.file, comment.line]
        judge = history.judge(history.tool_configs[outcomes[0].tool_config])
        if judge is None:
            continue
        location = FindingLocation(
            file=comment.file, line=comment.line, column=comment.column, text=comment.text
        )
        ran = frozenset.intersection(*(history.ran(outcome.config) for outcome in outcomes))
        used = {code for file, line, code in needed.comments if (file, line) == line_of(location)}
        configs = [outcome.config for outcome in outcomes]
        for message, key in _wrong_with(comment, known, every - {judge.code}, ran, used):
            yield _finding(judge, message, key, location, configs)


def line_of(location: FindingLocation) -> tuple[str, int]:
    """Return a location's file and line."""
    return location.file, location.line


def _wrong_with(
    comment: Comment,
    known: dict[str, Check],
    every: frozenset[str],
    ran: frozenset[str],
    used: set[str],
) -> Iterator[tuple[str, str]]:
    """Yield a message and a key for all that is wrong with one comment."""
    if comment.malformed:
        yield "this comment suppresses nothing: write '# optplan: ignore[OPT103] reason'", "comment"
    elif not comment.codes and not used and every <= ran:
        yield "nothing on this line needs 'ignore'", "ignore"
    for code in comment.codes:
        if code not in known:
            hint = did_you_mean(code, known)
            yield f"there is no check {code!r}" + (f", {hint}" if hint else ""), f"ignore[{code}]"
        elif code not in used and code in ran:
            yield f"nothing on this line needs 'ignore[{code}]'", f"ignore[{code}]"


def _unused_ignores(
    history: RunHistory,
    judge: UnusedSuppression,
    tool_config: ToolConfig,
    outcomes: Sequence[CheckedConfig],
    needed: Suppressions,
) -> Iterator[Reported]:
    for ignore in tool_config.per_config_ignores:
        if ignore in needed.ignores:
            continue
        configs = [o.config for o in outcomes if fits(ignore.glob, o.config, tool_config.folder)]
        covered = {
            check.code
            for check in history.checks
            if check.code.startswith(ignore.code)
            and (not check.opt_in or check.code in tool_config.select)
        } - {judge.code}
        if configs and all(covered <= history.ran(config) for config in configs):
            message = f"no config that {ignore.glob!r} means needs {ignore.code!r}"
            yield _finding(judge, message, f"per-config-ignores.{ignore.glob}", ignore.location)


def _unused_group_keys(
    history: RunHistory,
    judge: UnusedSuppression,
    tool_config: ToolConfig,
    outcomes: Sequence[CheckedConfig],
) -> Iterator[Reported]:
    if not outcomes or not all(_GROUP_KEYS in history.ran(o.config) for o in outcomes):
        return
    present = frozenset().union(*(outcome.group_keys for outcome in outcomes))
    for allowed in tool_config.allow_group_keys:
        if allowed.name not in present:
            message = f"no custom key has a field {allowed.name!r}"
            yield _finding(judge, message, f"allow-group-keys.{allowed.name}", allowed.location)


def _unused_entries(
    history: RunHistory, judge: UnusedSuppression, baseline: Baseline, needed: Suppressions
) -> Iterator[Reported]:
    for entry, location in baseline.entries.items():
        if entry not in needed.known and entry.code in history.ran(entry.config):
            message = f"{entry.config} no longer has {entry.code} at {entry.key!r}"
            yield _finding(judge, message, "/".join(entry), location, [entry.config])
