"""Tell kinds of rows of a plan apart by what they get, and why."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from optplan.names import Status
from optplan.plan.plan import PlannedParameter


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKind:
    """Rows that are alike.

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


Kinds = dict[Hashable, RowKind]
KindOf = Callable[[PlannedParameter], Hashable]


def kinds_by_rule() -> KindOf:
    """Return a function that numbers rows: another status, setting or rule behind it is another number."""
    numbers: dict[Hashable, int] = {}
    known: dict[Hashable, int] = {}

    def kind_of(row: PlannedParameter) -> int:
        # rows share their rules, and comparing these by what they hold takes ten times as long
        shared = (id(row.status), row.setting, id(row.lr_rule), id(row.weight_decay_rule))
        number = known.get(shared)
        if number is None:
            key = (row.status, row.setting, row.lr_rule, row.weight_decay_rule)
            number = known[shared] = numbers.setdefault(key, len(numbers))
        return number

    return kind_of


def kinds_of(rows: Iterable[PlannedParameter], kind_of: KindOf) -> Kinds:
    """Return the kinds of rows, in the order of their first."""
    return together({kind_of(row): RowKind(first=row, names=1)} for row in rows)


def together(parts: Iterable[Kinds]) -> Kinds:
    """Return the kinds of several sets of rows as those of one."""
    firsts: dict[Hashable, PlannedParameter] = {}
    counts: dict[Hashable, int] = {}
    for part in parts:
        for key, kind in part.items():
            if key in counts:
                counts[key] += kind.names
            else:
                firsts[key], counts[key] = kind.first, kind.names
    return {key: RowKind(first=first, names=counts[key]) for key, first in firsts.items()}
