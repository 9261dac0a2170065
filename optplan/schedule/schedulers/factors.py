"""Schedulers that multiply: by steps, at milestones, for a while, at every tick, along a line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import Counter

from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedulers.curve import Curve, Values
from optplan.schedule.specs import FOREVER, Spec


class Factor(Curve, ABC):
    """A scheduler that multiplies the values by a factor of each tick."""

    def turn(self, position: int, values: Values) -> Values:
        """Return the values after a tick."""
        factor = self.factor(position)
        return values if factor is None else [value * factor for value in values]

    @abstractmethod
    def factor(self, position: int) -> float | None:
        """Return what a tick multiplies by; None for nothing."""


class Rare(Factor):
    """A scheduler that multiplies now and then: after each time it may rest."""

    def _busy(self, position: int) -> int:
        del position
        return 1


class StepFactor(Rare):
    """Times ``gamma`` after every ``step_size`` ticks."""

    def factor(self, position: int) -> float | None:
        """Return what a tick multiplies by; None for nothing."""
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

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        self._times = Counter(spec.arguments["milestones"])
        self._milestones = sorted(one for one in self._times if one == int(one))

    def factor(self, position: int) -> float:
        """Return what a tick multiplies by."""
        return float(self.spec.arguments["gamma"] ** self._times[position])

    def _rest(self, position: int) -> int:
        place = bisect_left(self._milestones, position)
        return (
            FOREVER if place == len(self._milestones) else int(self._milestones[place]) - position
        )


class Constant(Rare):
    """Times ``factor`` until the last tick, which takes it back."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        self._last = spec.end - spec.begin - 1

    def factor(self, position: int) -> float:
        """Return what a tick multiplies by."""
        factor = float(self.spec.arguments["factor"])
        return factor if position == 0 else 1.0 / factor

    def _rest(self, position: int) -> int:
        if position == 0:
            return 0
        return int(self._last) - position if self._last == int(self._last) >= position else FOREVER


class Exponential(Factor):
    """Times ``gamma`` at every tick but the first."""

    def factor(self, position: int) -> float | None:
        """Return what a tick multiplies by; None for nothing."""
        return float(self.spec.arguments["gamma"]) if position else None


class Linear(Factor):
    """From ``start_factor`` to ``end_factor`` along a line."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        self._start = spec.arguments["start_factor"]
        self._rise = spec.arguments["end_factor"] - self._start
        self._base = (spec.end - spec.begin - 1) * self._start

    def factor(self, position: int) -> float:
        """Return what a tick multiplies by."""
        if position == 0:
            return float(self._start)
        return float(1.0 + self._rise / (self._base + (position - 1) * self._rise))
