"""Step the schedulers that a function makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from optplan.constructors.training_extras import state_of
from optplan.errors import ScheduleError, UsageError
from optplan.plan import Plan
from optplan.schedule.param_group_table import MISSING, ParamGroupTable
from optplan.schedule.schedule import Schedule, assembled
from optplan.schedule.specs import ForeignSpec
from optplan.schedule.training import Training, in_epochs
from optplan.schedule.unread import Unread

if TYPE_CHECKING:
    from optplan.dialects.attachments import Attached, Attachments
    from optplan.schedule.foreign.running import RunningForeignScheduler


def attached_schedule(
    run: Callable[[], Attachments],
    plan: Plan,
    training: Training,
    defaults: Sequence[Mapping[str, Any]],
) -> Schedule:
    """Return the schedule of what a function makes.

    Args:
        run: Runs the function; again for each course, since stepping changes its schedulers.
        plan: Its plan.
        training: How long the training is.
        defaults: For each optimizer its hyper-parameters' own values.

    Raises:
        UsageError: A scheduler is stepped once an epoch, and nobody says how long that is.
    """
    found = run()
    training = _by_epochs(found.schedulers, training)
    specs = [_spec(one, training) for one in found.schedulers]
    own = [
        tuple(s for s, one in zip(specs, found.schedulers, strict=True) if one.optimizer == place)
        for place in range(len(found.optimizers))
    ]
    alone = [
        f"what the training does to {type(one).__name__}: no scheduler is attached to it or returned"
        for one, specs_of_one in zip(found.optimizers, own, strict=True)
        if not specs_of_one and not found.unread
    ]
    moving = (*_may_move(found), *_counted_anew(found.schedulers, training))
    return assembled(
        plan,
        tuple(own),
        training,
        defaults,
        _Maker(run, {id(spec): place for place, spec in enumerate(specs)}),
        lists=[values for one in found.schedulers for values in _per_group(one, found)],
        unread=tuple(Unread(name=text) for text in (*found.unread, *alone, *moving)),
    )


def _may_move(found: Attachments) -> Iterator[str]:
    """Yield what runs at each step of an optimizer, and may give its groups other values."""
    return (
        name for name in found.beside if name.startswith(("hooks before", "hooks after", "the own"))
    )


def _counted_anew(found: Sequence[Attached], training: Training) -> Iterator[str]:
    """Yield what is stepped once in so many steps of an epoch, where the length of an epoch is not known."""
    for one in found:
        if one.said.frequency > 1 and _interval(one) == "step" and training.per_epoch is None:
            name = type(one.said.scheduler).__name__
            yield f"when {name} is stepped: its frequency is counted anew in each epoch (give --iters-per-epoch)"


def _by_epochs(found: Sequence[Attached], training: Training) -> Training:
    """Return the training as one of epochs, where schedulers are stepped once an epoch or counted in each."""
    seldom = next((one for one in found if _interval(one) == "epoch"), None)
    counted = [one for one in found if _interval(one) == "step" and one.said.frequency > 1]
    if training.by_epoch or (seldom is None and not counted):
        return training
    if training.per_epoch is not None:
        return in_epochs(training.length, training.per_epoch)
    if seldom is None:
        return training
    raise UsageError(
        f"{type(seldom.said.scheduler).__name__} is stepped once an epoch: how long is one?",
        hint="give --epochs N, and --iters-per-epoch N for what is stepped more often",
    )


def _interval(one: Attached) -> str | None:
    if one.is_timms and one.said.interval is None:
        return "epoch" if getattr(one.said.scheduler, "t_in_epochs", True) else "step"
    return one.said.interval


def _spec(one: Attached, training: Training) -> ForeignSpec:
    scheduler, interval = one.said.scheduler, _interval(one)
    arguments = state_of(vars(scheduler))
    arguments["interval"] = one.said.interval or "not stated"
    if one.said.frequency > 1:
        arguments["frequency"] = one.said.frequency
    shown = {n: v for n, v in arguments.items() if n[0] != "_" and not isinstance(v, Mapping)}
    return ForeignSpec(
        name=type(scheduler).__name__,
        kind=type(scheduler),
        by_epoch=training.by_epoch if interval is None else interval == "epoch",
        converted=False,
        arguments=arguments,
        end=0,
        raw={n: v for n, v in shown.items() if v is not None and not _is_code(v)},
        place=None,
    )


def _is_code(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return any(isinstance(item, Mapping | tuple) for item in items)


def _per_group(one: Attached, found: Attachments) -> list[Sequence[Any]]:
    """Return the lists of a scheduler that have another value for each group."""
    count = len(found.optimizers[one.optimizer].param_groups)
    state = state_of(vars(one.said.scheduler), 0)
    lists = [value for value in state.values() if isinstance(value, tuple) and len(value) == count]
    return [value for value in lists if len(set(map(repr, value))) > 1]


class _Maker:
    """Makes ready to be stepped what a function makes; schedulers of one optimizer come from one run."""

    def __init__(self, run: Callable[[], Attachments], places: Mapping[int, int]) -> None:
        self._run = run
        self._places = places
        self._made: WeakKeyDictionary[ParamGroupTable, Attachments] = WeakKeyDictionary()

    def __call__(
        self, spec: ForeignSpec, table: ParamGroupTable, training: Training
    ) -> RunningForeignScheduler:
        """Return the stage of one scheduler.

        Raises:
            ScheduleError: The function makes other schedulers than before.
        """
        from optplan.schedule.foreign.classes import Way
        from optplan.schedule.foreign.running import RunningForeignScheduler

        if table not in self._made:
            self._made[table] = self._run()
        made, place = self._made[table], self._places[id(spec)]
        if (
            place >= len(made.schedulers)
            or type(made.schedulers[place].said.scheduler) is not spec.kind
        ):
            raise ScheduleError("the function makes other schedulers each time that it is run")
        one = made.schedulers[place]
        groups = RealGroups(made.optimizers[one.optimizer].param_groups)
        scheduler = one.said.scheduler
        if one.said.frequency > 1:
            scheduler = Seldom(scheduler, one.said.frequency, None if spec.by_epoch else training)
        way = Way.TIMM if one.is_timms else Way.TORCH
        return RunningForeignScheduler(spec, table, groups, lambda _: (scheduler, way))


@dataclass(frozen=True, slots=True)
class RealGroups:
    """The groups of a real optimizer, which its own schedulers move."""

    groups: Sequence[Mapping[str, Any]]

    def put(self, table: ParamGroupTable) -> None:
        """Do nothing: all schedulers act on the same groups."""

    def take(self, table: ParamGroupTable) -> None:
        """Set the table to what the groups have."""
        groups = [self.groups[number] for number in table.numbers]
        for name in dict.fromkeys(name for group in groups for name in group if name != "params"):
            table.entries[name] = [_value(group.get(name, MISSING)) for group in groups]


def _value(value: Any) -> Any:
    """Return a number that is kept as a tensor as a number."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


