"""Work out the memory that the parameters, gradients and optimizer states of a plan take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from optplan.names import Status
from optplan.plan import Plan, PlannedParameter
from optplan.plan.memory import (
    Footprint,
    MemoryRow,
    OptimizerState,
    PlanMemory,
    Process,
    StateMethod,
    StateTensor,
    TensorKind,
    footprint,
    times,
)

_SHARDS_ITSELF = "ZeroRedundancyOptimizer"


def memory_of(
    plan: Plan,
    rows: Sequence[PlannedParameter],
    *,
    processes: int | None = None,
    trusted: bool = False,
) -> PlanMemory:
    """Return the memory of some parameters of a plan, by setting and dtype.

    Args:
        plan: The plan.
        rows: The parameters.
        processes: Between how many processes they are sharded; None for none.
        trusted: Whether the user vouches for the code that the config names.
    """
    states = [_state_of(plan, number, trusted) for number in range(len(plan.optimizers))]
    parts: dict[tuple[int | Status, str], list[PlannedParameter]] = {}
    for row in rows:
        if row.status is not Status.DUPLICATE:
            key = row.status if row.setting is None else row.setting
            parts.setdefault((key, row.dtype), []).append(row)
    ordered = sorted(parts, key=lambda part: _order(part[0], plan))
    return PlanMemory(
        rows=tuple(_row(parts[key], states, processes) for key in ordered),
        states=tuple(states),
        processes=processes,
    )


def _order(key: int | Status, plan: Plan) -> int:
    return key if isinstance(key, int) else len(plan.settings) + list(Status).index(key)


def _row(
    rows: Sequence[PlannedParameter], states: Sequence[OptimizerState], processes: int | None
) -> MemoryRow:
    first = min(rows, key=lambda row: list(Status).index(row.status))
    counts = Counter(map(_kind, rows))
    state = None if first.optimizer is None else states[first.optimizer]
    itemsize = _itemsize(first.dtype)

    def summed(process: Process | None) -> Footprint:
        total = Footprint()
        for kind, count in counts.items():
            each = footprint(kind, itemsize, _kept(state, kind), process)
            total += times(each, count)
            if state is not None and state.together.get(kind):
                whole = footprint(kind, 0, state.together[kind], process)
                total += replace(whole, parameters=0, gradients=0)
        return total

    last = None if processes is None else processes - 1
    return MemoryRow(
        setting=first.setting,
        optimizer=first.optimizer,
        status=first.status,
        dtype=first.dtype,
        parameters=len(rows),
        elements=sum(row.elements for row in rows),
        whole=summed(None),
        largest=None if processes is None else summed(Process(rank=0, processes=processes)),
        smallest=None
        if processes is None or last is None
        else summed(Process(rank=last, processes=processes)),
        kept=_names(state, counts),
        has_scalars=any(not kind.shape for kind in counts),
    )


def _kept(state: OptimizerState | None, kind: TensorKind) -> tuple[StateTensor, ...] | None:
    """Return what is kept of a tensor by itself; None where that is not known."""
    if state is None:
        return ()
    if state.method is StateMethod.UNKNOWN:
        return None
    return state.kept.get(kind, ())


def _names(state: OptimizerState | None, counts: Mapping[TensorKind, int]) -> tuple[str, ...]:
    if state is None:
        return ()
    kept = [(*state.kept.get(kind, ()), *state.together.get(kind, ())) for kind in counts]
    return tuple(dict.fromkeys(one.name for own in kept for one in own))


def _kind(row: PlannedParameter) -> TensorKind:
    return TensorKind(row.setting, row.shape, row.dtype, row.requires_grad)


def _itemsize(dtype: str) -> int:
    import torch

    found: torch.dtype = getattr(torch, dtype)
    return found.itemsize


def _state_of(plan: Plan, number: int, trusted: bool) -> OptimizerState:
    """Return what an optimizer of the plan keeps, by stepping its class."""
    from optplan.constructors.optimizers import named_class, real_values
    from optplan.verify.optimizer_state import SteppedOptimizer, optimizer_state

    rows = [
        row
        for row in plan.parameters
        if row.optimizer == number and row.status is not Status.DUPLICATE
    ]
    name = plan.optimizers[number].class_name
    if not rows:
        return OptimizerState(method=StateMethod.NONE)
    if name.rpartition(".")[2] == _SHARDS_ITSELF:
        reason = "it shards its state itself, parameter by parameter"
        return OptimizerState(method=StateMethod.UNKNOWN, reason=reason)
    found = named_class(name, trusted=trusted)
    if found is None:
        reason = "its class is not installed, or is not imported without --import or --trust"
        return OptimizerState(method=StateMethod.UNKNOWN, reason=reason)
    firsts = {row.setting: row for row in reversed(rows)}
    settings = dict.fromkeys(row.setting for row in rows)
    stepped = SteppedOptimizer(
        found=found,
        groups={setting: real_values(_entries(plan, firsts[setting])) for setting in settings},
        counts=Counter(map(_kind, rows)),
        trusted=trusted,
    )
    return optimizer_state(stepped)


def _entries(plan: Plan, row: PlannedParameter) -> dict[str, Any]:
    """Return what the group of a parameter holds."""
    assert row.optimizer is not None
    values = {"lr": row.lr, "weight_decay": row.weight_decay}
    own = {name: value for name, value in values.items() if value is not None}
    return {**plan.optimizers[row.optimizer].options, **own, **row.options, **row.extra}
