"""Find what of schedulers a checkpoint's states overwrite when a training resumes.

mmengine's runner makes the schedulers of the config and updates the attributes of each with the state
that was saved of it, in order; what one side alone has stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optplan.plan import Plan
from optplan.plan.changes import SchedulerChange
from optplan.plan.saved_groups import members_of
from optplan.schedule.catalog import ARGUMENTS, Family, ScheduledEntry
from optplan.schedule.specs import AnySpec, ForeignSpec, Spec
from optplan.schedule.unread import SECTION

_PHASES = "_schedule_phases"
_ANNEALING = "anneal_func"
# The attributes of an argument's value, where they have another name.
_SAVED_AS = {
    "min_value": "min_values",
    "anneal_strategy": _ANNEALING,
    "pct_start": _PHASES,
    "three_phase": _PHASES,
}
# Left out by the versions of mmengine before 0.3.2.
_LATER = frozenset({"eta_min_ratio"})


def not_compared(specs: Sequence[AnySpec], states: Sequence[object]) -> list[str]:
    """Return the schedulers of other packages, whose attributes are not known."""
    pairs = zip(specs, states, strict=False)
    return [_label(at, spec) for at, (spec, _) in enumerate(pairs) if isinstance(spec, ForeignSpec)]


def restored_changes(
    specs: Sequence[AnySpec], states: Sequence[Mapping[str, Any]]
) -> Iterator[SchedulerChange]:
    """Yield what differs between a config's schedulers and those that resuming makes of them.

    Args:
        specs: The config's schedulers.
        states: The states in the checkpoint, as plain data.
    """
    if len(specs) != len(states):
        first = min(len(specs), len(states))
        note = f"restored: the first {first}" if first else "nothing is restored"
        yield SchedulerChange(
            scheduler=SECTION, field="count", before=len(specs), after=len(states), note=note
        )
    for at, (spec, state) in enumerate(zip(specs, states, strict=False)):
        if isinstance(spec, Spec):
            yield from _changes(_label(at, spec), spec, state)


def _label(at: int, spec: AnySpec) -> str:
    return f"{SECTION}[{at}] {spec.name}"


def _changes(label: str, spec: Spec, state: Mapping[str, Any]) -> Iterator[SchedulerChange]:
    own = _attributes(spec)
    others = {name for family in Family for name in _names(family)} - own.keys()
    if others & state.keys() or own.keys() - _LATER - state.keys():
        kept = [name for name in own if name not in state]
        note = (
            f"the config's {', '.join(kept)} stay"
            if kept
            else "nothing reads the rest of its state"
        )
        yield SchedulerChange(
            scheduler=label, field="class", before=spec.name, after=_class_of(state), note=note
        )
    for name, value in own.items():
        if name not in state:
            continue
        saved = _saved(name, state[name], value)
        if not _are_equal(value, saved):
            are_several = isinstance(saved, list | tuple)
            yield SchedulerChange(
                scheduler=label,
                field={_PHASES: "phases"}.get(name, name),
                before=value,
                after=saved,
                note=f"the checkpoint's {'stay' if are_several else 'stays'}",
            )


def _names(family: Family) -> frozenset[str]:
    """Return the attributes that hold the arguments of a scheduler of this kind."""
    return frozenset(_SAVED_AS.get(name, name) for name in ARGUMENTS[family])


def _class_of(state: Mapping[str, Any]) -> str:
    """Return the class whose attributes a state has; several may, of which the one with most is meant."""
    fitting = [family for family in Family if _names(family) - _LATER <= state.keys()]
    if not fitting:
        return "another class"
    target = {"lr": ScheduledEntry.LR, "momentum": ScheduledEntry.MOMENTUM}.get(
        str(state.get("param_name"))
    )
    return max(fitting, key=lambda one: len(_names(one))) + (target or ScheduledEntry.PARAM)


def _attributes(spec: Spec) -> dict[str, Any]:
    """Return the attributes that a new scheduler has, as far as its arguments decide them."""
    found: dict[str, Any] = {
        "param_name": spec.param,
        "begin": spec.begin,
        "end": spec.end,
        "by_epoch": spec.by_epoch,
        **{_SAVED_AS.get(name, name): value for name, value in spec.arguments.items()},
    }
    span = spec.end - spec.begin
    match spec.family:
        case Family.MULTI_STEP:
            found["milestones"] = sorted(found["milestones"])
        case Family.COSINE_ANNEALING:
            found["T_max"] = found["T_max"] or span
            if found["eta_min"] is None and found["eta_min_ratio"] is None:
                found["eta_min"] = 0
        case Family.ONE_CYCLE:
            found["total_steps"] = found["total_steps"] or span
            found[_PHASES] = _phase_ends(spec, found["total_steps"])
            found[_ANNEALING] = spec.arguments["anneal_strategy"]
        case _:
            pass
    return found


def _phase_ends(spec: Spec, total: float) -> list[float]:
    """Return the steps at which the phases of a cycle end."""
    rise = float(spec.arguments["pct_start"]) * total
    middle = [2 * rise - 2] if spec.arguments["three_phase"] else []
    return [rise - 1, *middle, total - 1]


def _saved(name: str, value: Any, planned: Any) -> Any:
    """Return a saved attribute in the form in which the argument is written."""
    if name == _PHASES and isinstance(value, list | tuple):
        return [one.get("end_step") if isinstance(one, Mapping) else one for one in value]
    if name == _ANNEALING:
        return str(value).removeprefix("_annealing_")
    if name == "min_values" and isinstance(value, list | tuple) and value:
        if not isinstance(planned, list | tuple):
            return value[0] if all(one == value[0] for one in value) else value
        # an optimizer wrapper has one group more, which repeats the last value
        return value[:-1] if len(value) == len(planned) + 1 and value[-1] == value[-2] else value
    return value


def _are_equal(first: Any, second: Any) -> bool:
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_are_equal, first, second))
    return bool(first == second)


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
        yield from _state_changes(f"{label} {one.get(_CLASS, '')}".rstrip(), one, state)


def _planned(plan: Plan) -> State:
    members = members_of(plan) if len(plan.optimizers) == 1 else {}
    lrs = [members[at][0].lr for at in sorted(members)]
    return {"base_lrs": lrs} if lrs else {}


def _state_changes(label: str, own: State, state: State) -> Iterator[SchedulerChange]:
    for name, value in own.items():
        if name in _PROGRESS or name == _CLASS or name not in state:
            continue
        saved = state[name]
        if name == _INNER and _are_states(value) and _are_states(saved):
            for at, pair in enumerate(zip(value, saved, strict=False)):
                yield from _state_changes(f"{label} {name}[{at}]", *pair)
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
