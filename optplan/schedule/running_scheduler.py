"""Declare what a training steps: a scheduler of optplan's own, or one of another package that is run for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.specs import AnySpec, ForeignSpec
from optplan.schedule.training import Training

# What a scheduler moves that may move anything.
ANYTHING = "*"


class RunningScheduler(Protocol):
    """One scheduler that is stepped."""

    @property
    def spec(self) -> AnySpec:
        """The scheduler."""

    @property
    def by_epoch(self) -> bool:
        """Whether it ticks after each epoch, not after each iteration."""

    @property
    def param(self) -> str:
        """The hyper-parameter that it moves."""

    @property
    def acts(self) -> bool:
        """Whether anything may change at the next tick."""

    def steady(self) -> int:
        """Return for how many ticks from now on ``acts`` stays what it is; at least one."""

    def advance(self, count: int) -> None:
        """Make so many ticks, of which ``steady`` says that they are alike."""

    def unknown_from(self) -> int | None:
        """Return the first tick at which a metric may have changed the values; None where none can."""


# Makes a scheduler of another package ready to be stepped, which may import and run it.
MakeForeign = Callable[[ForeignSpec, ParamGroupTable, Training], RunningScheduler]
