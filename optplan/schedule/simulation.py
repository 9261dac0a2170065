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
        self._steppers: dict[int, SchedulerStepper] = {}
        self._rows: dict[int, int] = {}
        for optimizer in range(len(schedule.specs)):
            settings = [setting for setting in schedule.settings if setting.optimizer == optimizer]
            if settings:
                self._start(optimizer, settings)

    def go(self, step: int) -> None:
        """Go on to a step, which is not before the present one.

        Raises:
            ScheduleError: A scheduler breaks down on the way.
        """
        for stepper in self._steppers.values():
            stepper.go(step)

    def values(self, field: str) -> list[float | None]:
        """Return what each setting has of a hyper-parameter now; None where its optimizer has none."""
        moved_by = {index: stepper.table.value(field) for index, stepper in self._steppers.items()}
        found = []
        for setting in self._schedule.settings:
            moved = moved_by[setting.optimizer]
            if moved is None:
                found.append(self._constant(setting, field))
            else:
                found.append(moved[self._rows[id(setting)]])
        return found

    def stepper(self, optimizer: int) -> SchedulerStepper:
        """Return what steps the schedulers of an optimizer."""
        return self._steppers[optimizer]

    def source(self, place: int, field: str) -> CurveSource | None:
        """Return where the setting at a place takes a hyper-parameter from; None where it has none."""
        setting = self._schedule.settings[place]
        if self._steppers[setting.optimizer].table.value(field) is not None:
            return CurveSource(self._rows[id(setting)])
        constant = self._constant(setting, field)
        return None if constant is None else CurveSource(None, float(constant))

    def metrics(self) -> Mapping[tuple[int, str], Metric]:
        """Return what depends on a metric, by optimizer and hyper-parameter, from which step on."""
        found: dict[tuple[int, str], Metric] = {}
        for index, stepper in self._steppers.items():
            for scheduler in stepper.schedulers:
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

    def _start(self, optimizer: int, settings: list[ScheduledSetting]) -> None:
        """Put the groups of an optimizer side by side, those that move alike once."""
        schedule = self._schedule
        specs = schedule.specs[optimizer]
        wanted = _moved_entries(specs)
        first: dict[Any, int] = {}
        groups: list[Mapping[str, Any]] = []
        numbers = []
        for setting in settings:
            entries = {
                name: value
                for name, value in setting.entries.items()
                if wanted is None or name in wanted
            }
            key = id(setting) if wanted is None else hashable(entries)
            row = self._rows[id(setting)] = first.setdefault(key, len(groups))
            if row == len(groups):
                groups.append(entries)
                numbers.append(setting.group)
        table = ParamGroupTable(
            groups,
            own_names(schedule, optimizer),
            numbers=numbers,
            total=schedule.totals[optimizer],
        )
        self._steppers[optimizer] = SchedulerStepper(
            specs, table, schedule.training, schedule.unit, schedule.make_foreign
        )

    def _constant(self, setting: ScheduledSetting, field: str) -> float | None:
        """Return what no scheduler moves."""
        value = setting.entries.get(field)
        if value is None and field == "momentum":
            betas = setting.entries.get("betas")
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
