"""Compute the values of all settings as a training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optplan.plan import hashable
from optplan.schedule.catalog import Family
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.running_scheduler import ANYTHING
from optplan.schedule.schedule import Schedule, per_group_lists
from optplan.schedule.scheduled_settings import ScheduledSetting
from optplan.schedule.scheduler_stepper import SchedulerStepper
from optplan.schedule.specs import AnySpec, HookSpec, is_own
from optplan.schedule.training import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """From which step on a hyper-parameter depends on a metric, and which scheduler waits for it."""

    step: int
    scheduler: str


@dataclass(frozen=True, slots=True)
class CurveSource:
    """Where the values of a hyper-parameter come from: a row of the table that schedulers move, or a constant."""

    row: int | None
    constant: float = 0.0

    def column(self, rows: Sequence[Sequence[float]]) -> Sequence[float] | float:
        """Return the values of its row; the constant where there is none."""
        return self.constant if self.row is None else rows[self.row]


class Simulation:
    """A training that is gone through once, from its start.

    Settings that differ in nothing that a scheduler moves are moved together.

    Args:
        schedule: The schedulers and what they move.

    Raises:
        ScheduleError: A scheduler cannot be made, or breaks down.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._clocks: dict[int, SchedulerStepper] = {}
        self._rows: dict[int, int] = {}
        for optimizer in range(len(schedule.specs)):
            tracks = [track for track in schedule.tracks if track.optimizer == optimizer]
            if tracks:
                self._start(optimizer, tracks)

    def go(self, step: int) -> None:
        """Go on to a step, which is not before the present one.

        Raises:
            ScheduleError: A scheduler breaks down on the way.
        """
        for clock in self._clocks.values():
            clock.go(step)

    def values(self, field: str) -> list[float | None]:
        """Return what each setting has of a hyper-parameter now; None where its optimizer has none."""
        moved_by = {index: clock.table.value(field) for index, clock in self._clocks.items()}
        found = []
        for track in self._schedule.tracks:
            moved = moved_by[track.optimizer]
            if moved is None:
                found.append(self._constant(track, field))
            else:
                found.append(moved[self._rows[id(track)]])
        return found

    def stepper(self, optimizer: int) -> SchedulerStepper:
        """Return what steps the schedulers of an optimizer."""
        return self._clocks[optimizer]

    def source(self, place: int, field: str) -> CurveSource | None:
        """Return where the track at a place takes a hyper-parameter from; None where it has none."""
        track = self._schedule.tracks[place]
        if self._clocks[track.optimizer].table.value(field) is not None:
            return CurveSource(self._rows[id(track)])
        constant = self._constant(track, field)
        return None if constant is None else CurveSource(None, float(constant))

    def metrics(self) -> Mapping[tuple[int, str], Metric]:
        """Return what depends on a metric, by optimizer and hyper-parameter, from which step on."""
        found: dict[tuple[int, str], Metric] = {}
        for index, clock in self._clocks.items():
            for scheduler in clock.schedulers:
                tick = scheduler.unknown_from()
                key = index, "lr" if scheduler.param == ANYTHING else scheduler.param
                if tick is None:
                    continue
                step = tick * self._ticks_of(scheduler.by_epoch)
                if key not in found or step < found[key].step:
                    found[key] = Metric(step=step, scheduler=scheduler.spec.name)
        return found

    def _ticks_of(self, by_epoch: bool) -> int:
        """Return how many steps a tick takes."""
        training = self._schedule.training
        if self._schedule.unit is Unit.EPOCH or not by_epoch or not training.by_epoch:
            return 1
        return training.per_epoch or 1

    def _start(self, optimizer: int, tracks: list[ScheduledSetting]) -> None:
        """Put the groups of an optimizer side by side, those that move alike once."""
        schedule = self._schedule
        specs = schedule.specs[optimizer]
        wanted = _moved_entries(specs)
        first: dict[Any, int] = {}
        groups: list[Mapping[str, Any]] = []
        numbers = []
        for track in tracks:
            entries = {
                name: value
                for name, value in track.entries.items()
                if wanted is None or name in wanted
            }
            key = id(track) if wanted is None else hashable(entries)
            row = self._rows[id(track)] = first.setdefault(key, len(groups))
            if row == len(groups):
                groups.append(entries)
                numbers.append(track.group)
        table = ParamGroupTable(
            groups,
            own_names(schedule, optimizer),
            numbers=numbers,
            total=schedule.totals[optimizer],
        )
        self._clocks[optimizer] = SchedulerStepper(
            specs, table, schedule.training, schedule.unit, schedule.make_foreign
        )

    def _constant(self, track: ScheduledSetting, field: str) -> float | None:
        """Return what no scheduler moves."""
        value = track.entries.get(field)
        if value is None and field == "momentum":
            betas = track.entries.get("betas")
            value = betas[0] if isinstance(betas, tuple | list) and betas else None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number else None


def own_names(schedule: Schedule, optimizer: int) -> frozenset[str]:
    """Return the names of an optimizer's own hyper-parameters."""
    planned = schedule.optimizers[optimizer]
    always = {"lr"} if planned.weight_decay is None else {"lr", "weight_decay"}
    return frozenset({*schedule.defaults[optimizer], *planned.options, *always})


def _moved_entries(specs: Sequence[AnySpec]) -> frozenset[str] | None:
    """Return the entries of groups that schedulers read or write; None where that is not known."""
    names: set[str] = set()
    for spec in specs:
        if not is_own(spec) or per_group_lists((spec,)):
            return None
        if isinstance(spec, HookSpec):
            names |= {spec.param, f"initial_{spec.param}"}
            names |= {"betas"} if spec.param == "momentum" else set()
            continue
        names |= {spec.param, f"initial_{spec.param}"}
        names |= {"betas"} if spec.moves_betas else set()
        names |= {"max_lr", "min_lr"} if spec.family is Family.ONE_CYCLE else set()
    return frozenset(names)
