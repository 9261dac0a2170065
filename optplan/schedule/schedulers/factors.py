"""Schedulers that multiply: by steps, at milestones, for a while, at every tick, along a line."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left
from collections import Counter

from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedulers.base import Curve
from optplan.schedule.schedulers.moves import Moves, Values
from optplan.schedule.specs import FOREVER, Spec


class Rare(Curve):
    """A scheduler that multiplies now and then."""

    def moves(self, position: int, count: int) -> Moves | None:
        """None: it does nothing for most of the time."""
        del position, count
        return None

    def turn(self, position: int, values: Values) -> Values:
        """The values after the tick that changes them."""
        factor = self.factor(position)
        return values if factor is None else [value * factor for value in values]

    def _burst(self, position: int) -> int:
        del position
        return 1

    @abstractmethod
    def factor(self, position: int) -> float | None:
        """What a tick multiplies by; None for nothing."""


class StepFactor(Rare):
    """Times ``gamma`` after every ``step_size`` ticks."""

    def factor(self, position: int) -> float | None:
        """What a tick multiplies by; None for nothing."""
        if position == 0 or position % self.spec.arguments["step_size"] != 0:
            return None
        return float(self.spec.arguments["gamma"])

    def _rest(self, position: int) -> int:
        size = self.spec.arguments["step_size"]
        # the remainder of a float is exact, and 0 for whole multiples alone
        period: int = size.as_integer_ratio()[0]
        return period if position == 0 else -position % period


class MultiStep(Rare):
    """Times ``gamma`` at each milestone, as often as it is listed."""

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        super().__init__(spec, lanes)
        self._times = Counter(spec.arguments["milestones"])
        self._milestones = sorted(one for one in self._times if one == int(one))

    def factor(self, position: int) -> float | None:
        """What a tick multiplies by; None for nothing."""
        return float(self.spec.arguments["gamma"] ** self._times[position])

    def _rest(self, position: int) -> int:
        place = bisect_left(self._milestones, position)
        return (
            FOREVER if place == len(self._milestones) else int(self._milestones[place]) - position
        )


class Constant(Rare):
    """Times ``factor`` until the last tick, which takes it back."""

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        super().__init__(spec, lanes)
        self._last = spec.end - spec.begin - 1

    def factor(self, position: int) -> float | None:
        """What a tick multiplies by; None for nothing."""
        factor = float(self.spec.arguments["factor"])
        return factor if position == 0 else 1.0 / factor

    def _rest(self, position: int) -> int:
        if position == 0:
            return 0
        return int(self._last) - position if self._last == int(self._last) >= position else FOREVER


class Exponential(Curve):
    """Times ``gamma`` at every tick but the first."""

    def moves(self, position: int, count: int) -> Moves | None:
        """What some ticks do."""
        if position == 0:
            return None
        return Moves([float(self.spec.arguments["gamma"])] * count)

    def turn(self, position: int, values: Values) -> Values:
        """The values as they are: the first tick."""
        del position
        return values

    def _burst(self, position: int) -> int:
        return FOREVER if position else 1


class Linear(Curve):
    """From ``start_factor`` to ``end_factor`` along a line."""

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        super().__init__(spec, lanes)
        self._length = spec.end - spec.begin - 1

    def moves(self, position: int, count: int) -> Moves | None:
        """What some ticks do."""
        start = self.spec.arguments["start_factor"]
        rise = self.spec.arguments["end_factor"] - start
        base = self._length * start
        factors = [float(start)] if position == 0 else []
        factors += [
            1.0 + rise / (base + (tick - 1) * rise)
            for tick in range(max(position, 1), position + count)
        ]
        return Moves(factors)

    def turn(self, position: int, values: Values) -> Values:
        """The values as they are: every tick is a move."""
        del position
        return values
