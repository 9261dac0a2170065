"""Find the states of schedulers in a training checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optplan.checkpoints.bounded_unpickling import Inert
from optplan.checkpoints.saved_entries import MOST_VALUES, key_text, plain_entry
from optplan.plan.saved_groups import SavedSchedulers, is_number

_HOME = "param_schedulers"


def saved_schedulers(data: Any, path: str) -> SavedSchedulers:
    """Return what a checkpoint keeps of schedulers; what is no mapping has none.

    Args:
        data: What the checkpoint holds.
        path: Its path, for messages.

    Raises:
        PlanError: A state is damaged.
    """
    if not isinstance(data, Mapping):
        return SavedSchedulers()
    found = data.get(_HOME) or []
    torchs = {name: value for name, value in data.items() if _is_torchs(name, value)}
    states = [one for value in torchs.values() for one in _listed(value)]
    read = SavedSchedulers(
        torchs=[plain_state(one, path) for one in states],
        unread=tuple(
            key_text(name)
            for name, value in data.items()
            if name not in torchs and _is_unread(name, value)
        ),
    )
    if _are_states(found):
        return replace(read, shared=[plain_state(one, path) for one in found])
    if isinstance(found, Mapping) and all(map(_are_states, found.values())):
        own = {key_text(name): [plain_state(o, path) for o in part] for name, part in found.items()}
        return replace(read, own=own)
    return replace(read, unread=(_HOME, *read.unread))


def _is_scheduler(name: object) -> bool:
    return isinstance(name, str) and name != _HOME and "sched" in name.lower()


def _is_torchs(name: object, value: object) -> bool:
    """Return whether an entry holds the states of schedulers of torch: one, or Lightning's list."""
    states = _listed(value)
    return _is_scheduler(name) and bool(states) and all("last_epoch" in one for one in states)


def _listed(value: object) -> list[Mapping[Any, Any]]:
    found = value if isinstance(value, list | tuple) else [value]
    return [one for one in found if isinstance(one, Mapping)]


def _is_unread(name: object, value: object) -> bool:
    """Return whether an entry seems to hold other schedulers' states."""
    return _is_scheduler(name) and isinstance(value, Mapping | list | tuple) and bool(value)


def _are_states(found: object) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(one, Mapping) for one in found)


def plain_state(state: Mapping[Any, Any], path: str) -> dict[str, Any]:
    """Return a scheduler's state as plain data.

    Raises:
        PlanError: It is damaged.
    """
    return {key_text(name): _entry(key_text(name), value, path) for name, value in state.items()}


def _entry(name: str, value: Any, path: str) -> Any:
    if isinstance(value, Inert):  # a function of a class, such as the one by which a cycle anneals
        return value.texts[-1] if value.texts else None
    if name == "milestones" and isinstance(value, Mapping):
        value = _repeated(value)
    return plain_entry(value, name, "a scheduler", path)


def _repeated(counts: Mapping[Any, Any]) -> Any:
    """Return milestones in order, each as often as it is counted; what is no such count as it is."""
    are_counts = all(is_number(at) and isinstance(count, int) for at, count in counts.items())
    if not are_counts or sum(abs(count) for count in counts.values()) > MOST_VALUES:
        return dict(counts.items())
    return sorted(at for at, count in counts.items() for _ in range(count))
