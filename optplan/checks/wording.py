"""How findings put counts and values into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from optplan.plan import Planned


def parameters(count: int) -> str:
    """``1 parameter``, ``50 parameters``."""
    return "1 parameter" if count == 1 else f"{count} parameters"


def number(value: float | None) -> str:
    """A value as a message shows it."""
    return "nothing" if value is None else f"{value:.6g}"


def values(found: Iterable[float | None]) -> str:
    """The distinct values, the first three: ``0.1, 0.05``."""
    distinct = dict.fromkeys(number(value) for value in found)
    shown = ", ".join(islice(distinct, 3))
    return f"{shown}, ..." if len(distinct) > 3 else shown


def kept(planned: Planned, names: Sequence[str], setting: str) -> str:
    """What parameters have, for a message: ``50 parameters keep weight_decay 0.1``; '' for none."""
    wanted = frozenset(names)
    found = [
        row.lr if setting == "lr" else row.weight_decay
        for row in planned.plan.parameters
        if row.name in wanted and row.group is not None
    ]
    if not found:
        return ""
    verb = "keeps" if len(found) == 1 else "keep"
    return f"{parameters(len(found))} {verb} {setting} {values(found)}"
