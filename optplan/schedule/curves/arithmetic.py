"""Repeated steps towards a floor, in the order in which the reference does them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from optplan.schedule.curves.base import Values


def multiplied(values: Values, factors: Sequence[float]) -> Values:
    """Each value times all factors, one after another."""
    return [prod(factors, start=value) for value in values]


def approached(values: Values, floors: Sequence[float], ratios: Sequence[float]) -> Values:
    """Each value, its distance from its floor multiplied by all ratios, one after another."""
    if not any(floors):
        return multiplied(values, ratios)
    return [_one(*pair, ratios) for pair in zip(values, floors, strict=True)]


def _one(value: float, floor: float, ratios: Sequence[float]) -> float:
    for ratio in ratios:
        value = ratio * (value - floor) + floor
    return value
