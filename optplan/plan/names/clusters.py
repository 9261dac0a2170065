"""Gathers what changes alike, and finds the patterns of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from optplan.plan.changes import Change, Cluster, OneSided
from optplan.plan.compare import Pair, identity, rule_identity
from optplan.plan.names.patterns import escape
from optplan.plan.names.summarize import Summarizer
from optplan.plan.plan import RuleUse

# So many sets × names are summarized in a third of a second; sets beyond that are spelled out.
_MOST_WORK = 400_000


class Patterns:
    """Patterns of sets of names; a set that comes up twice is summarized once."""

    def __init__(self, names: list[str]) -> None:
        self.places = {name: place for place, name in enumerate(names)}
        self._sorted = sorted(names)
        self._summarizer = Summarizer(names)
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._left = _MOST_WORK // max(1, len(names))

    def of(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return patterns that match exactly these."""
        key = tuple(names)
        if key not in self._known:
            self._known[key] = self._subtree(key) or self._summarized(key)
        return self._known[key]

    def _subtree(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return ``blocks.3.*``, which is cheap to find; nothing where the names are not all below one."""
        if len(names) == 1:
            return ()
        pairs = zip(min(names).split("."), max(names).split("."), strict=False)
        shared = takewhile(lambda pair: pair[0] == pair[1], pairs)
        prefix = "".join(f"{word}." for word, _ in shared)
        first = bisect_left(self._sorted, prefix)
        below = bisect_left(self._sorted, f"{prefix[:-1]}/", lo=first) - first  # . is before /
        return (f"{escape(prefix)}*",) if prefix and below == len(names) else ()

    def _summarized(self, names: Sequence[str]) -> tuple[str, ...]:
        self._left -= len(names) > 1
        if len(names) > 1 and self._left < 0:
            return tuple(map(escape, names))
        return self._summarizer.patterns(names)

    def one_sided(self, names: Iterable[str]) -> OneSided:
        """Return the parameters that one plan alone has."""
        found = tuple(names)
        return OneSided(names=found, patterns=self.of(found) if found else ())


@dataclass(slots=True)
class _Members:
    change: Change
    rules: tuple[RuleUse | None, RuleUse | None]
    names: list[str] = field(default_factory=list)
    elements_before: int = 0
    elements_after: int = 0


class Clusters:
    """Gathers the parameters that change alike."""

    def __init__(self) -> None:
        self._found: dict[Any, _Members] = {}

    def add(self, pair: Pair, change: Change, rules: tuple[RuleUse | None, RuleUse | None]) -> None:
        """Put one change of a parameter to those that are like it."""
        key = (
            change.kind,
            change.field,
            identity(change.before),
            identity(change.after),
            rule_identity(rules[0]),
            rule_identity(rules[1]),
        )
        members = self._found.get(key)
        if members is None:
            members = self._found[key] = _Members(change, rules)
        members.names.append(pair.before.name)
        members.elements_before += pair.before.elements
        members.elements_after += pair.after.elements

    def as_tuple(self, patterns: Patterns) -> tuple[Cluster, ...]:
        """Return the clusters, the largest first, and in the names' order where they are alike."""
        found = sorted(
            self._found.values(),
            key=lambda members: (
                -len(members.names),
                patterns.places[members.names[0]],
                members.change.kind,
                str(members.change.field),
            ),
        )
        return tuple(
            Cluster(
                change=members.change,
                rule_before=members.rules[0],
                rule_after=members.rules[1],
                names=tuple(members.names),
                patterns=patterns.of(members.names),
                elements=max(members.elements_before, members.elements_after),
            )
            for members in found
        )
