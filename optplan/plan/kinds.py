"""What distinguishes rows of a plan: what they get, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optplan.names import Status
from optplan.plan.plan import PlannedParameter, RuleUse

KindKey = tuple[Status, int | None, RuleUse | None, RuleUse | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Rows of one status that get the same by the same rules.

    Args:
        first: One of them, for what they have in common.
        names: How many there are.
    """

    first: PlannedParameter
    names: int

    @property
    def parameters(self) -> int:
        """How many parameters these are: a duplicate is another name of one."""
        return 0 if self.first.status is Status.DUPLICATE else self.names


Kinds = dict[KindKey, Kind]


def kind_key(row: PlannedParameter) -> KindKey:
    """Equal for rows of one kind."""
    return row.status, row.setting, row.lr_rule, row.weight_decay_rule


def kinds_of(rows: Iterable[PlannedParameter]) -> Kinds:
    """The kinds of rows, in the order of their first."""
    firsts: dict[KindKey, PlannedParameter] = {}
    counts: dict[KindKey, int] = {}
    for row in rows:
        key = kind_key(row)
        firsts.setdefault(key, row)
        counts[key] = counts.get(key, 0) + 1
    return {key: Kind(first=first, names=counts[key]) for key, first in firsts.items()}


def together(parts: Iterable[Kinds]) -> Kinds:
    """The kinds of several sets of rows as those of one."""
    found: Kinds = {}
    for part in parts:
        for key, kind in part.items():
            known = found.get(key)
            found[key] = kind if known is None else _sum(known, kind)
    return found


def _sum(known: Kind, other: Kind) -> Kind:
    return Kind(first=known.first, names=known.names + other.names)
