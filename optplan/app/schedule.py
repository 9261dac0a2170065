"""From the words of a command line to a plan with its schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from optplan.app.model_planner import cached_plans
from optplan.app.plan import Planner, isolate_named_code, open_with, planner_for
from optplan.app.sources import Checkpoint, SavedPlan
from optplan.config import Config, find_namespace
from optplan.dialects import (
    dialect_of,
    find_schedulers,
    find_training,
    find_unread,
    scheduler_types,
)
from optplan.errors import OptplanError, UsageError, listed, quoted
from optplan.plan import Plan
from optplan.reporters.schedule.view import unread_notes
from optplan.runtime.stdio import remark
from optplan.schedule import (
    Schedule,
    Section,
    Training,
    schedule_of,
)

if TYPE_CHECKING:
    from torch import nn

    from optplan.app.request import PlanRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """What a command line says of a training's length."""

    epochs: int | None = None
    iters: int | None = None
    per_epoch: int | None = None


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
    """As :func:`scheduled`, for a config that has been opened."""
    model, given = options.model, options.model_arguments
    if dialect_of(config).is_code:
        return _scheduled_function(planner, config, model, given, length)
    try:
        section = find_schedulers(config)
        training = training_of(config, length)
        plan = planner.plan(config, model, given).plan
        schedule = schedule_for(plan, config, section, training, is_cached=options.is_cached)
    except OptplanError:  # it is named all the same
        remark(unread_notes(find_unread(config)))
        raise
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
    planner: Planner,
    config: Config,
    model: str | None,
    given: Mapping[str, Any],
    length: Length,
) -> Scheduled:
    config = dialect_of(config).with_length(
        config, epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch
    )
    training = find_training(
        config, epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch
    )
    plan = planner.plan(config, model, given).plan
    module = planner.model(config, model, given).module
    schedule = function_schedule(config, module, plan, training, planner.world_size)
    unread = (*schedule.unread, *find_unread(config))
    return Scheduled(plan=plan, schedule=replace(schedule, unread=unread))


def function_schedule(
    config: Config,
    module: nn.Module,
    plan: Plan,
    training: Training,
    world_size: int | None = None,
) -> Schedule:
    """Return the schedule of the optimizers that a function makes of a model.

    Raises:
        OptplanError: The function raises, or the length of an epoch is not known.
    """
    from optplan.app.function_schedules import attached_schedule

    defaults = class_defaults_of(plan)
    return attached_schedule(
        lambda: dialect_of(config).attachments(config, module, world_size),
        plan,
        training,
        defaults,
    )


def training_of(config: Config, length: Length) -> Training:
    """How long the training of a config is.

    Raises:
        UsageError: Nobody says.
        ScheduleError: What the config says is wrong.
    """
    asked, per_epoch = length.epochs, length.per_epoch
    if length.iters is None:
        decided = dialect_of(config).decided_training(config.data, asked, per_epoch)
        if decided is not None:
            return decided
    return find_training(config, epochs=asked, iters=length.iters, per_epoch=per_epoch)


def schedule_for(
    plan: Plan, config: Config, section: Section, training: Training, *, is_cached: bool = False
) -> Schedule:
    """The schedulers of a config for its plan.

    Args:
        plan: The plan.
        config: The config.
        section: Its schedulers.
        training: How long it trains.
        is_cached: Whether what torch's optimizers have may be cached.

    Raises:
        ScheduleError: A scheduler is wrong.
    """
    from optplan.schedule.foreign import ForeignBuilder

    maker = ForeignBuilder(find_namespace(config))
    return schedule_of(
        plan,
        section,
        training,
        [_class_defaults(one.class_name, is_cached=is_cached) for one in plan.optimizers],
        maker,
        maker.replaces,
    )


def class_defaults_of(plan: Plan) -> list[Mapping[str, Any]]:
    """Return for each optimizer of a plan its class's own options with their values."""
    return [_class_defaults(one.class_name, is_cached=False) for one in plan.optimizers]


def _class_defaults(class_name: str, *, is_cached: bool) -> Mapping[str, Any]:
    def make() -> Mapping[str, Any]:
        from optplan.constructors.class_defaults import class_defaults

        return class_defaults(class_name)

    return cached_plans().class_defaults(class_name, make) if is_cached else make()
