"""Parameters by their block of the model and the type of their module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from optplan.plan.plan import PlannedParameter

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
