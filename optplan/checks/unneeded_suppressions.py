"""The suppressions that nothing needs any more: the findings of OPT901."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from optplan.checks.base import Check
from optplan.checks.baseline import Baseline, BaselineEntry
from optplan.checks.catalog.unused_suppression import UnusedSuppression
from optplan.checks.paths import fits
from optplan.checks.results import CheckedConfig, FileKind, Reported, Spot
from optplan.checks.selection import selected
from optplan.checks.suppression import Comment
from optplan.checks.tool_config import Ignore, Settings
from optplan.errors import did_you_mean

_GROUP_KEYS = "OPT102"


class Needed(Protocol):
    """What was needed: comments, entries of ``per-config-ignores``, entries of the baseline."""

    @property
    def comments(self) -> set[tuple[str, int, str]]:
        """File, line and code."""
        ...

    @property
    def ignores(self) -> set[Ignore]:
        """Entries of ``per-config-ignores``."""
        ...

    @property
    def known(self) -> set[BaselineEntry]:
        """Entries of the baseline."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of a run, to tell what is unused from what was not looked at.

    Args:
        outcomes: What checking each file gave.
        checks: All checks.
        settings: The settings that outcomes refer to.
    """

    outcomes: Sequence[CheckedConfig]
    checks: tuple[Check, ...]
    settings: Sequence[Settings]
    _ran: dict[str, frozenset[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Join what several models say of one config: a check ran if it did with all of them."""
        for outcome in self.outcomes:
            if outcome.kind is FileKind.CONFIG:
                earlier = self._ran.get(outcome.config, outcome.ran)
                self._ran[outcome.config] = earlier & outcome.ran

    def ran(self, config: str) -> frozenset[str]:
        """The codes of the checks that would have found something in a config."""
        return self._ran.get(config, frozenset())

    def judge(self, settings: Settings) -> UnusedSuppression | None:
        """The check, where settings select it."""
        for check in selected(self.checks, settings.select, settings.ignore):
            if isinstance(check, UnusedSuppression):
                return check
        return None


def unused_findings(
    knowledge: Knowledge,
    comments: Iterable[Comment],
    baseline: Baseline | None,
    needed: Needed,
) -> list[Reported]:
    """A finding for every suppression that nothing needs."""
    found = list(_unused_comments(knowledge, comments, needed))
    for index, settings in enumerate(knowledge.settings):
        judge = knowledge.judge(settings)
        if judge is None:
            continue
        own = [o for o in knowledge.outcomes if o.settings == index and o.kind is FileKind.CONFIG]
        found += _unused_ignores(knowledge, judge, settings, own, needed)
        found += _unused_group_keys(knowledge, judge, settings, own)
    judge = knowledge.judge(knowledge.settings[0]) if knowledge.settings else None
    if baseline is not None and judge is not None:
        found += _unused_entries(knowledge, judge, baseline, needed)
    return found


def _finding(
    judge: UnusedSuppression, message: str, key: str, spot: Spot, configs: Iterable[str] = ()
) -> Reported:
    """A finding; without configs it is about the file that it stands in."""
    return Reported(
        code=judge.code,
        name=judge.name,
        severity=judge.severity,
        message=message,
        key=key,
        spot=spot,
        configs=tuple(sorted(set(configs))) or (spot.file,),
    )


def _unused_comments(
    knowledge: Knowledge, comments: Iterable[Comment], needed: Needed
) -> Iterator[Reported]:
    readers: dict[tuple[str, int], list[CheckedConfig]] = {}
    for outcome in knowledge.outcomes:
        for comment in outcome.comments:
            readers.setdefault((comment.file, comment.line), []).append(outcome)
    known = {check.code: check for check in knowledge.checks}
    every = frozenset(code for code, check in known.items() if not check.opt_in)
    for comment in comments:
        outcomes = readers[comment.file, comment.line]
        judge = knowledge.judge(knowledge.settings[outcomes[0].settings])
        if judge is None:
            continue
        spot = Spot(file=comment.file, line=comment.line, column=comment.column, text=comment.text)
        ran = frozenset.intersection(*(knowledge.ran(outcome.config) for outcome in outcomes))
        used = {code for file, line, code in needed.comments if (file, line) == spot_key(spot)}
        configs = [outcome.config for outcome in outcomes]
        for message, key in _wrong_with(comment, known, every - {judge.code}, ran, used):
            yield _finding(judge, message, key, spot, configs)


def spot_key(spot: Spot) -> tuple[str, int]:
    """A spot's file and line."""
    return spot.file, spot.line


def _wrong_with(
    comment: Comment,
    known: dict[str, Check],
    every: frozenset[str],
    ran: frozenset[str],
    used: set[str],
) -> Iterator[tuple[str, str]]:
    """A message and a key for all that is wrong with one comment."""
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
    knowledge: Knowledge,
    judge: UnusedSuppression,
    settings: Settings,
    outcomes: Sequence[CheckedConfig],
    needed: Needed,
) -> Iterator[Reported]:
    for ignore in settings.per_config_ignores:
        if ignore in needed.ignores:
            continue
        configs = [o.config for o in outcomes if fits(ignore.glob, o.config, settings.folder)]
        covered = {
            check.code
            for check in knowledge.checks
            if check.code.startswith(ignore.code)
            and (not check.opt_in or check.code in settings.select)
        } - {judge.code}
        if configs and all(covered <= knowledge.ran(config) for config in configs):
            message = f"no config that {ignore.glob!r} means needs {ignore.code!r}"
            yield _finding(judge, message, f"per-config-ignores.{ignore.glob}", ignore.spot)


def _unused_group_keys(
    knowledge: Knowledge,
    judge: UnusedSuppression,
    settings: Settings,
    outcomes: Sequence[CheckedConfig],
) -> Iterator[Reported]:
    if not outcomes or not all(_GROUP_KEYS in knowledge.ran(o.config) for o in outcomes):
        return
    present = frozenset().union(*(outcome.group_keys for outcome in outcomes))
    for allowed in settings.allow_group_keys:
        if allowed.name not in present:
            message = f"no custom key has a field {allowed.name!r}"
            yield _finding(judge, message, f"allow-group-keys.{allowed.name}", allowed.spot)


def _unused_entries(
    knowledge: Knowledge, judge: UnusedSuppression, baseline: Baseline, needed: Needed
) -> Iterator[Reported]:
    for entry, spot in baseline.entries.items():
        if entry not in needed.known and entry.code in knowledge.ran(entry.config):
            message = f"{entry.config} no longer has {entry.code} at {entry.key!r}"
            yield _finding(judge, message, "/".join(entry), spot, [entry.config])
