"""Schedulers that go down to a floor: along a cosine, again and again, along a power."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, cos, pi

from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedulers.base import Curve
from optplan.schedule.schedulers.moves import Moves, Values
from optplan.schedule.specs import FOREVER, Spec


def _floors(curve: Curve) -> list[float]:
    """The floor of each group: one for all, or a share of where it starts."""
    ratio = curve.spec.arguments["eta_min_ratio"]
    if ratio is None:
        return [curve.spec.arguments["eta_min"] or 0.0] * len(curve.bases)
    return [base * ratio for base in curve.bases]


class CosineAnnealing(Curve):
    """Half a cosine down in ``T_max`` ticks, up again in as many, and so on."""

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        super().__init__(spec, lanes)
        self._period = spec.arguments["T_max"] or spec.end - spec.begin
        self._floors = _floors(self)

    def moves(self, position: int, count: int) -> Moves | None:
        """What some ticks do."""
        if position == 0 or self._to_turn(position) == 0:
            return None
        ticks = range(position - 1, position + count)
        heights = [1 + cos(pi * tick / self._period) for tick in ticks]
        return Moves([after / before for before, after in pairwise(heights)], self._floors)

    def turn(self, position: int, values: Values) -> Values:
        """The values after the first tick, or after one that follows a tick on the floor."""
        if position == 0:
            return values
        lift = 1 - cos(pi / self._period)
        return [
            value + (base - floor) * lift / 2
            for value, base, floor in zip(values, self.bases, self._floors, strict=True)
        ]

    def _burst(self, position: int) -> int:
        return 1 if position == 0 else self._to_turn(position) or 1

    def _to_turn(self, position: int) -> int:
        """How far the next tick is at which the ratio to the tick before has no value; one at most where
        the period is no whole number.
        """
        behind = (position - 1 - self._period) % (2 * self._period)
        if behind == 0:
            return 0
        return int(2 * self._period - behind) if isinstance(behind, int) else 1


class CosineRestart(Curve):
    """Half a cosine down in each period, which begins at a share of the initial value."""

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        super().__init__(spec, lanes)
        self._periods = spec.arguments["periods"]
        self._ends = [sum(self._periods[: index + 1]) for index in range(len(self._periods))]
        self._floors = _floors(self)

    def moves(self, position: int, count: int) -> Moves | None:
        """What some ticks do."""
        index = self._index(position)
        begin = self._begin(index)
        if position == begin:
            return None
        period = self._periods[index]
        steps = [tick - begin for tick in range(position, position + count)]
        ratios = [
            (1 + cos(pi * step / period)) / (1 + cos(pi * (step - 1) / period)) for step in steps
        ]
        return Moves(ratios, self._floors)

    def turn(self, position: int, values: Values) -> Values:
        """The values at the begin of a period."""
        del values
        weight = self.spec.arguments["restart_weights"][self._index(position)]
        return [base * weight for base in self.bases]

    def _index(self, position: int) -> int:
        """The period that a tick is in; their number after the last."""
        inside = (index for index, end in enumerate(self._ends) if position < end)
        return next(inside, len(self._ends))

    def _begin(self, index: int) -> float:
        return 0 if index == 0 else self._ends[index - 1]

    def _rest(self, position: int) -> int:
        return FOREVER if self._index(position) == len(self._ends) else 0

    def _burst(self, position: int) -> int:
        index = self._index(position)
        return 1 if position == self._begin(index) else ceil(self._ends[index]) - position


class Poly(Curve):
    """Down to ``eta_min`` along a power of the time that is left."""

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        super().__init__(spec, lanes)
        self._length = spec.end - spec.begin - 1
        self._floors = [spec.arguments["eta_min"]] * len(self.bases)

    def moves(self, position: int, count: int) -> Moves | None:
        """What some ticks do."""
        if position == 0:
            return None
        power = self.spec.arguments["power"]
        left = (self._length - tick + 1 for tick in range(position, position + count))
        return Moves([self._ratio(ticks) ** power for ticks in left], self._floors)

    def turn(self, position: int, values: Values) -> Values:
        """The values as they are: the first tick."""
        del position
        return values

    def _burst(self, position: int) -> int:
        return FOREVER if position else 1

    @staticmethod
    def _ratio(left: float) -> float:
        ratio = 1 - 1 / left
        if ratio < 0:
            raise ValueError("it goes on after its end")
        return ratio
