"""Make the schedule of a training in phases, as a command line names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optplan.app.config_schedule import Length, training_of
from optplan.app.diff import arguments_of
from optplan.app.phases import Begin, NamedPhase
from optplan.app.plan import isolate_named_code, planner_for
from optplan.app.schedule import Scheduled, open_schedulable, scheduled_config
from optplan.app.schedule_views import asked_points, drawn_steps, viewed
from optplan.config import Config
from optplan.dialects import scheduler_types
from optplan.errors import UsageError
from optplan.reporters.schedule.phases import PhasesView, PhaseView, members_of
from optplan.reporters.selection import Narrowing, named_by
from optplan.schedule import Training, Unit
from optplan.schedule.key_steps import END, telling_steps
from optplan.schedule.training import NoLengthError

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPhase:
    """A phase: its name, its plan and schedulers, and the steps at which it begins and ends."""

    label: str
    scheduled: Scheduled
    begin: int
    end: int

    @property
    def length(self) -> int:
        """Return how many steps it has."""
        return self.end - self.begin


def scheduled_phases(
    phases: Sequence[NamedPhase], options: PlanRequest, length: Length
) -> tuple[ScheduledPhase, ...]:
    """Return the phases with their plans and schedulers, whose steps are counted alike.

    A phase makes its own optimizer and schedulers, which begin at their step 0, on the model as it is built. It is as
    long as its config says, or up to the next one.

    Args:
        phases: The phases.
        options: The model, and how configs are read.
        length: The length of all phases together; None for what the configs say.

    Raises:
        OptplanError: A config, a model or a length is wrong, or a phase ends before the next begins.
    """
    words = [phase.word for phase in phases]
    configs = [
        open_schedulable(word, options, arguments)
        for word, arguments in zip(words, arguments_of(words, options), strict=True)
    ]
    for config in configs:
        isolate_named_code(config, options.model, schedulers=scheduler_types(config))
    spans = _Spans(phases, configs, length)
    planner = planner_for(options)
    found = [
        scheduled_config(planner, config, own, options)
        for config, own in zip(configs, spans.lengths, strict=True)
    ]
    return spans.placed(found)


class _Spans:
    """Where each phase begins and ends, counted as the trainings do: in epochs where all of them do.

    Args:
        phases, configs: The phases.
        length: The length of all together, and of an epoch.

    Raises:
        UsageError: A length is not known, or a phase ends before the next one begins.
    """

    def __init__(
        self, phases: Sequence[NamedPhase], configs: Sequence[Config], length: Length
    ) -> None:
        self._phases, self._length = phases, length
        own = [_own_training(config, length.per_epoch) for config in configs]
        known = [one for one in own if isinstance(one, Training)]
        by_epoch = length.epochs is not None or (bool(known) and length.iters is None)
        self._unit = (
            Unit.EPOCH if by_epoch and all(one.by_epoch for one in known) else Unit.ITERATION
        )
        self._begins: list[int] = []
        self.lengths: list[Length] = []
        end = 0
        for place, training in enumerate(own):
            begin = self._begin(place, end)
            end = self._end(place, begin, training)
            self._begins.append(begin)
        self._total = end

    def _begin(self, place: int, end: int) -> int:
        """Return where a phase begins, where the one before ends at a step by its own length."""
        phase = self._phases[place]
        if phase.begin is None:
            return end
        if place == 0:
            if phase.begin.count:
                raise UsageError(
                    f"{phase.label}: the first phase begins at step 0", hint=f"write {phase.word}"
                )
            return 0
        begin = self._count(phase.begin, phase.label)
        before = self._phases[place - 1]
        if begin <= self._begins[-1]:
            raise UsageError(
                f"{phase.label} begins no later than {before.label}",
                hint="name the phases in the order in which they are trained",
            )
        if begin > end:
            raise UsageError(
                f"{before.label} ends at {self._unit} {end}, and {phase.label} begins at {begin}",
                hint=f"let it begin there, or let {before.word} train longer",
            )
        return begin

    def _end(self, place: int, begin: int, own: Training | NoLengthError) -> int:
        """Return where a phase ends by its own length, which is that up to the next one where it says none."""
        is_last, per_epoch = place == len(self._phases) - 1, self._length.per_epoch
        following = None if is_last else self._phases[place + 1].begin
        asked = self._length.epochs if self._unit is Unit.EPOCH else self._length.iters
        if is_last and asked is not None:
            stop = asked
        elif isinstance(own, Training):
            self.lengths.append(Length(per_epoch=per_epoch))
            return begin + self._steps(own, self._phases[place].label)
        elif following is not None:
            stop = self._count(following, self._phases[place + 1].label)
        else:
            hint = "give --iters N, the length of all phases together"
            if not is_last:
                hint = f"say where the next phase begins: {self._phases[place + 1].word}@STEP"
            raise UsageError(
                f"how long is the phase {self._phases[place].label}? it does not say", hint=hint
            )
        if stop <= begin:
            raise UsageError(
                f"{self._phases[place].label} begins at {self._unit} {begin}, and ends at {stop}"
            )
        epochs, iters = (stop - begin, None) if self._unit is Unit.EPOCH else (None, stop - begin)
        self.lengths.append(Length(epochs=epochs, iters=iters, per_epoch=per_epoch))
        return stop

    def _steps(self, training: Training, label: str) -> int:
        if self._unit is Unit.ITERATION and training.iterations is None:
            raise UsageError(
                f"{label} trains by epochs, another phase by iterations: how many has an epoch?",
                hint="give --iters-per-epoch N",
            )
        return training.steps(self._unit)

    def _count(self, begin: Begin, label: str) -> int:
        """Return a count as the trainings count."""
        if begin.unit in (None, self._unit):
            return begin.count
        per_epoch = self._length.per_epoch
        if per_epoch is None:
            raise UsageError(
                f"{label}: the phases are counted in {self._unit}s: how many iterations has an epoch?",
                hint="give --iters-per-epoch N",
            )
        if self._unit is Unit.ITERATION:
            return begin.count * per_epoch
        if begin.count % per_epoch:
            raise UsageError(
                f"{label} begins within an epoch of {per_epoch} iterations, and the phases count epochs",
                hint=f"write @{begin.count // per_epoch}ep",
            )
        return begin.count // per_epoch

    def placed(self, found: Sequence[Scheduled]) -> tuple[ScheduledPhase, ...]:
        """Return the phases, in iterations where schedulers act within epochs."""
        ends = [*self._begins[1:], self._total]
        counts = [end - begin for begin, end in zip(self._begins, ends, strict=True)]
        if self._unit is Unit.EPOCH and any(one.schedule.unit is Unit.ITERATION for one in found):
            pairs = zip(counts, found, self._phases, strict=True)
            counts = [count * _per_epoch(one, phase) for count, one, phase in pairs]
            found = [_by_iteration(one) for one in found]
        elif self._unit is Unit.ITERATION:
            found = [_by_iteration(one) for one in found]
        placed, begin = [], 0
        for phase, one, count in zip(self._phases, found, counts, strict=True):
            placed.append(
                ScheduledPhase(label=phase.label, scheduled=one, begin=begin, end=begin + count)
            )
            begin += count
        return tuple(placed)


def _own_training(config: Config, per_epoch: int | None) -> Training | NoLengthError:
    """Return how long a config says that it trains, or the error of one that does not say it."""
    try:
        return training_of(config, Length(per_epoch=per_epoch))
    except NoLengthError as error:
        return error


def _per_epoch(one: Scheduled, phase: NamedPhase) -> int:
    per_epoch = one.schedule.training.per_epoch
    if per_epoch is None:
        raise UsageError(
            f"{phase.label} counts epochs, and schedulers of another phase iterations: how many has an epoch?",
            hint="give --iters-per-epoch N",
        )
    return per_epoch


def _by_iteration(one: Scheduled) -> Scheduled:
    return replace(one, schedule=replace(one.schedule, unit=Unit.ITERATION))


def phases_view(
    phases: Sequence[ScheduledPhase],
    *,
    at: Sequence[str] = (),
    every: int | None = None,
    patterns: Sequence[str] = (),
    samples: int = 0,
) -> PhasesView:
    """Return the courses over all phases, and what is asked for of them.

    Args:
        phases: The phases.
        at, every, patterns, samples: As of :func:`optplan.app.schedule_views.view_of`.

    Raises:
        UsageError: A step or a pattern is wrong.
        ScheduleError: A scheduler breaks down.
    """
    narrowing = Narrowing(patterns=tuple(patterns))
    names = list(dict.fromkeys(row.name for one in phases for row in one.scheduled.plan.parameters))
    if patterns:
        chosen = named_by(patterns, names)
        names = [name for name in names if name in chosen]
    training = _whole(phases)
    unit = phases[0].scheduled.schedule.unit
    asked = asked_points(training, unit, at, every)
    drawn = drawn_steps(phases[-1].end, samples)
    views = []
    for one in phases:
        points = _own_points(one, asked)
        own = {step - one.begin for step in drawn if one.begin <= step < one.end}
        view = viewed(one.scheduled, points, {0, *own}, set(names), narrowing)
        views.append(PhaseView(label=one.label, begin=one.begin, end=one.end, view=view))
    return PhasesView(
        phases=tuple(views),
        members=members_of(names, views),
        per_epoch=training.per_epoch if training.by_epoch and unit is Unit.ITERATION else None,
        narrowing=narrowing,
    )


def _own_points(
    phase: ScheduledPhase, asked: Mapping[int, tuple[str, ...]] | None
) -> Mapping[int, tuple[str, ...]]:
    """Return the steps of a phase that are asked for or tell something, counted from its begin."""
    if asked is not None:
        return {
            step - phase.begin: what
            for step, what in asked.items()
            if phase.begin <= step < phase.end
        }
    schedule = phase.scheduled.schedule
    told = telling_steps(schedule.all_specs, schedule.training, schedule.unit)
    points = {step: what for step, what in told.items() if step < phase.length}
    points.setdefault(phase.length - 1, (END,))
    return points


def _whole(phases: Sequence[ScheduledPhase]) -> Training:
    """Return the training that all phases make up: one of epochs where all have epochs of one length."""
    trainings = [one.scheduled.schedule.training for one in phases]
    total, per_epoch = phases[-1].end, trainings[0].per_epoch
    if phases[0].scheduled.schedule.unit is Unit.EPOCH:
        return Training(by_epoch=True, length=total)
    alike = all(one.by_epoch and one.per_epoch == per_epoch for one in trainings)
    if alike and per_epoch is not None and not total % per_epoch:
        return Training(by_epoch=True, length=total // per_epoch, per_epoch=per_epoch)
    return Training(by_epoch=False, length=total)
