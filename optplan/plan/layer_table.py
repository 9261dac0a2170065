"""The layers of a plan from the input on, and its parameters by block of the model and type of module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


Members = tuple[PlannedParameter, ...]


def depth_grid(rows: Sequence[PlannedParameter]) -> Mapping[str, Mapping[str, Members]]:
    """Return the members of each block by module type, both in the model's order.

    A block is the longest path that ends in a number and holds modules, as ``layers.0.blocks.1``; a parameter
    outside of blocks stands by its own module. What is in no group has no part in it.
    """
    kept = [row for row in rows if row.group is not None]
    blocks = _blocks(row.name for row in rows)
    found: dict[str, dict[str, list[PlannedParameter]]] = {}
    for row in kept:
        block, kind = _block_of(row.name, blocks), row.module.rpartition(".")[2]
        found.setdefault(block, {}).setdefault(kind, []).append(row)
    return {
        block: {kind: tuple(members) for kind, members in kinds.items()}
        for block, kinds in found.items()
    }


def _blocks(names: Iterable[str]) -> frozenset[str]:
    """Return each path that ends in a number and has a parameter in a module below."""
    found = set()
    for name in names:
        parts = name.split(".")
        for at, part in enumerate(parts[:-2]):
            if part.isdecimal():
                found.add(".".join(parts[: at + 1]))
    return frozenset(found)


def _block_of(name: str, blocks: frozenset[str]) -> str:
    path = name
    while path:
        path = path.rpartition(".")[0]
        if path in blocks:
            return path
    return name.rpartition(".")[0]
