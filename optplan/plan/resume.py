"""Compare a plan with a checkpoint's optimizer state that is loaded over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

from optplan.errors import PlanError
from optplan.names import Rule
from optplan.plan.changes import ABSENT
from optplan.plan.compare import differ
from optplan.plan.plan import Plan, PlannedOptimizer, PlannedParameter
from optplan.plan.saved_groups import SavedGroup, is_number, misfits

_TOLERANCE = 1e-6
# The multipliers that a group keeps of its custom key: no optimizer and no schedule reads them.
_KEPT_MULTIPLIERS = ("lr_mult", "decay_mult")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A plan after resuming.

    Args:
        plan: With the checkpoint's values; the unchanged one where the checkpoint does not fit.
        misfits: Why it cannot be loaded.
        remarks: What else there is to know.
    """

    plan: Plan
    misfits: tuple[str, ...]
    remarks: tuple[str, ...]


def resumed(plan: Plan, groups: Sequence[SavedGroup], defaults: Mapping[str, Any]) -> Resumed:
    """Return the plan with the values of a checkpoint, which overwrite the groups' own on resume.

    Where a schedule has changed a value since, it is the initial one that counts: the schedule goes
    on from there, and the plan holds initial values too.

    Args:
        plan: The plan of the config that is resumed with.
        groups: The checkpoint's groups.
        defaults: The optimizer class's own options with their values, empty where unknown.

    Raises:
        PlanError: The plan has several optimizers.
    """
    if len(plan.optimizers) != 1:
        raise PlanError("a checkpoint can be held against a plan with one optimizer only")
    found = tuple(misfits(plan, groups, defaults))
    if found:
        return Resumed(plan=plan, misfits=found, remarks=())
    loaded = _Loaded(plan.optimizers[0], plan.parameters, groups, defaults)
    return Resumed(
        plan=replace(
            plan,
            optimizers=(loaded.optimizer,),
            parameters=tuple(map(loaded.row, plan.parameters)),
        ),
        misfits=(),
        remarks=tuple(_remarks(groups)),
    )


def _remarks(groups: Sequence[SavedGroup]) -> Iterator[str]:
    factors = {
        f"×{group.entries['lr'] / initial:.4g}"
        for group in groups
        if is_number(initial := group.entries.get("initial_lr"))
        and initial
        and is_number(group.entries["lr"])
        and not _is_close(initial, group.entries["lr"])
    }
    if factors:
        shown = factors.pop() if len(factors) == 1 else f"{len(factors)} different factors"
        yield (
            f"the checkpoint was saved in the middle of a schedule, its lr at {shown} of the initial lr;"
            " the initial one is compared"
        )


class _Loaded:
    """The values of a checkpoint, as rows and an optimizer."""

    def __init__(
        self,
        optimizer: PlannedOptimizer,
        rows: Sequence[PlannedParameter],
        groups: Sequence[SavedGroup],
        defaults: Mapping[str, Any],
    ) -> None:
        self._groups = groups
        self._defaults = defaults
        rows = [row for row in rows if row.group is not None]
        self._factors = {name: self._factor(name, rows) for name in ("lr", "weight_decay")}
        known = {*optimizer.options, *defaults, *(name for row in rows for name in row.options)}
        self._known = sorted(known - {"lr", "weight_decay"})
        self._options = {name: self._shared(name, optimizer) for name in self._known}
        self.optimizer = replace(
            optimizer,
            lr=self._base("lr", optimizer.lr, rows),
            weight_decay=self._base("weight_decay", optimizer.weight_decay, rows),
            options={
                name: value
                for name, value in self._options.items()
                if value is not ABSENT
                and (name in optimizer.options or differ(value, defaults.get(name, ABSENT)))
            },
        )

    def row(self, row: PlannedParameter) -> PlannedParameter:
        """Return a parameter's row after loading; a value that does not follow the base has no known rule."""
        if row.group is None:
            return row
        group = self._groups[row.group]
        values: dict[str, Any] = {}
        for name in ("lr", "weight_decay"):
            value = group.value(name)
            planned = getattr(row, name)
            if planned is None or not is_number(value):
                continue
            if not _is_close(value, planned):
                values[name] = value
            if not _is_close(value, planned * self._factors[name]):
                values[f"{name}_rule"] = None
        if "lr" in values:
            values["effective_lr"] = values["lr"] * (row.lr_scale or 1)
        return row._replace(options=self._own(group), extra=self._extra(row, group), **values)

    def _own(self, group: SavedGroup) -> dict[str, Any]:
        """Return the options of a group that are not the optimizer's."""
        found = {name: group.value(name) for name in self._known}
        return {
            name: value
            for name, value in found.items()
            if value is not ABSENT and differ(value, self._options[name])
        }

    def _extra(self, row: PlannedParameter, group: SavedGroup) -> dict[str, Any]:
        kept = {name: row.extra[name] for name in _KEPT_MULTIPLIERS if name in row.extra}
        # without the class's own options nobody knows which of the others are its
        wanted = group.entries if self._defaults else row.extra
        own = {"lr", "weight_decay", *self._known, *_KEPT_MULTIPLIERS}
        return kept | {
            name: group.entries[name]
            for name in wanted
            if name in group.entries and name not in own and not name.startswith("initial_")
        }

    def _factor(self, name: str, rows: Sequence[PlannedParameter]) -> float:
        """Return by how much most parameters' values differ from the planned ones.

        What code sets group by group follows no base value, so that no factor is looked for.
        """
        if any(use and use.rule is Rule.SET for use in (getattr(r, f"{name}_rule") for r in rows)):
            return 1.0
        found: Counter[float] = Counter()
        for row in rows:
            value = self._groups[row.group or 0].value(name)
            if (planned := getattr(row, name)) and is_number(value):
                found[float(f"{value / planned:.7g}")] += 1
        return found.most_common(1)[0][0] if found else 1.0

    def _base(
        self, name: str, base: float | None, rows: Sequence[PlannedParameter]
    ) -> float | None:
        """Return the base value that goes with the factor; as it stands in a group where it does."""
        factor = self._factors[name]
        if base is None or _is_close(factor, 1.0):
            return base
        values = [self._groups[row.group or 0].value(name) for row in rows]
        wanted = base * factor
        return next((v for v in values if is_number(v) and _is_close(v, wanted)), wanted)

    def _shared(self, name: str, optimizer: PlannedOptimizer) -> Any:
        """Return the value of an option that all groups have, else the plan's."""
        planned = optimizer.options.get(name, self._defaults.get(name, ABSENT))
        values = [group.value(name) for group in self._groups]
        first = values[0]
        if first is ABSENT or any(differ(first, value) for value in values):
            return planned
        return first if differ(first, planned) else planned


def _is_close(first: float, second: float) -> bool:
    return isclose(first, second, rel_tol=_TOLERANCE)
