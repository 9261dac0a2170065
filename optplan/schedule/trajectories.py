"""The course of every setting over a training, at the steps that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from optplan.schedule.schedule import Schedule
from optplan.schedule.scheduler_stepper import TooFarError
from optplan.schedule.simulation import Metric, Simulation
from optplan.schedule.specs import is_own

_BASIC = ("lr", "weight_decay", "momentum")

Course = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectories:
    """What every setting has at some steps.

    Args:
        schedule: The schedulers and the settings.
        steps: The steps, ascending.
        values: By hyper-parameter, for each setting its value at each step; None where it has none, or
            where the value depends on a metric.
        metrics: What depends on a metric, by optimizer and hyper-parameter.
    """

    schedule: Schedule
    steps: tuple[int, ...]
    values: Mapping[str, tuple[Course, ...]]
    metrics: Mapping[tuple[int, str], Metric]

    @property
    def moving(self) -> tuple[str, ...]:
        """The hyper-parameters that schedulers move."""
        declared = {spec.param for spec in self.schedule.all_specs if is_own(spec)}
        return tuple(
            field
            for field, courses in self.values.items()
            if field in declared or any(len(set(course)) > 1 for course in courses)
        )


def courses_of(schedule: Schedule, steps: Iterable[int]) -> Trajectories:
    """Go through a training once, and keep what is asked for.

    Args:
        schedule: The schedulers and what they move.
        steps: The steps to keep.

    Raises:
        ScheduleError: A scheduler cannot be made, or breaks down.
    """
    motion = Simulation(schedule)
    metrics = motion.metrics()
    wanted = tuple(sorted(set(steps)))
    fields = _fields(schedule)
    kept: dict[str, list[list[float | None]]] = {field: [] for field in fields}
    for step in wanted:
        motion.go(step)
        for field in fields:
            kept[field].append(motion.values(field))
    # the reference steps after the last iteration as well, and breaks down there if anywhere
    with suppress(TooFarError):  # nothing behind the last step that is shown is asked for
        motion.go(schedule.length)
    return Trajectories(
        schedule=schedule,
        steps=wanted,
        values={
            field: tuple(
                _known(course, wanted, metrics.get((setting.optimizer, field)))
                for setting, course in zip(schedule.settings, zip(*rows, strict=True), strict=True)
            )
            for field, rows in kept.items()
        },
        metrics=metrics,
    )


def _fields(schedule: Schedule) -> tuple[str, ...]:
    params = [spec.param for spec in schedule.all_specs if is_own(spec)]
    return tuple(dict.fromkeys([*_BASIC, *params]))


def _known(course: Course, steps: tuple[int, ...], metric: Metric | None) -> Course:
    """Return the course without what depends on a metric."""
    if metric is None:
        return course
    return tuple(
        value if step < metric.step else None for step, value in zip(steps, course, strict=True)
    )
