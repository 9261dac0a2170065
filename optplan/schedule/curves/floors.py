"""Schedulers that go down to a floor: along a cosine, again and again, along a power."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, cos, pi

from optplan.schedule.curves.arithmetic import approached
from optplan.schedule.curves.base import FOREVER, Curve, Values
from optplan.schedule.lanes import Lanes
from optplan.schedule.specs import Spec


def _floors(curve: Curve) -> list[float]:
    """The floor of each group: one for all, or a share of where it starts."""
    ratio = curve.spec.arguments["eta_min_ratio"]
    if ratio is None:
        return [curve.spec.arguments["eta_min"] or 0.0] * len(curve.bases)
    return [base * ratio for base in curve.bases]


class CosineAnnealing(Curve):
    """Half a cosine down in ``T_max`` ticks, up again in as many, and so on."""

    def __init__(self, spec: Spec, lanes: Lanes) -> None:
        super().__init__(spec, lanes)
        self._period = spec.arguments["T_max"] or spec.end - spec.begin
        self._floors = _floors(self)

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after some ticks."""
        stop = position + count
        if position == 0:
            position = 1
        while position < stop:
            turn = self._next_turn(position)
            if turn == position:
                values = self._off_the_floor(values)
                position += 1
                continue
            upto = min(stop, turn)
            values = approached(values, self._floors, self._ratios(position, upto))
            position = upto
        return values

    def _next_turn(self, position: int) -> int:
        """The next tick after one on the floor, where the ratio to the tick before has no value."""
        behind = (position - 1 - self._period) % (2 * self._period)
        if behind == 0:
            return position
        whole = isinstance(behind, int)
        return position + 2 * int(self._period) - int(behind) if whole else position + 1

    def _off_the_floor(self, values: Values) -> Values:
        lift = 1 - cos(pi / self._period)
        return [
            value + (base - floor) * lift / 2
            for value, base, floor in zip(values, self.bases, self._floors, strict=True)
        ]

    def _ratios(self, start: int, stop: int) -> list[float]:
        heights = [1 + cos(pi * tick / self._period) for tick in range(start - 1, stop)]
        return [after / before for before, after in pairwise(heights)]


class CosineRestart(Curve):
    """Half a cosine down in each period, which begins at a share of the initial value."""

    def __init__(self, spec: Spec, lanes: Lanes) -> None:
        super().__init__(spec, lanes)
        self._periods = spec.arguments["periods"]
        self._ends = [sum(self._periods[: index + 1]) for index in range(len(self._periods))]
        self._floors = _floors(self)

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after some ticks."""
        stop = position + count
        while position < stop:
            index = self._index(position)
            if index is None:
                break
            begin = 0 if index == 0 else self._ends[index - 1]
            if position == begin:
                weight = self.spec.arguments["restart_weights"][index]
                values = [base * weight for base in self.bases]
                position += 1
                continue
            period = self._periods[index]
            upto = min(stop, ceil(self._ends[index]))
            heights = [
                (1 + cos(pi * step / period), 1 + cos(pi * (step - 1) / period))
                for step in (tick - begin for tick in range(position, upto))
            ]
            ratios = [height / before for height, before in heights]
            values = approached(values, self._floors, ratios)
            position = upto
        return values

    def _index(self, position: int) -> int | None:
        """The period that a tick is in; None after the last."""
        return next((i for i, end in enumerate(self._ends) if position < end), None)

    def _rest(self, position: int) -> int:
        return FOREVER if self._index(position) is None else 0


class Poly(Curve):
    """Down to ``eta_min`` along a power of the time that is left."""

    def __init__(self, spec: Spec, lanes: Lanes) -> None:
        super().__init__(spec, lanes)
        self._length = spec.end - spec.begin - 1
        self._floors = [spec.arguments["eta_min"]] * len(self.bases)

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after some ticks."""
        power = self.spec.arguments["power"]
        ratios = [
            self._ratio(self._length - tick + 1) ** power
            for tick in range(max(position, 1), position + count)
        ]
        return approached(values, self._floors, ratios)

    @staticmethod
    def _ratio(left: float) -> float:
        ratio = 1 - 1 / left
        if ratio < 0:
            raise ValueError("it goes on after its end")
        return ratio
