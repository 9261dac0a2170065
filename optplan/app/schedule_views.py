"""Turn a plan with its schedulers into the courses of its settings."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from optplan.app.schedule import Scheduled
from optplan.errors import OptplanError, UsageError
from optplan.reporters.schedule.view import ScheduleView, unread_notes
from optplan.reporters.selection import Narrowing, narrowed
from optplan.runtime.stdio import remark
from optplan.schedule import Training, Unit, courses_of
from optplan.schedule.key_steps import asked_steps, telling_steps

_MOST_SHOWN = 1_000_000


def view_of(
    found: Scheduled,
    *,
    at: Sequence[str] = (),
    every: int | None = None,
    patterns: Sequence[str] = (),
    samples: int = 0,
) -> ScheduleView:
    """Return the courses, and what is asked for of them.

    Args:
        found: The plan with its schedulers.
        at: Words such as ``1000``, ``12ep``, ``50%``.
        every: Every so many steps.
        patterns: Patterns of parameters whose settings are shown.
        samples: How many steps more a plot needs.

    Raises:
        UsageError: A word is none of these, or a pattern matches nothing.
        ScheduleError: A scheduler breaks down.
    """
    schedule = found.schedule
    points = asked_points(schedule.training, schedule.unit, at, every)
    if points is None:
        points = telling_steps(schedule.all_specs, schedule.training, schedule.unit)
    narrowing = Narrowing(patterns=tuple(patterns))
    names = {row.name for row in narrowed(found.plan, narrowing)}
    return viewed(found, points, drawn_steps(schedule.length, samples), names, narrowing)


def drawn_steps(length: int, samples: int) -> set[int]:
    """Return so many steps, evenly over a training, for a plot."""
    last = length - 1
    return {last * place // (samples - 1) for place in range(samples)} if samples > 1 else set()


def viewed(
    found: Scheduled,
    points: Mapping[int, tuple[str, ...]],
    drawn: Iterable[int],
    names: Container[str],
    narrowing: Narrowing,
) -> ScheduleView:
    """Return the courses of the settings of some parameters.

    Args:
        found: The plan with its schedulers.
        points: The steps of the table, each with what happens there.
        drawn: The steps of a plot.
        names: The parameters.
        narrowing: What narrowed these.

    Raises:
        ScheduleError: A scheduler breaks down.
    """
    schedule = found.schedule
    try:
        courses = courses_of(schedule, {*points, *drawn})
    except OptplanError:
        remark(unread_notes(schedule.unread))
        raise
    return ScheduleView(
        plan=found.plan,
        courses=courses,
        points=points,
        chosen=tuple(
            index
            for index, scheduled in enumerate(schedule.settings)
            if any(name in names for name in scheduled.names)
        ),
        narrowing=narrowing,
    )


def asked_points(
    training: Training, unit: Unit, at: Sequence[str], every: int | None
) -> Mapping[int, tuple[str, ...]] | None:
    """Return the steps that are asked for; None where nobody asks for any.

    Raises:
        UsageError: A word of ``--at`` is no step, or ``--every`` asks for too many.
    """
    if not at and every is None:
        return None
    wanted, length = asked_steps(at, training, unit), training.steps(unit)
    if every is not None:
        if length // every > _MOST_SHOWN:
            raise UsageError(
                f"--every {every} shows {length // every} steps, and at most {_MOST_SHOWN} are shown",
                hint=f"give --every {length // _MOST_SHOWN + 1}",
            )
        wanted |= {*range(0, length, every), length - 1}
    return dict.fromkeys(sorted(wanted), ())
