"""Turn the words of a command line into a plan with its schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from optplan.reporters.schedule.view import unread_notes
from optplan.runtime.stdio import remark
from optplan.schedule import Schedule

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest
    from optplan.schedule import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A plan with its schedulers."""

    plan: Plan
    schedule: Schedule


def scheduled(word: str, options: PlanRequest, length: Length) -> Scheduled:
    """Return the plan that a config and a model make, with the config's schedulers.

    Args:
        word: What the command line calls CONFIG.
        options: The model, and how the config is read.
        length: How long the training is.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    config = open_schedulable(word, options)
    isolate_named_code(config, options.model, schedulers=scheduler_types(config))
    return scheduled_config(planner_for(options), config, length, options)


def open_schedulable(
    word: str, options: PlanRequest, arguments: Mapping[str, Any] | None = None
) -> Config:
    """Open what can have schedulers; the arguments are those of :func:`open_with`.

    Raises:
        OptplanError: There is no such thing, it is wrong, or a saved plan or a checkpoint.
    """
    config = open_with(word, options, arguments)
    if isinstance(config, SavedPlan):
        raise UsageError(
            f"{word!r} is a saved plan, which keeps no schedulers",
            hint="name the config that it was made from",
        )
    if isinstance(config, Checkpoint):
        raise _no_schedule_of(config)
    return config


def scheduled_config(
    planner: Planner, config: Config, length: Length, options: PlanRequest
) -> Scheduled:
    """Plan and schedule as :func:`scheduled`, for a config that has been opened."""
    model, given = options.model, options.model_arguments
    if (code := code_dialect(config)) is not None:
        return _scheduled_function(code, planner, config, model, given, length)
    try:
        find_schedulers(config)  # what is wrong with them is said before the model is built
        training = training_of(config, length)
        plan = planner.plan(config, model, given).plan
        return scheduled_plan(plan, config, training, is_cached=options.is_cached)
    except OptplanError:  # it is named all the same
        remark(unread_notes(find_unread(config)))
        raise


def scheduled_plan(
    plan: Plan, config: Config, training: Training, *, is_cached: bool = False
) -> Scheduled:
    """Return a plan with the schedulers of its config.

    Raises:
        ScheduleError: A scheduler is wrong.
    """
    section = find_schedulers(config)
    schedule = schedule_for(plan, config, section, training, is_cached=is_cached)
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

    said = {"epochs": length.epochs, "iters": length.iters, "per_epoch": length.per_epoch}
    config = code.with_length(config, **said)
    training = code.told_training(config) or find_training(config, **said)
    plan = planner.plan(config, model, given).plan
    module = planner.model(config, model, given).module
    run = partial(code.attachments, config, module, planner.world_size)
    schedule = attached_schedule(run, plan, training, class_defaults_of(plan))
    unread = (*schedule.unread, *find_unread(config))
    return Scheduled(plan=plan, schedule=replace(schedule, unread=unread))
