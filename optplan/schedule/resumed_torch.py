"""What of torch's schedulers a checkpoint's states overwrite: ``load_state_dict`` replaces every attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optplan.plan import Plan
from optplan.plan.changes import SchedulerChange
from optplan.plan.saved_groups import members_of

# What schedulers count while they are stepped, or work out of others.
_PROGRESS = frozenset(
    {
        "T_cur",
        "T_i",
        "_get_lr_called_within_step",
        "_is_initial",
        "_last_lr",
        "_step_count",
        "best",
        "cooldown_counter",
        "last_epoch",
        "num_bad_epochs",
        "verbose",
    }
)
_INNER = "_schedulers"
_CLASS = "class"
_NAME = "lr_scheduler"
State = Mapping[str, Any]


def torch_changes(
    plan: Plan, states: Sequence[State], own: Sequence[State] | None
) -> Iterator[SchedulerChange]:
    """Yield what differs between a training's schedulers and those that resuming makes of them.

    Args:
        plan: The training's plan.
        states: The states in the checkpoint.
        own: The states of the training's own schedulers, with their ``class``; None where the base lrs alone
            are known of them, which are the lrs of the groups.
    """
    known = own if own is not None else [_planned(plan)] * len(states)
    if len(known) != len(states):
        first = min(len(known), len(states))
        note = f"restored: the first {first}" if first else "nothing is restored"
        yield SchedulerChange(
            scheduler=_NAME, field="count", before=len(known), after=len(states), note=note
        )
    for at, (one, state) in enumerate(zip(known, states, strict=False)):
        label = _NAME if len(states) == 1 else f"{_NAME}[{at}]"
        yield from _changes(f"{label} {one.get(_CLASS, '')}".rstrip(), one, state)


def _planned(plan: Plan) -> State:
    members = members_of(plan) if len(plan.optimizers) == 1 else {}
    lrs = [members[at][0].lr for at in sorted(members)]
    return {"base_lrs": lrs} if lrs else {}


def _changes(label: str, own: State, state: State) -> Iterator[SchedulerChange]:
    for name, value in own.items():
        if name in _PROGRESS or name == _CLASS or name not in state:
            continue
        saved = state[name]
        if name == _INNER and _are_states(value) and _are_states(saved):
            for at, pair in enumerate(zip(value, saved, strict=False)):
                yield from _changes(f"{label} {name}[{at}]", *pair)
        elif _plain(value) != _plain(saved):
            yield SchedulerChange(
                scheduler=label,
                field=name,
                before=_short(value),
                after=_short(saved),
                note=f"the checkpoint's {'stay' if isinstance(saved, list | tuple) else 'stays'}",
            )


def _are_states(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, Mapping) for one in value)


def _plain(value: Any) -> Any:
    """Return a value with lists in the place of tuples, which a plan in JSON does not tell apart."""
    return list(value) if isinstance(value, list | tuple) else value


def _short(value: Any) -> Any:
    """Return one value for all groups, where all have the same."""
    if isinstance(value, list | tuple) and len(value) > 1 and all(one == value[0] for one in value):
        return [value[0]]
    return value
