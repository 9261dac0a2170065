"""Refuses overrides that add a top-level entry which nobody reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from optplan.errors import ConfigError, did_you_mean, listed, quoted

Settable = Callable[[Mapping[str, Any]], frozenset[str]]

_SECTIONS = ("optim_wrapper.optimizer", "optimizer")
# The options of an optimizer that are most often set.
_OPTIONS = frozenset({"lr", "weight_decay", "momentum", "betas", "eps", "nesterov", "type"})
_DEEPEST = 8
_MOST_SEEN = 10_000


def refuse_dead(data: Mapping[str, Any], path: str, known: frozenset[str]) -> None:
    """Raise where an override adds a top-level entry that nobody reads.

    Args:
        data: The config before the overrides.
        path: What the override sets: ``lr``, ``optimizer.lr``.
        known: The entries that are read at the top level; with a dot at the end, sections that may be added.

    Raises:
        ConfigError: It is such an override.
    """
    if "." in path or path in data or path == "_delete_":
        return
    if path not in known:
        raise ConfigError(
            f"the config has no {quoted(path)}, and nothing would read it",
            hint=_hint(data, path, known),
        )


def _hint(data: Mapping[str, Any], path: str, known: frozenset[str]) -> str:
    """Say what can be set: an entry of that name further down, a name that looks like it, or what there is."""
    if found := _paths_like(data, path):
        return f"did you mean {' or '.join(map(quoted, found))}?"
    whole = sorted(one for one in known if not one.endswith("."))
    near = did_you_mean(path, dict.fromkeys([*data, *whole]))
    return near or f"what it has can be set, and what stands below: {listed(list(data), most=10)}"


def _paths_like(data: Mapping[str, Any], path: str) -> list[str]:
    """Return up to three paths that end as the given one does, those of the optimizer first."""
    found = [one for one in _paths(data) if one.endswith(f".{path}")]
    if path in _OPTIONS and not any(one.startswith(_SECTIONS) for one in found):
        found += [f"{one}.{path}" for one in _SECTIONS if _holds_section(data, one)][:1]
    found.sort(key=lambda one: (not one.startswith(_SECTIONS), one.count(".")))
    return found[:3]


def _holds_section(data: Any, path: str) -> bool:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    return isinstance(data, Mapping)


def _paths(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of the entries of a config, the nearest first; of a large one the first ones."""
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    for _ in range(_MOST_SEEN):
        if not waiting:
            return
        path, value, depth = waiting.pop(0)
        if path:
            yield path
        if depth == _DEEPEST:
            continue
        start = f"{path}." if path else ""
        if isinstance(value, Mapping):
            waiting += [(f"{start}{name}", one, depth + 1) for name, one in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(f"{start}{at}", one, depth + 1) for at, one in enumerate(value)]
