"""Where the entry is written that decides a parameter's value."""

from __future__ import annotations

from optplan.places import Place
from optplan.plan import Planned, PlannedParameter


def deciding_place(planned: Planned, row: PlannedParameter, setting: str) -> Place | None:
    """Return where the key, option or base value is written that gave a row its value.

    Args:
        planned: The plan.
        row: One of its rows.
        setting: ``lr`` or ``weight_decay``.

    Returns:
        For what code decided, the code; None where no place is known.
    """
    tensor = next((facts.tensor for other, facts in planned.pairs() if other is row), None)
    assignment = None if tensor is None else planned.assignments.get(tensor)
    if assignment is None:
        return None
    is_lr = setting == "lr"
    verdict = assignment.lr_verdict if is_lr else assignment.weight_decay_verdict
    return verdict.place
