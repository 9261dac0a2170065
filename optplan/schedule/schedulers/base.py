"""One scheduler at work: what all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod

from optplan.errors import ScheduleError, listed, quoted
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedulers.moves import Moves, Values, woven
from optplan.schedule.specs import FOREVER, Spec, whole_tick


class Curve(ABC):
    """A scheduler that moves one hyper-parameter of all groups, tick by tick.

    Ticks count from 0, which is made at once. It acts in those between its begin and its end, and its
    position counts these.

    Args:
        spec: The scheduler.
        lanes: The groups.

    Raises:
        ScheduleError: The groups have no such hyper-parameter.
    """

    def __init__(self, spec: Spec, lanes: ParamGroupTable) -> None:
        self.spec = spec
        self.lanes = lanes
        self.param = spec.param
        self._tick = -1
        self._position = spec.last_step
        self._first, self._stop = whole_tick(spec.begin), whole_tick(spec.end)
        self._take_betas()
        if not lanes.has(self.param):
            raise _no_param(spec, lanes)
        if spec.last_step != -1 and not lanes.has_initial(self.param):
            raise ScheduleError(
                f"{spec.name} goes on from last_step {spec.last_step}, but the groups have no "
                f"initial_{self.param}: it can only resume",
                place=spec.at("last_step"),
            )
        self.bases = list(lanes.initial(self.param))

    def _take_betas(self) -> None:
        """Let momentum stand for the first of betas where the optimizer has none of its own."""
        lanes = self.lanes
        self._has_betas = self.spec.moves_betas and lanes.has_betas
        if self._has_betas:
            lanes.entries["momentum"] = [betas[0] for betas in lanes.entries["betas"]]
        elif self.spec.moves_betas and "momentum" not in lanes.defaults:
            raise ScheduleError(
                f"{self.spec.name}: the optimizer has neither momentum nor betas",
                place=self.spec.place,
            )

    @property
    def by_epoch(self) -> bool:
        """Whether it ticks after each epoch, not after each iteration."""
        return self.spec.by_epoch

    def unknown_from(self) -> int | None:
        """The first tick at which a metric may have changed the values; None where none can."""
        return None

    @property
    def acts(self) -> bool:
        """Whether anything may change at the next tick."""
        return self._has_betas or (self._is_inside and self._rest(self._position + 1) == 0)

    def steady(self) -> int:
        """For how many ticks from now on ``acts`` stays what it is; at least one."""
        tick = self._tick + 1
        if tick < self._first:
            return self._first - tick
        if tick >= self._stop:
            return FOREVER
        rest = self._rest(self._position + 1)
        return min(rest or self._burst(self._position + 1), self._stop - tick)

    def advance(self, count: int) -> None:
        """Make so many ticks, of which ``steady`` says that they are alike."""
        position = self._position + 1
        if self._is_inside and self._rest(position) == 0:
            entries = self.lanes.entries
            entries[self.param] = self.follow(position, count, entries[self.param])
        self.pass_over(count)

    def pass_over(self, count: int) -> None:
        """Count so many ticks, whatever they did to the values."""
        self._position += count if self._is_inside else 0
        self._tick += count
        if self._has_betas:
            entries = self.lanes.entries
            pairs = zip(entries["momentum"], entries["betas"], strict=True)
            entries["betas"] = [(first, *betas[1:]) for first, betas in pairs]

    def next_moves(self, count: int) -> Moves | None:
        """The moves of so many ticks from now on, which are alike; None where these are none."""
        position = self._position + 1
        if self._has_betas or not self._is_inside or self._rest(position):
            return None
        return self.moves(position, count)

    @property
    def _is_inside(self) -> bool:
        """Whether the next tick is between its begin and its end."""
        return self._first <= self._tick + 1 < self._stop

    def follow(self, position: int, count: int, values: Values) -> Values:
        """The values after so many ticks, of which the first is at ``position``."""
        moves = self.moves(position, count)
        return self.turn(position, values) if moves is None else woven(values, [moves])

    @abstractmethod
    def moves(self, position: int, count: int) -> Moves | None:
        """What so many ticks do to each value; None where a single one does something else."""

    @abstractmethod
    def turn(self, position: int, values: Values) -> Values:
        """The values after the single tick that is no move."""

    def _rest(self, position: int) -> int:
        """For how many positions from this one on nothing changes."""
        del position
        return 0

    def _burst(self, position: int) -> int:
        """For how many positions from this one on all are moves; one, where it is none."""
        del position
        return FOREVER


def _no_param(spec: Spec, lanes: ParamGroupTable) -> ScheduleError:
    known = sorted(lanes.defaults)
    return ScheduleError(
        f"{spec.name} moves {quoted(spec.param)}, which the optimizer does not have",
        place=spec.at("param_name"),
        hint=f"it has {listed(known, most=12)}" if known else None,
    )
