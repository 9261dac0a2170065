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
from optplan.schedule.training import Training
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
    return assembled(
        plan,
        tuple(own),
        training,
        defaults,
        _Maker(run, {id(spec): place for place, spec in enumerate(specs)}),
        lists=[values for one in found.schedulers for values in _per_group(one, found)],
        unread=tuple(Unread(name=text) for text in (*found.unread, *alone, *_may_move(found))),
    )


def _may_move(found: Attachments) -> Iterator[str]:
    """Yield what runs at each step of an optimizer, and may give its groups other values."""
    return (
        name for name in found.beside if name.startswith(("hooks before", "hooks after", "the own"))
    )


def _by_epochs(found: Sequence[Attached], training: Training) -> Training:
    """Return the training as one of epochs, where a scheduler is stepped once an epoch."""
    seldom = next((one for one in found if _interval(one) == "epoch"), None)
    if training.by_epoch or seldom is None:
        return training
    name, per_epoch = type(seldom.said.scheduler).__name__, training.per_epoch
    if per_epoch is None or training.length % per_epoch:
        raise UsageError(
            f"{name} is stepped once an epoch: how long is one?",
            hint="give --epochs N, and --iters-per-epoch N for what is stepped more often",
        )
    return Training(by_epoch=True, length=training.length // per_epoch, per_epoch=per_epoch)


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
        period = training.per_epoch if training.by_epoch and not spec.by_epoch else None
        scheduler = one.said.scheduler
        if one.said.frequency > 1:
            scheduler = Seldom(scheduler, one.said.frequency, period)
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
        period: The intervals are counted anew after so many, as Lightning does in each epoch.
    """

    def __init__(self, scheduler: Any, frequency: int, period: int | None) -> None:
        self._scheduler = scheduler
        self._frequency = frequency
        self._period = period
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    def step(self, *arguments: Any) -> None:
        """Step the scheduler, where it is its turn."""
        self._count += 1
        if self._count % self._frequency == 0:
            self._scheduler.step(*arguments)
        if self._count == self._period:
            self._count = 0


def stepped_alike(found: Attachments) -> Attachments:
    """Return schedulers that are stepped once in a step each, whatever the function says of intervals."""
    return replace(
        found,
        schedulers=tuple(
            replace(one, said=replace(one.said, interval="step", frequency=1))
            for one in found.schedulers
        ),
    )
