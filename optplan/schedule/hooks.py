"""Run the hooks of mmcv 1.x: each sets the values of groups anew from what they started with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from optplan.errors import ScheduleError
from optplan.schedule.param_group_table import MISSING, ParamGroupTable
from optplan.schedule.policies import ONE_CYCLE, POLICIES, Position, one_cycle_momentum
from optplan.schedule.policy_parsing import per_group_values
from optplan.schedule.specs import FOREVER, HookSpec


class RunningHook:
    """A policy at work on the groups of one optimizer.

    It looks at no earlier value, so that steps are skipped at no cost.

    Args:
        spec: The policy.
        table: The groups.

    Raises:
        ScheduleError: The groups do not have what it moves, or it has values for another number of them.
    """

    def __init__(self, spec: HookSpec, table: ParamGroupTable) -> None:
        self.spec = spec
        self.param = spec.param
        self.acts = spec.acts
        self._table = table
        self._tick = 0
        self._is_beta = spec.param == "momentum" and not _has(table, "momentum")
        if self._is_beta and not _has(table, "betas"):
            raise ScheduleError(
                "momentum_config needs an optimizer with momentum or betas", place=spec.place
            )
        self._valued = self._values()

    @property
    def by_epoch(self) -> bool:
        """Whether it ticks after each epoch, not after each iteration."""
        return self.spec.by_epoch

    def steady(self) -> int:
        """Return for how many ticks from now on ``acts`` stays what it is."""
        return FOREVER

    def advance(self, count: int) -> None:
        """Make so many ticks; after the last step of the training nothing is set."""
        tick = self._tick + count
        if self.acts and tick <= self.spec.end:
            self._put([value and self._at(value, tick - 1) for value in self._valued])
        self._tick = tick

    def unknown_from(self) -> int | None:
        """Return None: no metric changes the values."""
        return None

    def _at(self, valued: Callable[[Position], float], tick: int) -> float:
        """Return the value of one group at a tick."""
        spec, warmup = self.spec, self.spec.warmup
        per_epoch = spec.per_epoch or 1
        step = tick // per_epoch if spec.counts_epochs and not spec.by_epoch else tick
        value = valued(Position(step, spec.length))
        if isinstance(value, complex):
            raise ScheduleError(f"the value at step {step} is no real number", place=spec.place)
        if warmup is None or tick >= warmup.iterations:
            return value
        factor = _warmup_factor(warmup.kind, tick / warmup.iterations, warmup.ratio)
        return value / factor if self.param == "momentum" else value * factor

    def _values(self) -> list[Callable[[Position], float] | None]:
        """Return what gives the value of each group at a position; None for a group that is left as it is."""
        spec, table = self.spec, self._table
        given, policy = spec.arguments, POLICIES[spec.param][spec.policy]

        def of_argument(name: str) -> list[float | None]:
            return per_group_values(spec, name, table.numbers, table.total)

        if spec.policy == ONE_CYCLE and spec.param == "momentum":
            lows, highs = of_argument("base_momentum"), of_argument("max_momentum")
            return [
                partial(one_cycle_momentum, self._needed(low), self._needed(high), given)
                for low, high in zip(lows, highs, strict=True)
            ]
        if spec.policy == ONE_CYCLE:
            peaks = of_argument("max_lr")
            bases = [None if peak is None else peak / given["div_factor"] for peak in peaks]
        else:
            bases = self._starts()
        return [None if base is None else partial(policy.value, base, given) for base in bases]

    def _needed(self, value: float | None) -> float:
        """Return a momentum of a group.

        Raises:
            ScheduleError: A list by names is too short for the group.
        """
        if value is None:
            raise ScheduleError(
                f"a momentum of {self.spec.name} has fewer values than the optimizer param groups",
                place=self.spec.place,
            )
        return value

    def _starts(self) -> list[Any]:
        """Return what the groups start with, kept in them as ``initial_lr`` or ``initial_momentum``."""
        if not self._is_beta:
            return self._table.initial(self.param)
        entries = self._table.entries
        kept = entries.get("initial_momentum", [MISSING] * self._table.count)
        found = [
            betas[0] if old is MISSING else old
            for old, betas in zip(kept, entries["betas"], strict=True)
        ]
        entries["initial_momentum"] = found
        return found

    def _put(self, values: list[float | None]) -> None:
        entries = self._table.entries
        if self._is_beta:
            pairs = zip(values, entries["betas"], strict=True)
            entries["betas"] = [(value, betas[1]) for value, betas in pairs]
        else:
            pairs = zip(values, entries[self.param], strict=True)
            entries[self.param] = [now if value is None else value for value, now in pairs]


def _warmup_factor(kind: str, share: float, ratio: float) -> float:
    """Return what a warm-up multiplies an lr by, once so much of it has passed."""
    if kind == "constant":
        return ratio
    if kind == "linear":
        return 1 - (1 - share) * (1 - ratio)
    factor: float = ratio ** (1 - share)
    return factor


def _has(table: ParamGroupTable, entry: str) -> bool:
    return MISSING not in table.entries.get(entry, [MISSING])
