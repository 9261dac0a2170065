"""The states of schedulers in a training checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.constructors.bounded_unpickling import Inert
from optplan.constructors.checkpoint import (
    MOST_VALUES,
    key_text,
    load_checkpoint,
    plain_entry,
)
from optplan.plan.saved_groups import SavedSchedulers, is_number

_HOME = "param_schedulers"


def read_schedulers(path: str) -> SavedSchedulers:
    """Return what a checkpoint keeps of schedulers.

    Args:
        path: A file that ``torch.save`` wrote.

    Raises:
        PlanError: It cannot be read.
    """
    return saved_schedulers(load_checkpoint(path), path)


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
    unread = tuple(key_text(name) for name, value in data.items() if _is_unread(name, value))
    if _are_states(found):
        return SavedSchedulers(shared=[_state(one, path) for one in found], unread=unread)
    if isinstance(found, Mapping) and all(map(_are_states, found.values())):
        own = {key_text(name): [_state(o, path) for o in part] for name, part in found.items()}
        return SavedSchedulers(own=own, unread=unread)
    return SavedSchedulers(unread=(_HOME, *unread))


def _is_unread(name: object, value: object) -> bool:
    """Return whether an entry seems to hold other schedulers' states: torch's, Lightning's."""
    if not isinstance(name, str) or name == _HOME or "sched" not in name.lower():
        return False
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _are_states(found: object) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(one, Mapping) for one in found)


def _state(state: Mapping[Any, Any], path: str) -> dict[str, Any]:
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
