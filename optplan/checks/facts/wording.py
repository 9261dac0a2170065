"""How findings put counts and values into words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from optplan.plan import PlannedParameter

_SINGULAR = {"are": "is", "have": "has", "carry": "carries"}


def parameters(count: int, verb: str = "") -> str:
    """Return a count and what these do: ``1 parameter has``, ``50 parameters have``.

    Args:
        count: How many there are.
        verb: Its form for several; empty for none.
    """
    if count == 1:
        verb = _SINGULAR.get(verb, f"{verb}s" if verb else "")
    noun = "parameter" if count == 1 else "parameters"
    return f"{count} {noun} {verb}".rstrip()


def number(value: float | None) -> str:
    """Return a value as a message shows it."""
    return "nothing" if value is None else f"{value:.6g}"


def plain_number(value: float) -> str:
    """Return a count with all its digits, without a decimal point where it is whole."""
    return str(int(value)) if value == int(value) else repr(float(value))


def values(found: Iterable[float | None]) -> str:
    """Return the distinct values, the first three: ``0.1, 0.05``."""
    distinct = dict.fromkeys(number(value) for value in found)
    shown = ", ".join(islice(distinct, 3))
    return f"{shown}, ..." if len(distinct) > 3 else shown


def others(count: int) -> str:
    """Return ``1 other has none``, ``15 others have none``."""
    return "1 other has none" if count == 1 else f"{count} others have none"


def kept(rows: Iterable[PlannedParameter], setting: str) -> str:
    """Return what parameters have, for a message: ``50 parameters keep weight_decay 0.1``; '' for none."""
    found = [
        row.lr if setting == "lr" else row.weight_decay for row in rows if row.group is not None
    ]
    if not found:
        return ""
    return f"{parameters(len(found), 'keep')} {setting} {values(found)}"
