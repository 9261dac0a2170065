"""Find what may move the lr of a training and is not read: hooks, other sections, other schedulers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optplan.config import place_of
from optplan.errors import close_matches
from optplan.places import Place

SECTION = "param_scheduler"
# The sections of mmcv 1.x with what each moves.
HOOK_SECTIONS: Mapping[str, str] = {"lr_config": "lr", "momentum_config": "momentum"}
_OWN_HOOK = "ParamSchedulerHook"
# Sections of other generations and other trainers, which none of optplan's readers of schedulers reads.
_SECTIONS = frozenset(
    {
        "lr_config",
        "momentum_config",
        "lr_scheduler",
        "lr_schedule",
        "lr_schedulers",
        "lr_scheduler_type",
        "scheduler",
        "schedulers",
        "deepspeed",
    }
)
# What trainers of no known kind call theirs: named where the config has no section that is read.
_LOOSE = re.compile(
    r"(lr|learning_rate)_(sched\w*|config|policy|multiplier|updater|decay|lambda)"
    r"|schedul(er|e)s?(_(cfg|config|type|name|args|kwargs|params))?|warm_?up(_\w+)?"
)
_NESTED = ("lr_config", "lr_scheduler", "lr_scheduler_type", "lr_schedule")
# Names that look like the section's and are none of its misspellings.
_OTHERS = frozenset({"param_scheduler_type", "param_groups"})
_MOVES = re.compile(
    r"(?<![a-z])lr(?![a-z])|learning_?rate|scheduler|warm_?up|weight_?decay|(?<![a-z])wd(?![a-z])"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that may move the lr, or another setting, and that is not read.

    Args:
        name: What it is, the same in every config that writes it: ``custom_hooks[0] MyLrHook``.
        place: Where it is written.
        written: Its content as plain data, by which two configs are compared.
    """

    name: str
    place: Place | None = None
    written: object = None

    def __str__(self) -> str:
        return f"{self.name} ({self.place})" if self.place else self.name


def find_unread(
    data: Mapping[str, Any], *, read: Collection[str] = (), is_read: bool | None = None
) -> tuple[Unread, ...]:
    """Return everything in a config that may move the lr and that optplan does not read.

    Args:
        data: The config's top level.
        read: The sections that are read.
        is_read: Whether the config has a schedule that is read, so that only sections of known names are
            told besides; None for whether it has ``param_scheduler``.
    """
    is_read = data.get(SECTION) is not None if is_read is None else is_read
    sections = _sections(data, read, is_read=is_read)
    return (*sections, *_default_hooks(data), *_custom_hooks(data), *_strategy(data))


def misspelt_sections(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the top-level names that were probably meant to be ``param_scheduler``."""
    for name in map(str, data):
        if name == SECTION or name in _SECTIONS - {"lr_schedulers"} or name in _OTHERS:
            continue
        if (name == "lr_schedulers" or _looks_alike(name)) and _holds_types(data[name]):
            yield name


def _looks_alike(name: str) -> bool:
    """Return whether a name is close to the section's; most names of a config are told apart at once."""
    is_near = "sched" in name.lower() or "param" in name.lower()
    return is_near and bool(close_matches(name, [SECTION], cutoff=0.8))


def _holds_types(value: object) -> bool:
    """Return whether a value is a dict with a type, or a list or a dict of such dicts."""
    if isinstance(value, Mapping):
        parts: Iterable[object] = value.values()
        return "type" in value or any(isinstance(p, Mapping) and "type" in p for p in parts)
    return isinstance(value, list | tuple) and any(
        isinstance(part, Mapping) and "type" in part for part in value
    )


def _sections(data: Mapping[str, Any], read: Collection[str], *, is_read: bool) -> Iterator[Unread]:
    misspelt = set(misspelt_sections(data))
    for name, value in data.items():
        is_loose = not is_read and bool(value) and bool(_LOOSE.fullmatch(str(name)))
        is_named = name in misspelt or name in _SECTIONS or is_loose
        if value is not None and name not in read and is_named:
            yield _unread(str(name), data, name)
        elif isinstance(value, Mapping) and not is_read:
            nested = [one for one in _NESTED if value.get(one) is not None]
            yield from (_unread(f"{name}.{one}", value, one) for one in nested)
    loop = data.get("train_cfg")
    if isinstance(loop, Mapping) and _MOVES.search(_words(_type_of(loop))):
        yield _unread(f"train_cfg {_type_of(loop)}", data, "train_cfg")


def _default_hooks(data: Mapping[str, Any]) -> Iterator[Unread]:
    hooks = data.get("default_hooks")
    for name, hook in hooks.items() if isinstance(hooks, Mapping) else ():
        path = f"default_hooks.{name}"
        kind = _type_of(hook)
        if name == SECTION:
            if hook is None:
                yield _unread(f"{path}, None: no hook steps the schedulers", hooks, name)
            elif kind not in ("", _OWN_HOOK):
                yield _unread(f"{path} {kind}", hooks, name)
        elif _may_move(hook) or (hook is not None and _MOVES.search(str(name))):
            yield _unread(f"{path} {kind}".strip(), hooks, name)


def _custom_hooks(data: Mapping[str, Any]) -> Iterator[Unread]:
    hooks = data.get("custom_hooks")
    for index, hook in enumerate(hooks) if isinstance(hooks, list | tuple) else ():
        if _may_move(hook):
            yield _unread(f"custom_hooks[{index}] {_type_of(hook)}".strip(), hooks, index)


def _strategy(data: Mapping[str, Any]) -> Iterator[Unread]:
    """Yield what a configuration of DeepSpeed holds: it may have a scheduler of its own."""
    strategy = data.get("strategy")
    if not isinstance(strategy, Mapping):
        return
    config = strategy.get("config")
    if "scheduler" in strategy:
        yield _unread("strategy.scheduler", strategy, "scheduler")
    if isinstance(config, str):
        yield _unread("strategy.config, a file of DeepSpeed's", strategy, "config")
    elif isinstance(config, Mapping) and "scheduler" in config:
        yield _unread("strategy.config.scheduler", config, "scheduler")


def _unread(name: str, container: Any, key: Any) -> Unread:
    return Unread(name=name, place=place_of(container, key), written=_plain(container[key]))


def _type_of(hook: object) -> str:
    kind = hook.get("type", "") if isinstance(hook, Mapping) else ""
    name = kind.__qualname__ if isinstance(kind, type) else str(kind)
    return name.rpartition(".")[2]


def _may_move(hook: object) -> bool:
    """Return whether a hook's type, or one of its arguments, has the lr or a schedule of it in its name."""
    if not isinstance(hook, Mapping):
        return False
    words = [_type_of(hook), *(str(name) for name in hook if name != "type")]
    return any(_MOVES.search(_words(word)) for word in words)


def _words(name: str) -> str:
    """Return a name in camel case as words in lower case."""
    return _CAMEL.sub("_", name).lower()


def _plain(value: object) -> object:
    """Return a value without its places, types and symbols as texts."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return value if is_plain else str(value)
