"""The layers of a plan, from the input on: how lr falls from the last to the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optplan.plan.plan import PlannedParameter
from optplan.plan.row_kinds import KindOf, RowKind, kinds_by_rule, kinds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStep:
    """The parameters of one layer, or of one scale where the groups number no layers.

    Args:
        layer: The layer's number; ``None`` for none.
        scales: The distinct scales of its parameters, the smallest first; empty for none.
        kinds: What decided them.
        names: Their names.
        elements: Their elements.
    """

    layer: int | None
    scales: tuple[float, ...]
    kinds: tuple[RowKind, ...]
    names: tuple[str, ...]
    elements: int


def ramp(rows: Iterable[PlannedParameter]) -> tuple[LayerStep, ...]:
    """Return the layers in order, then what is in a group but in no layer; empty where there are no layers.

    Args:
        rows: Rows of a plan. What is in no group has no part in it.
    """
    found: dict[tuple[int, float], list[PlannedParameter]] = {}
    for row in rows:
        if row.group is not None:
            found.setdefault(_place(row), []).append(row)
    if found.keys() <= {_NOWHERE}:
        return ()
    kind_of = kinds_by_rule()
    return tuple(_step(found[place], kind_of) for place in sorted(found))


_NOWHERE = (2, 0.0)


def _place(row: PlannedParameter) -> tuple[int, float]:
    if row.layer is not None:
        return 0, row.layer
    return _NOWHERE if row.lr_scale is None else (1, row.lr_scale)


def _step(rows: Sequence[PlannedParameter], kind_of: KindOf) -> LayerStep:
    return LayerStep(
        layer=rows[0].layer,
        scales=tuple(sorted({row.lr_scale for row in rows if row.lr_scale is not None})),
        kinds=tuple(kinds_of(rows, kind_of).values()),
        names=tuple(row.name for row in rows),
        elements=sum(row.elements for row in rows),
    )
