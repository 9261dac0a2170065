"""Schedulers that take no heed of where a value is: one cycle up and down, and one that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Any

from optplan.errors import ScheduleError
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.schedulers.curve import Curve, Values
from optplan.schedule.specs import FOREVER, Spec


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the cycle: where it ends, and the entries that it leads from and to."""

    end: float
    start_entry: str
    end_entry: str


class OneCycle(Curve):
    """Up to ``eta_max`` and down again, from and to shares of it; the starting lr counts for nothing."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        arguments = spec.arguments
        self._total = arguments["total_steps"] or spec.end - spec.begin
        self.phases = phases(spec)
        if spec.last_step == -1:
            peaks = _peaks(spec, table)
            starts = [peak / arguments["div_factor"] for peak in peaks]
            table.entries |= {
                "initial_lr": starts,
                "max_lr": peaks,
                "min_lr": [start / arguments["final_div_factor"] for start in starts],
            }
        super().__init__(spec, table)
        if "max_lr" not in table.entries:
            raise ScheduleError(
                f"{spec.name} goes on from last_step {spec.last_step}, but the groups have no max_lr",
                place=spec.at("last_step"),
            )

    def turn(self, position: int, values: Values) -> Values:
        """Return the values after a tick."""
        del values
        if position > self._total:
            raise ValueError(
                f"it was told to take {self._total} steps, and takes {position + 1}: total_steps is too small"
            )
        begin = 0.0
        for phase in self.phases[:-1]:
            if position <= phase.end:
                return self._within(phase, begin, position)
            begin = phase.end
        return self._within(self.phases[-1], begin, position)

    def _within(self, phase: Phase, begin: float, position: int) -> Values:
        share = (position - begin) / (phase.end - begin)
        entries = self.table.entries
        ends = zip(entries[phase.start_entry], entries[phase.end_entry], strict=True)
        if self.spec.arguments["anneal_strategy"] == "linear":
            return [(end - start) * share + start for start, end in ends]
        height = cos(pi * share) + 1
        return [end + (start - end) / 2.0 * height for start, end in ends]


def phases(spec: Spec) -> tuple[Phase, ...]:
    """Return the parts of a cycle, in its positions."""
    total = spec.arguments["total_steps"] or spec.end - spec.begin
    share = spec.arguments["pct_start"]
    first = Phase(float(share * total) - 1, "initial_lr", "max_lr")
    if spec.arguments["three_phase"]:
        second = Phase(float(2 * share * total) - 2, "max_lr", "initial_lr")
        return first, second, Phase(total - 1, "initial_lr", "min_lr")
    return first, Phase(total - 1, "max_lr", "min_lr")


def _peaks(spec: Spec, table: ParamGroupTable) -> list[Any]:
    """Return the highest value of each group."""
    highest = spec.arguments["eta_max"]
    if not isinstance(highest, list | tuple):
        return [highest] * table.count
    return one_each(spec, "eta_max", highest, table)


def one_each(spec: Spec, name: str, values: Sequence[Any], table: ParamGroupTable) -> list[Any]:
    """Return values that are given group by group.

    Raises:
        ScheduleError: There are more or fewer than groups.
    """
    # the reference counts the settings that it keeps for the base lr as one group more
    wanted = table.total + 1 if table.total > 1 else 1
    if len(values) != wanted:
        raise ScheduleError(
            f"{name} has {len(values)} values, and there are {wanted} groups"
            + (", the reference's own for the base lr among them" if wanted > 1 else ""),
            place=spec.at(name),
        )
    return [values[group] for group in table.numbers]


class ReduceOnPlateau(Curve):
    """Waits for a metric that nobody knows beforehand, so that it never acts here."""

    def __init__(self, spec: Spec, table: ParamGroupTable) -> None:
        super().__init__(spec, table)
        least = spec.arguments["min_value"]
        if isinstance(least, list | tuple) and len(least) != table.total:
            raise ScheduleError(
                f"min_value has {len(least)} values, and there are {table.total} groups",
                place=spec.at("min_value"),
            )

    def turn(self, position: int, values: Values) -> Values:
        """Return the values as they are."""
        del position
        return values

    def _rest(self, position: int) -> int:
        del position
        return FOREVER

    def unknown_from(self) -> int:
        """Return the first tick at which the metric may have changed the values.

        It needs one result more than its patience allows, and the first that counts is that of the
        epoch before its begin.
        """
        return max(self._first - 1, 0) + int(self.spec.arguments["patience"]) + 1
