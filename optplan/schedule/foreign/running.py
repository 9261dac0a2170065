"""Step a scheduler of another package, and copy what it does to the groups."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import torch
from torch.optim import Optimizer

from optplan.errors import ScheduleError
from optplan.runtime.stdio import stdout_to_stderr
from optplan.schedule.foreign.classes import Way
from optplan.schedule.param_group_table import MISSING, ParamGroupTable
from optplan.schedule.running_scheduler import ANYTHING
from optplan.schedule.schedulers import FOREVER
from optplan.schedule.specs import ForeignSpec
from optplan.schedule.training import Unit


class Groups(Protocol):
    """Param groups that schedulers act on."""

    def put(self, table: ParamGroupTable) -> None:
        """Set the groups to what the table has."""

    def take(self, table: ParamGroupTable) -> None:
        """Set the table to what the groups have."""


class StandIn(Optimizer):
    """One tiny parameter in a group for each group of the table, with the group's entries.

    Args:
        table: The groups that it stands in for.
    """

    def __init__(self, table: ParamGroupTable) -> None:
        groups: list[dict[str, Any]] = [
            {"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(table.count)
        ]
        defaults = {name: _first(table, name) for name in table.defaults}
        super().__init__(groups, defaults)
        self.put(table)
        self.step()  # schedulers warn where they are stepped before the optimizer

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""

    def put(self, table: ParamGroupTable) -> None:
        """Set the groups to what the table has."""
        for name, values in table.entries.items():
            for group, value in zip(self.param_groups, values, strict=True):
                if value is not MISSING:
                    group[name] = value

    def take(self, table: ParamGroupTable) -> None:
        """Set the table to what the groups have."""
        names = dict.fromkeys(name for group in self.param_groups for name in group)
        del names["params"]
        for name in names:
            table.entries[name] = [group.get(name, MISSING) for group in self.param_groups]


def _first(table: ParamGroupTable, name: str) -> Any:
    values = table.entries.get(name)
    return None if values is None or values[0] is MISSING else values[0]


class RunningForeignScheduler:
    """A scheduler of another package, stepped for real.

    Args:
        spec: The scheduler.
        table: The groups.
        optimizer: The optimizer that stands in for them.
        make: Makes the scheduler for it; None for one that leaves everything as it is.
        stepping: What holds while the scheduler is stepped.
    """

    def __init__(
        self,
        spec: ForeignSpec,
        table: ParamGroupTable,
        optimizer: Groups,
        make: Callable[[Any], tuple[Any, Way]],
        stepping: Callable[[Any], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.spec = spec
        self.param = ANYTHING
        self.acts = True
        self._table = table
        self._optimizer = optimizer
        self._make = make
        self._stepping = stepping
        self._ticks = 0
        self._scheduler: Any = None
        self._way = Way.TORCH

    @property
    def by_epoch(self) -> bool:
        """Whether it ticks after each epoch, not after each iteration."""
        return bool(getattr(self._scheduler, "by_epoch", self.spec.by_epoch))

    def steady(self) -> int:
        """Return for how many ticks from now on ``acts`` stays what it is."""
        return FOREVER

    def advance(self, count: int) -> None:
        """Make so many ticks; the first of all is that with which it is made."""
        with _quietly():
            self._optimizer.put(self._table)
            if self._ticks == 0:
                self._scheduler, self._way = self._make(self._optimizer)
                self._ticks, count = 1, count - 1
            if self._scheduler is not None and (not self._waits or self._way is Way.TIMM):
                with self._stepping(self._scheduler):
                    for _ in range(count):
                        self._step()
            self._optimizer.take(self._table)

    def unknown_from(self) -> int | None:
        """Return the first tick at which a metric may have changed the values; None where none can."""
        if not self._waits:
            return None
        waiting = getattr(self._scheduler, "lr_scheduler", self._scheduler)
        return int(getattr(self._scheduler, "warmup_t", 0)) + int(waiting.patience) + 1

    @property
    def _waits(self) -> bool:
        """Whether it waits for a metric."""
        waiting = getattr(self._scheduler, "lr_scheduler", self._scheduler)
        return hasattr(waiting, "patience") and hasattr(waiting, "num_bad_epochs")

    def _step(self) -> None:
        tick, self._ticks = self._ticks, self._ticks + 1
        try:
            self._step_to(tick)
        except Exception as error:  # a stranger's class may raise anything
            text = " ".join(str(error).split()) or type(error).__name__
            unit = Unit.EPOCH if self.by_epoch else Unit.ITERATION
            raise ScheduleError(
                f"{self.spec.name} breaks down at {unit} {tick}: {text}", place=self.spec.place
            ) from error

    def _step_to(self, tick: int) -> None:
        if self._way is not Way.TIMM:
            self._scheduler.step()
        elif self.spec.by_epoch:
            # a plateau's metric, without which not every version of timm takes the step
            self._scheduler.step(tick, *([0.0] if self._waits else []))
        else:
            self._scheduler.step_update(tick)


@contextmanager
def _quietly() -> Iterator[None]:
    """Leave out what a scheduler warns of and prints."""
    with warnings.catch_warnings(), stdout_to_stderr():
        warnings.simplefilter("ignore")
        yield
