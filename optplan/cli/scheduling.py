"""From the words of a command line to the courses of a plan's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any

from optplan.cli.model_planner import cached_plans
from optplan.cli.planning import Planner, isolate_named_code, open_with, planner_for
from optplan.cli.running import remark
from optplan.cli.sources import Checkpoint, SavedPlan
from optplan.config import Config, FunctionConfig, find_namespace
from optplan.dialects.huggingface.arguments import (
    TrainerArgs,
    is_training_arguments,
    read_training_arguments,
)
from optplan.dialects.lightning.module import ModuleFunction, length_values
from optplan.errors import OptplanError, UsageError, listed, quoted
from optplan.plan import Plan
from optplan.reporters.rows import Narrowing, narrowed
from optplan.reporters.schedule_view import ScheduleView, unread_notes
from optplan.schedule import (
    Schedule,
    Section,
    Training,
    courses_of,
    find_schedulers,
    find_training,
    schedule_of,
    scheduler_types,
)
from optplan.schedule.asked import asked_steps
from optplan.schedule.points import telling_steps
from optplan.schedule.reading import TIMM_FACTORY, timm_arguments
from optplan.schedule.unread import find_unread

if TYPE_CHECKING:
    from torch import nn

    from optplan.cli.options import PlanOptions
    from optplan.constructors.attached import Attachments

_MOST_SHOWN = 1_000_000


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
    options: PlanOptions,
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
    isolate_named_code(config, model, schedulers=scheduler_types(config.data))
    planner = planner_for(options)
    if isinstance(config, FunctionConfig):
        return _scheduled_function(planner, config, model, given, length)
    try:
        return _scheduled_config(planner, config, length, options)
    except OptplanError:  # it is named all the same
        remark(unread_notes(find_unread(config.data)))
        raise


def _scheduled_config(
    planner: Planner, config: Config, length: Length, options: PlanOptions
) -> Scheduled:
    if (args := trainer_args(config)) is not None:
        return _scheduled_trainer(planner, config, args, length, options)
    section = find_schedulers(config.data)
    training = training_of(config, section, length)
    plan = planner.plan(config, options.model, options.model_arguments).plan
    schedule = schedule_for(plan, config, section, training, is_cached=options.is_cached)
    return Scheduled(plan=plan, schedule=schedule)


def trainer_args(config: Config) -> TrainerArgs | None:
    """Return the arguments of transformers' trainer that a config holds, None where it holds none.

    Raises:
        ConfigError: They are wrong.
    """
    return read_training_arguments(config.data) if is_training_arguments(config.data) else None


def _scheduled_trainer(
    planner: Planner, config: Config, args: TrainerArgs, length: Length, options: PlanOptions
) -> Scheduled:
    from optplan.cli.attached import attached_schedule

    plan = planner.plan(config, options.model, options.model_arguments).plan
    module = planner.model(config, options.model, options.model_arguments).module
    run, training = trainer_run(args, module, length)
    defaults = class_defaults_of(plan)
    return Scheduled(plan=plan, schedule=attached_schedule(run, plan, training, defaults))


def trainer_run(
    args: TrainerArgs, module: nn.Module, length: Length
) -> tuple[Callable[[], Attachments], Training]:
    """Return what makes the optimizer and the schedulers of transformers' trainer, and how long it trains.

    Raises:
        OptplanError: Nobody says how long, or the library refuses the arguments.
    """
    from optplan.dialects.huggingface.schedule import trainer_attachments, trainer_training

    training = trainer_training(
        args, epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch
    )
    return lambda: trainer_attachments(args, module, training.length), training


def _no_schedule_of(checkpoint: Checkpoint) -> UsageError:
    """Return the error that says what a checkpoint keeps of schedulers."""
    from optplan.constructors.saved_schedulers import read_schedulers

    saved = read_schedulers(checkpoint.path)
    start = f"{checkpoint.path!r} is a checkpoint"
    if saved.count:
        return UsageError(
            f"{start}: it keeps the states of {saved.count} of mmengine's schedulers, and not their training",
            hint=f"see what resuming makes of a config's: optplan diff CONFIG {checkpoint.path}",
        )
    if saved.unread:
        return UsageError(f"{start}, whose {listed(list(map(quoted, saved.unread)))} is not read")
    return UsageError(f"{start}, which keeps no schedulers")


def _scheduled_function(
    planner: Planner,
    config: FunctionConfig,
    model: str | None,
    given: Mapping[str, Any],
    length: Length,
) -> Scheduled:
    config = _told_length(config, length)
    training = find_training(
        {}, epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch
    )
    plan = planner.plan(config, model, given).plan
    module = planner.model(config, model, given).module
    schedule = function_schedule(config, module, plan, training, planner.world_size)
    return Scheduled(plan=plan, schedule=schedule)


def _told_length(config: FunctionConfig, length: Length) -> FunctionConfig:
    """Return a function that is told how long the training is, as far as it is one that asks."""
    epochs, per_epoch = length.epochs, length.per_epoch
    known_steps = epochs * per_epoch if epochs and per_epoch else length.iters
    config = replace(config, steps=known_steps)
    if not isinstance(config.function, ModuleFunction):
        return config
    values = length_values(epochs=length.epochs, iters=length.iters, per_epoch=length.per_epoch)
    taken = signature(config.function).parameters
    known = {name: value for name, value in values.items() if name in taken}
    return replace(config, arguments={**known, **config.arguments})


def function_schedule(
    config: FunctionConfig,
    module: nn.Module,
    plan: Plan,
    training: Training,
    world_size: int | None = None,
) -> Schedule:
    """Return the schedule of the optimizers that a function makes of a model.

    Raises:
        OptplanError: The function raises, or the length of an epoch is not known.
    """
    from optplan.cli.attached import attached_schedule
    from optplan.constructors.attached import attachments_of

    defaults = class_defaults_of(plan)
    return attached_schedule(
        lambda: attachments_of(config, module, world_size), plan, training, defaults
    )


def training_of(config: Config, section: Section, length: Length) -> Training:
    """How long the training of a config is.

    Raises:
        UsageError: Nobody says.
        ScheduleError: What the config says is wrong.
    """
    asked, per_epoch = length.epochs, length.per_epoch
    if length.iters is None and _is_timms(section):
        from optplan.schedule.foreign.timm_args import timm_epochs

        arguments = timm_arguments(config.data) | ({"epochs": asked} if asked else {})
        found = timm_epochs(arguments, per_epoch)
        return Training(by_epoch=True, length=found, per_epoch=per_epoch, asked_for=asked)
    return find_training(config.data, epochs=asked, iters=length.iters, per_epoch=per_epoch)


def _is_timms(section: Section) -> bool:
    return any(written.kind == TIMM_FACTORY for written in section.shared)


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
    from optplan.schedule.foreign import ForeignMaker

    maker = ForeignMaker(find_namespace(config))
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
        from optplan.constructors.checkpoint import class_defaults

        return class_defaults(class_name)

    return cached_plans().class_defaults(class_name, make) if is_cached else make()


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
