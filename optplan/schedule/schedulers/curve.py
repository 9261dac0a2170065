"""Step one scheduler of optplan's own: what all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from optplan.errors import ScheduleError, listed, quoted
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.specs import FOREVER, Spec, whole_tick

Values = list[Any]


class Curve(ABC):
    """A scheduler that moves one hyper-parameter of all groups, tick by tick.

    Ticks count from 0, which is made at once. It acts in those between its begin and its end, and its
    position counts these.

    Args:
        spec: The scheduler.
        table: The groups.

    Raises:
        ScheduleError: The groups have no such hyper-parameter.
    """

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        self.spec = spec
        self.table = table
        self.param = spec.param
        self._tick = -1
        self._position = spec.last_step
        self._first, self._stop = whole_tick(spec.begin), whole_tick(spec.end)
        self._take_betas()
        if not table.has(self.param):
            raise _no_param(spec, table)
        if spec.last_step != -1 and not table.has_initial(self.param):
            raise ScheduleError(
                f"{spec.name} goes on from last_step {spec.last_step}, but the groups have no "
                f"initial_{self.param}: it can only resume",
                place=spec.at("last_step"),
            )
        self.bases = list(table.initial(self.param))

    def _take_betas(self) -> None:
        """Let momentum stand for the first of betas where the optimizer has none of its own."""
        table = self.table
        self._has_betas = self.spec.moves_betas and table.has_betas
        if self._has_betas:
            table.entries["momentum"] = [betas[0] for betas in table.entries["betas"]]
        elif self.spec.moves_betas and "momentum" not in table.defaults:
            raise ScheduleError(
                f"{self.spec.name}: the optimizer has neither momentum nor betas",
                place=self.spec.place,
            )

    @property
    def by_epoch(self) -> bool:
        """Whether it ticks after each epoch, not after each iteration."""
        return self.spec.by_epoch

    def unknown_from(self) -> int | None:
        """Return the first tick at which a metric may have changed the values; None where none can."""
        return None

    @property
    def acts(self) -> bool:
        """Whether anything may change at the next tick."""
        return self._has_betas or self._turns

    def steady(self) -> int:
        """Return for how many ticks from now on ``acts`` stays what it is; at least one."""
        tick = self._tick + 1
        if tick < self._first:
            return self._first - tick
        if tick >= self._stop:
            return FOREVER
        position = self._position + 1
        return min(self._rest(position) or self._busy(position), self._stop - tick)

    def advance(self, count: int) -> None:
        """Make so many ticks, at most as many as ``steady`` returns."""
        if self._turns:
            values = self.table.entries[self.param]
            for position in range(self._position + 1, self._position + 1 + count):
                values = self.turn(position, values)
            self.table.entries[self.param] = values
        self._position += count if self._is_inside else 0
        self._tick += count
        if self._has_betas:
            entries = self.table.entries
            pairs = zip(entries["momentum"], entries["betas"], strict=True)
            entries["betas"] = [(first, *betas[1:]) for first, betas in pairs]

    @property
    def _is_inside(self) -> bool:
        """Whether the next tick is between its begin and its end."""
        return self._first <= self._tick + 1 < self._stop

    @property
    def _turns(self) -> bool:
        """Whether the next tick may change the values."""
        return self._is_inside and self._rest(self._position + 1) == 0

    @abstractmethod
    def turn(self, position: int, values: Values) -> Values:
        """Return the values after the tick at a position."""

    def _rest(self, position: int) -> int:
        """Return for how many positions from this one on nothing changes."""
        del position
        return 0

    def _busy(self, position: int) -> int:
        """Return for how many positions from this one on, which changes something, all do."""
        del position
        return FOREVER


def towards(values: Values, ratio: float, floors: Sequence[float]) -> Values:
    """Return values whose distances from their floors are multiplied by a ratio."""
    return [ratio * (value - floor) + floor for value, floor in zip(values, floors, strict=True)]


def _no_param(spec: Spec, table: ParamGroupTable) -> ScheduleError:
    known = sorted(table.defaults)
    return ScheduleError(
        f"{spec.name} moves {quoted(spec.param)}, which the optimizer does not have",
        place=spec.at("param_name"),
        hint=f"it has {listed(known, most=12)}" if known else None,
    )
