"""One kind of sabotage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of sabotage.

    Args:
        target: The file beside this one and its function, as ``decay.bounded``.
        meaning: What it does.
        names: Words that the report must have: parameters, hooks, options, groups.
        spared: Parameters that the report must not have.
        model: A class of nets.py.
        statuses: The exit statuses that are right.
        plan: The function whose saved plan it is held against.
    """

    target: str
    meaning: str
    names: tuple[str, ...]
    spared: tuple[str, ...] = ()
    model: str = "Net"
    statuses: tuple[int, ...] = (1,)
    plan: str | None = None


def family(
    file: str, rows: dict[str, tuple[str, str, str]], *, plan: str | None = None, **values: str
) -> tuple[Kind, ...]:
    return tuple(
        Kind(
            target=f"{file}.{name}",
            meaning=meaning,
            names=tuple(names.split()),
            spared=tuple(spared.split()),
            model=values.get(name, "Net"),
            plan=plan,
        )
        for name, (meaning, names, spared) in rows.items()
    )
