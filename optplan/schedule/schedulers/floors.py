"""Schedulers that go down to a floor: along a cosine, again and again, along a power."""

from __future__ import annotations

from math import ceil, cos, pi

from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedulers.curve import Curve, Values, towards
from optplan.schedule.specs import FOREVER, Spec


def _floors(curve: Curve) -> list[float]:
    """Return the floor of each group: one for all, or a share of where it starts."""
    ratio = curve.spec.arguments["eta_min_ratio"]
    if ratio is None:
        return [curve.spec.arguments["eta_min"] or 0.0] * len(curve.bases)
    return [base * ratio for base in curve.bases]


class CosineAnnealing(Curve):
    """Half a cosine down in ``T_max`` ticks, up again in as many, and so on."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        self._period = spec.arguments["T_max"] or spec.end - spec.begin
        self._floors = _floors(self)

    def turn(self, position: int, values: Values) -> Values:
        """Return the values after a tick; one that follows a tick on the floor has no ratio to it."""
        if position == 0:
            return values
        if (position - 1 - self._period) % (2 * self._period) == 0:
            lift = 1 - cos(pi / self._period)
            return [
                value + (base - floor) * lift / 2
                for value, base, floor in zip(values, self.bases, self._floors, strict=True)
            ]
        after = 1 + cos(pi * position / self._period)
        before = 1 + cos(pi * (position - 1) / self._period)
        return towards(values, after / before, self._floors)


class CosineRestart(Curve):
    """Half a cosine down in each period, which begins at a share of the initial value."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        self._periods = spec.arguments["periods"]
        self._ends = [sum(self._periods[: index + 1]) for index in range(len(self._periods))]
        self._floors = _floors(self)

    def turn(self, position: int, values: Values) -> Values:
        """Return the values after a tick, with which a period may begin."""
        index = self._index(position)
        step = position - (self._ends[index - 1] if index else 0)
        if step == 0:
            weight = self.spec.arguments["restart_weights"][index]
            return [base * weight for base in self.bases]
        period = self._periods[index]
        ratio = (1 + cos(pi * step / period)) / (1 + cos(pi * (step - 1) / period))
        return towards(values, ratio, self._floors)

    def _index(self, position: int) -> int:
        """Return the period that a tick is in; their number after the last."""
        inside = (index for index, end in enumerate(self._ends) if position < end)
        return next(inside, len(self._ends))

    def _rest(self, position: int) -> int:
        return FOREVER if self._index(position) == len(self._ends) else 0

    def _busy(self, position: int) -> int:
        end: float = self._ends[-1]
        return ceil(end) - position


class Poly(Curve):
    """Down to ``eta_min`` along a power of the time that is left."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        self._length = spec.end - spec.begin - 1
        self._floors = [spec.arguments["eta_min"]] * len(self.bases)

    def turn(self, position: int, values: Values) -> Values:
        """Return the values after a tick."""
        if position == 0:
            return values
        ratio = 1 - 1 / (self._length - position + 1)
        if ratio < 0:
            raise ValueError("it goes on after its end")
        return towards(values, ratio ** self.spec.arguments["power"], self._floors)
