"""Schedulers that multiply: by steps, at milestones, for a while, at every tick, along a line."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from optplan.schedule.curves.arithmetic import multiplied
from optplan.schedule.curves.base import FOREVER, Curve, Values
from optplan.schedule.lanes import Lanes
from optplan.schedule.specs import Spec


class Step(Curve):
    """Times ``gamma`` after every ``step_size`` ticks."""

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after the one tick that changes them."""
        del count
        if position == 0 or position % self.spec.arguments["step_size"] != 0:
            return values
        return [value * self.spec.arguments["gamma"] for value in values]

    def _rest(self, position: int) -> int:
        size = self.spec.arguments["step_size"]
        if not isinstance(size, int):
            return 0
        return size if position == 0 else -position % size

    def _burst(self, position: int) -> int:
        del position
        return 1


class MultiStep(Curve):
    """Times ``gamma`` at each milestone, as often as it is listed."""

    def __init__(self, spec: Spec, lanes: Lanes) -> None:
        super().__init__(spec, lanes)
        self._times = Counter(spec.arguments["milestones"])
        self._milestones = sorted(one for one in self._times if one == int(one))

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after the one tick that changes them."""
        del count
        factor = self.spec.arguments["gamma"] ** self._times[position]
        return [value * factor for value in values]

    def _rest(self, position: int) -> int:
        place = bisect_left(self._milestones, position)
        return (
            FOREVER if place == len(self._milestones) else int(self._milestones[place]) - position
        )

    def _burst(self, position: int) -> int:
        del position
        return 1


class Constant(Curve):
    """Times ``factor`` until the last tick, which takes it back."""

    def __init__(self, spec: Spec, lanes: Lanes) -> None:
        super().__init__(spec, lanes)
        self._last = spec.end - spec.begin - 1

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after the one tick that changes them."""
        del count
        factor = self.spec.arguments["factor"]
        if position != 0:
            factor = 1.0 / factor
        return [value * factor for value in values]

    def _rest(self, position: int) -> int:
        if position == 0:
            return 0
        return int(self._last) - position if self._last == int(self._last) >= position else FOREVER

    def _burst(self, position: int) -> int:
        del position
        return 1


class Exponential(Curve):
    """Times ``gamma`` at every tick but the first."""

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after some ticks."""
        return multiplied(values, [self.spec.arguments["gamma"]] * (count - (position == 0)))


class Linear(Curve):
    """From ``start_factor`` to ``end_factor`` along a line."""

    def __init__(self, spec: Spec, lanes: Lanes) -> None:
        super().__init__(spec, lanes)
        self._length = spec.end - spec.begin - 1

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after some ticks."""
        start = self.spec.arguments["start_factor"]
        rise = self.spec.arguments["end_factor"] - start
        base = self._length * start
        factors = [start] if position == 0 else []
        factors += [
            1.0 + rise / (base + (tick - 1) * rise)
            for tick in range(max(position, 1), position + count)
        ]
        return multiplied(values, factors)