class Seldom:
    """A scheduler that is stepped once in so many intervals.

    Args:
        scheduler: The scheduler.
        frequency: The number of intervals.
        counted: The training whose batches are the intervals, counted anew in each of its epochs, as Lightning
            does; None where they are counted on.
    """

    def __init__(self, scheduler: Any, frequency: int, counted: Training | None) -> None:
        self._scheduler = scheduler
        self._frequency = frequency
        self._counted = counted
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    def step(self, *arguments: Any) -> None:
        """Step the scheduler, where it is its turn."""
        self._count += 1
        if self._interval() % self._frequency == 0:
            self._scheduler.step(*arguments)

    def _interval(self) -> int:
        """Return the number of the interval that ends."""
        if self._counted is None:
            return self._count
        per_epoch, batches = self._counted.per_epoch, self._counted.batches
        number = (self._count - 1) % per_epoch + 1 if per_epoch else self._count
        number *= self._counted.accumulated
        return number if batches is None else min(number, batches)


def stepped_alike(found: Attachments) -> Attachments:
    """Return schedulers that are stepped once in a step each, whatever the function says of intervals."""
    return replace(
        found,
        schedulers=tuple(
            replace(one, said=replace(one.said, interval="step", frequency=1))
            for one in found.schedulers
        ),
    )
