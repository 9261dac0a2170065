"""What ticks do to values, in the order in which the reference does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

Values = list[Any]


@dataclass(frozen=True, slots=True)
class Moves:
    """One ratio for each tick, by which the distance of a value from its floor is multiplied.

    Args:
        ratios: The ratios.
        floors: The floor of each value; None for 0, where the value itself is multiplied.
    """

    ratios: Sequence[float]
    floors: Sequence[float] | None = None


def woven(values: Values, moves: Sequence[Moves]) -> Values:
    """The values after some ticks, in each of which several schedulers move them one after another.

    Args:
        values: The values before.
        moves: The moves of each scheduler, as many as there are ticks.
    """
    floors = [own.floors if own.floors and any(own.floors) else None for own in moves]
    if not any(floors):
        factors = moves[0].ratios
        if len(moves) > 1:
            factors = list(chain.from_iterable(zip(*(m.ratios for m in moves), strict=True)))
        # floats are multiplied from the left, as one after another
        return [prod(factors, start=value) for value in values]
    lanes = zip(*(own or [0.0] * len(values) for own in floors), strict=True)
    if len(moves) == 1:
        ratios = moves[0].ratios
        return [_one(value, floor, ratios) for value, (floor,) in zip(values, lanes, strict=True)]
    if len(moves) == 2:
        pairs = list(zip(moves[0].ratios, moves[1].ratios, strict=True))
        return [_two(value, own, pairs) for value, own in zip(values, lanes, strict=True)]
    ticks = list(zip(*(own.ratios for own in moves), strict=True))
    return [_many(value, own, ticks) for value, own in zip(values, lanes, strict=True)]


def _one(value: float, floor: float, ratios: Sequence[float]) -> float:
    for ratio in ratios:
        value = ratio * (value - floor) + floor
    return value


def _two(value: float, floors: Sequence[float], ratios: Sequence[tuple[float, ...]]) -> float:
    floor, other_floor = floors
    for ratio, other in ratios:
        value = ratio * (value - floor) + floor
        value = other * (value - other_floor) + other_floor
    return value


def _many(value: float, floors: Sequence[float], ticks: Sequence[tuple[float, ...]]) -> float:
    for ratios in ticks:
        for ratio, floor in zip(ratios, floors, strict=True):
            value = ratio * (value - floor) + floor
    return value
