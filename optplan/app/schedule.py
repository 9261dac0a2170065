"""From the words of a command line to the courses of a plan's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.app.config_schedule import Length, class_defaults_of, schedule_for, training_of
from optplan.app.plan import Planner, isolate_named_code, open_with, planner_for
from optplan.app.sources import Checkpoint, SavedPlan
from optplan.config import Config
from optplan.dialects import (
    code_dialect,
    find_schedulers,
    find_training,
    find_unread,
    scheduler_types,
)
from optplan.dialects.code_dialect import CodeDialect
from optplan.errors import OptplanError, UsageError, listed, quoted
from optplan.plan import Plan
from optplan.reporters.schedule.view import ScheduleView, unread_notes
from optplan.reporters.selection import Narrowing, narrowed
from optplan.runtime.stdio import remark
from optplan.schedule import (
    Schedule,
    courses_of,
)
from optplan.schedule.key_steps import telling_steps
from optplan.schedule.requested_steps import asked_steps

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest

_MOST_SHOWN = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A plan with its schedulers."""

    plan: Plan
    schedule: Schedule


def scheduled(
    word: str,
    options: PlanRequest,
    length: Length,
) -> Scheduled:
    """Return the plan that a config and a model make, with the config's schedulers.

    Args:
        word: What the command line calls CONFIG.
        options: The model, and how the config is read.
        length: How long the training is.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    model, given = options.model, options.model_arguments
    config = open_with(word, options)
    if isinstance(config, SavedPlan):
        raise UsageError(
            f"{word!r} is a saved plan, which keeps no schedulers",
            hint="name the config that it was made from",
        )
    if isinstance(config, Checkpoint):
        raise _no_schedule_of(config)
    isolate_named_code(config, model, schedulers=scheduler_types(config))
    planner = planner_for(options)
    if (code := code_dialect(config)) is not None:
        return _scheduled_function(code, planner, config, model, given, length)
    try:
        return _scheduled_config(planner, config, length, options)
    except OptplanError:  # it is named all the same
        remark(unread_notes(find_unread(config)))
        raise


def _scheduled_config(
    planner: Planner, config: Config, length: Length, options: PlanRequest
) -> Scheduled:
    section = find_schedulers(config)
    training = training_of(config, length)
    plan = planner.plan(config, options.model, options.model_arguments).plan
    schedule = schedule_for(plan, config, section, training, is_cached=options.is_cached)
    return Scheduled(plan=plan, schedule=schedule)


def _no_schedule_of(checkpoint: Checkpoint) -> UsageError:
    """Return the error that says what a checkpoint keeps of schedulers."""
    from optplan.checkpoints.training import read_training

    saved = read_training(checkpoint.path).schedulers
    start = f"{checkpoint.path!r} is a checkpoint"
    if saved.count:
        return UsageError(
            f"{start}: it keeps the states of {saved.count} of mmengine's schedulers, and not their training",
            hint=f"see what resuming makes of a config's: optplan diff CONFIG {checkpoint.path}",
        )
    if saved.torchs:
        return UsageError(
            f"{start}: it keeps how far {len(saved.torchs)} schedulers have come, and not their training",
            hint=f"see what resuming makes of a config's: optplan diff CONFIG {checkpoint.path}",
        )
    if saved.unread:
        return UsageError(f"{start}, whose {listed(list(map(quoted, saved.unread)))} is not read")
    return UsageError(f"{start}, which keeps no schedulers")


def _scheduled_function(
    code: CodeDialect,
    planner: Planner,
    config: Config,
    model: str | None,
    given: Mapping[str, Any],
    length: Length,
) -> Scheduled:
    from optplan.app.function_schedules import attached_schedule

    config = code.with_length(
        config, epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch
    )
    training = find_training(
        config, epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch
    )
    plan = planner.plan(config, model, given).plan
    module = planner.model(config, model, given).module
    run = partial(code.attachments, config, module, planner.world_size)
    schedule = attached_schedule(run, plan, training, class_defaults_of(plan))
    return Scheduled(plan=plan, schedule=schedule)


def view_of(
    found: Scheduled,
    *,
    at: Sequence[str] = (),
    every: int | None = None,
    patterns: Sequence[str] = (),
    samples: int = 0,
) -> ScheduleView:
    """The courses, and what is asked for of them.

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
    points = _points(schedule, at, every)
    narrowing = Narrowing(patterns=tuple(patterns))
    names = {row.name for row in narrowed(found.plan, narrowing)}
    last = schedule.length - 1
    drawn = {last * place // (samples - 1) for place in range(samples)} if samples > 1 else set()
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
            for index, track in enumerate(schedule.tracks)
            if not names.isdisjoint(track.names)
        ),
        narrowing=narrowing,
    )


def _points(
    schedule: Schedule, at: Sequence[str], every: int | None
) -> Mapping[int, tuple[str, ...]]:
    """The steps that are asked for; else those that tell something."""
    if not at and every is None:
        return telling_steps(schedule.all_specs, schedule.training, schedule.unit)
    wanted = asked_steps(at, schedule.training, schedule.unit)
    if every is not None:
        if schedule.length // every > _MOST_SHOWN:
            raise UsageError(
                f"--every {every} shows {schedule.length // every} steps, and at most {_MOST_SHOWN} are shown",
                hint=f"give --every {schedule.length // _MOST_SHOWN + 1}",
            )
        wanted |= {*range(0, schedule.length, every), schedule.length - 1}
    return dict.fromkeys(sorted(wanted), ())
