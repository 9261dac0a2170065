"""Merge what several processes found into one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from optplan.verify.parallel import World
from optplan.verify.results import Measured, Mismatch, Movement, MovementResult

_WORST_FIRST = (
    Movement.DEVIATES,
    Movement.BELOW_RESOLUTION,
    Movement.UNCHECKED,
    Movement.MOVED,
    Movement.STILL,  # also what a process says that holds nothing of a parameter
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one process found, or all of them.

    Args:
        mismatches: In its groups.
        exact, trained: How parameters moved.
        measured: The values that were seen.
        disagreeing: In what the processes are not of one mind; the same on each of them.
    """

    mismatches: tuple[Mismatch, ...]
    exact: Mapping[str, MovementResult]
    trained: Mapping[str, MovementResult] | None
    measured: Mapping[str, Measured]
    disagreeing: tuple[Mismatch, ...] = ()


def merged(world: World, mine: Found) -> Found:
    """Return what all processes found; of verdicts on one parameter the worst, with its process."""
    everyone: list[Found] = world.gathered(mine)
    if len(everyone) == 1:
        return mine
    first = everyone[0]
    mismatches = list(first.mismatches)
    for rank, one in enumerate(everyone[1:], 1):
        mismatches += [
            replace(mismatch, built=f"{mismatch.built} on process {rank}")
            for mismatch in one.mismatches
            if mismatch not in first.mismatches
        ]
    return Found(
        mismatches=tuple(mismatches),
        exact=_worst([one.exact for one in everyone]),
        trained=None
        if first.trained is None
        else _worst([one.trained for one in everyone if one.trained is not None]),
        measured={
            name: _first_seen([one.measured.get(name, Measured()) for one in everyone])
            for name in dict.fromkeys(name for one in everyone for name in one.measured)
        },
        disagreeing=first.disagreeing,
    )


def _worst(moved: list[Mapping[str, MovementResult]]) -> dict[str, MovementResult]:
    return {name: _worst_of([one[name] for one in moved]) for name in moved[0]}


def _worst_of(verdicts: list[MovementResult]) -> MovementResult:
    rank, worst = min(enumerate(verdicts), key=lambda pair: _WORST_FIRST.index(pair[1].movement))
    is_everywhere = all(one.movement is worst.movement for one in verdicts)
    if not worst.reason or is_everywhere:
        return worst
    return replace(worst, reason=f"{worst.reason}, on process {rank}")


def _first_seen(values: list[Measured]) -> Measured:
    rates = [one.lr for one in values if one.lr is not None]
    decays = [one.weight_decay for one in values if one.weight_decay is not None]
    return Measured(lr=rates[0] if rates else None, weight_decay=decays[0] if decays else None)
