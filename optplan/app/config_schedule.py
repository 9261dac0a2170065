"""Make the schedule of a config for its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optplan.app.model_planner import cached_plans
from optplan.config import Config, find_namespace
from optplan.dialects import dialect_of, find_schedulers, find_training

if TYPE_CHECKING:
    from optplan.plan import Plan
    from optplan.schedule import Schedule, Section, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """What a command line says of a training's length."""

    epochs: int | None = None
    iters: int | None = None
    per_epoch: int | None = None


def training_of(config: Config, length: Length) -> Training:
    """Return how long the training of a config is.

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
    """Return the schedulers of a config for its plan.

    Args:
        plan: The plan.
        config: The config.
        section: Its schedulers.
        training: How long it trains.
        is_cached: Whether what torch's optimizers have may be cached.

    Raises:
        ScheduleError: A scheduler is wrong.
    """
    from optplan.schedule import schedule_of
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


def schedule_of_plan(
    config: Config, plan: Plan, per_epoch: int | None, *, is_cached: bool = False
) -> Schedule:
    """Return the schedulers of a config for its plan, as long as the config says; as :func:`schedule_for`.

    Raises:
        OptplanError: They are wrong, or nobody says how long the training is.
    """
    section = find_schedulers(config)
    training = training_of(config, Length(per_epoch=per_epoch))
    return schedule_for(plan, config, section, training, is_cached=is_cached)


def class_defaults_of(plan: Plan) -> list[Mapping[str, Any]]:
    """Return for each optimizer of a plan its class's own options with their values."""
    return [_class_defaults(one.class_name, is_cached=False) for one in plan.optimizers]


def _class_defaults(class_name: str, *, is_cached: bool) -> Mapping[str, Any]:
    def make() -> Mapping[str, Any]:
        from optplan.constructors.optimizers import class_defaults

        return class_defaults(class_name)

    return cached_plans().class_defaults(class_name, make) if is_cached else make()
