"""Select the rows of a plan that a user asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from optplan.errors import UsageError, did_you_mean
from optplan.names import Rule, Status
from optplan.plan import Plan, PlannedParameter
from optplan.plan.memory import PlanMemory
from optplan.plan.names.patterns import matching
from optplan.reporters.words import deciding_rules
from optplan.rules.statistics import EntryStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What narrows the rows: a row is shown where it fits one of each kind that is given."""

    patterns: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    statuses: tuple[Status, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns or self.rules or self.statuses)

    def __str__(self) -> str:
        words = [f"--param {pattern}" for pattern in self.patterns]
        words += [f"--rule {rule}" for rule in self.rules]
        words += [f"--status {status}" for status in self.statuses]
        return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows of a plan that are shown, and what narrowed them.

    Args:
        plan: The plan.
        rows: The rows.
        narrowing: What narrowed them.
        idle: What to say of options and keys that decide nothing; '' where all do, or none is known.
        depth: How many levels of the tree to show below the model; None for all.
        entries: What each option and key does, for the view of the keys.
        folded: What to say where rows are folded that were not asked to be; '' else.
        memory: What the parameters take, for the view of that.
    """

    plan: Plan
    rows: tuple[PlannedParameter, ...]
    narrowing: Narrowing = field(default_factory=Narrowing)
    idle: str = ""
    depth: int | None = None
    entries: Sequence[EntryStatistics] = ()
    memory: PlanMemory | None = None
    folded: str = ""


def narrowed(plan: Plan, narrowing: Narrowing) -> tuple[PlannedParameter, ...]:
    """Return the rows that fit.

    Raises:
        UsageError: A pattern fits no parameter's name.
    """
    rows = plan.parameters
    if narrowing.patterns:
        names = named_by(narrowing.patterns, [row.name for row in rows])
        rows = tuple(row for row in rows if row.name in names)
    if narrowing.rules:
        wanted = frozenset(narrowing.rules)
        rows = tuple(row for row in rows if deciding_rules(row) & wanted)
    if narrowing.statuses:
        rows = tuple(row for row in rows if row.status in narrowing.statuses)
    return rows


def named_by(patterns: Sequence[str], names: Sequence[str]) -> set[str]:
    """Return the names that patterns match.

    Raises:
        UsageError: A pattern matches none.
    """
    found = matching(patterns, names)
    for pattern, matched in found.items():
        if not matched:
            raise UsageError(f"{pattern!r} matches no parameter", hint=did_you_mean(pattern, names))
    return {name for matched in found.values() for name in matched}
