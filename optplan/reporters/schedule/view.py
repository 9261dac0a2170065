"""What every report of a schedule shows, and the words that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optplan.delegation import delegated
from optplan.plan import Plan, Setting
from optplan.reporters.plan_summary import value_text
from optplan.reporters.selection import Narrowing
from optplan.reporters.words import number, plural
from optplan.schedule.scheduled_settings import ScheduledSetting
from optplan.schedule.specs import AnySpec, HookSpec, is_own
from optplan.schedule.training import Training, Unit
from optplan.schedule.trajectories import Course, Trajectories
from optplan.schedule.unread import Unread

# What the span and the name of a scheduler say already.
_SAID = frozenset(
    {
        "type",
        "begin",
        "end",
        "by_epoch",
        "convert_to_iter_based",
        "param_name",
        "verbose",
        "_scope_",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """The courses of a plan's settings, and what is to be shown of them.

    Args:
        plan: The plan.
        courses: The courses, at the steps of a plot and at the points.
        points: The steps of the table, each with what happens there.
        chosen: Which settings are shown.
        narrowing: What narrowed these.
    """

    plan: Plan
    courses: Trajectories
    points: Mapping[int, tuple[str, ...]]
    chosen: tuple[int, ...]
    narrowing: Narrowing

    def __str__(self) -> str:
        return str(delegated("schedule_text", self))

    def _repr_html_(self) -> str:
        return str(delegated("schedule_html", self))

    @property
    def unit(self) -> Unit:
        """Return what steps are counted in."""
        return self.courses.schedule.unit

    @property
    def settings(self) -> tuple[ScheduledSetting, ...]:
        """Return the settings that are shown."""
        return tuple(self.courses.schedule.settings[index] for index in self.chosen)

    def courses_of(self, field: str) -> tuple[Course, ...]:
        """Return the values of a hyper-parameter, for each setting that is shown."""
        return tuple(self.courses.values[field][index] for index in self.chosen)

    def at_points(self, course: Course) -> tuple[float | None, ...]:
        """Return the values at the steps of the table."""
        if len(self.points) == len(self.courses.steps):
            return course  # every step is a point
        places = {step: place for place, step in enumerate(self.courses.steps)}
        return tuple(course[places[step]] for step in self.points)

    def setting(self, scheduled: ScheduledSetting) -> Setting:
        """Return the setting that is scheduled."""
        return self.plan.settings[scheduled.setting]

    @property
    def moving(self) -> tuple[str, ...]:
        """Return the hyper-parameters that schedulers move, as far as what is shown has them."""
        return tuple(
            field
            for field in self.courses.moving
            if any(value is not None for course in self.courses_of(field) for value in course)
        )

    def epoch(self, step: int) -> int | None:
        """Return the epoch that an iteration is in; None where steps are epochs, or there is but one."""
        training = self.courses.schedule.training
        if self.unit is Unit.EPOCH or not training.by_epoch or training.per_epoch is None:
            return None
        return step // training.per_epoch


def length_text(view: ScheduleView) -> str:
    """Return how long the training is: ``100 epochs``."""
    training = view.courses.schedule.training
    if training.ends_at is not None:
        return f"{plural(training.ends_at, 'iteration')}, {training.per_epoch} an epoch{_accumulated(training)}"
    text = plural(training.length, "epoch" if training.by_epoch else "iteration")
    if training.by_epoch and training.per_epoch is not None:
        text += f" of {plural(training.per_epoch, 'iteration')}{_accumulated(training)}"
    return text


def _accumulated(training: Training) -> str:
    """Return how many batches an iteration takes, where that is more than one."""
    return f", {training.accumulated} batches each" if training.accumulated > 1 else ""


def param_text(spec: AnySpec) -> str:
    """Return the hyper-parameter that a scheduler moves; '' where its class alone knows."""
    return spec.param if is_own(spec) else ""


def span_text(spec: AnySpec) -> str:
    """Return between which ticks a scheduler acts: ``epoch 5–100``."""
    if not is_own(spec):
        return "by epoch" if spec.by_epoch else "by iteration"
    unit = Unit.EPOCH if spec.by_epoch else Unit.ITERATION
    return f"{unit} {number(spec.begin)}–{_tick(spec.end)}"


def _tick(tick: float) -> str:
    return str(int(tick)) if tick == int(tick) else number(tick)


def arguments_text(spec: AnySpec) -> str:
    """Return what the config gives a scheduler: ``start_factor 0.001``."""
    given = given_arguments(spec, with_defaults=False)
    return "  ".join(
        f"{name} {_value(value)}" for name, value in given.items() if name not in _SAID
    )


def given_arguments(spec: AnySpec, *, with_defaults: bool) -> Mapping[str, Any]:
    """Return the arguments of a scheduler as a config writes them.

    Args:
        spec: The scheduler.
        with_defaults: Also those that the config leaves out; of a policy of mmcv 1.x only what it says is known.
    """
    if isinstance(spec, HookSpec):
        return spec.given
    found = spec.arguments.items()
    return {name: value for name, value in found if with_defaults or name in spec.raw}


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return value_text(value)


def metric_notes(view: ScheduleView) -> list[str]:
    """Return a line for each value that depends on a metric."""
    found = []
    for (optimizer, field), metric in view.courses.metrics.items():
        several = len(view.plan.optimizers) > 1
        whose = f" of {view.plan.optimizers[optimizer].name}" if several else ""
        found.append(
            f"{field}{whose} depends on a metric from {view.unit} {metric.step} on ({metric.scheduler}): "
            "what it becomes cannot be told before the training"
        )
    return found


def unread_notes(unread: Iterable[Unread]) -> list[str]:
    """Return a line for each thing that may move the settings and is not read."""
    return [f"not read, may move the lr: {one}" for one in unread]


def word_of(reasons: Sequence[str]) -> str:
    """Return what happens at a step, in one word."""
    if not reasons:
        return ""
    for word in ("start", "end"):
        if word in reasons:
            return word
    for reason in reasons:
        if reason.endswith(" begins"):
            return "begins"
    return reasons[0].rpartition(" ")[2]
