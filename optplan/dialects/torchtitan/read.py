"""Read torchtitan's ``param_groups``.

As read in its repository: a pattern is searched for in the name of each trainable parameter, the first
that is found takes it. At first an entry multiplied the section's lr and weight decay; later it names an
optimizer of its own with all of its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from optplan.config.fields import Is, entries_of, field_problems, pattern_of
from optplan.config.paramwise import described
from optplan.config.placed import place_of
from optplan.config.regex_groups import RegexGroup, RegexGroups, RegexOptimizer
from optplan.errors import ConfigError, Problem
from optplan.names import Matcher
from optplan.places import Place

_IMPLEMENTATION = "implementation"
_MATCHER = "matcher"
_SECTION = MappingProxyType(
    {
        "name": Is.TEXT,
        "lr": Is.NUMBER,
        "beta1": Is.NUMBER,
        "beta2": Is.NUMBER,
        "eps": Is.NUMBER,
        "weight_decay": Is.NUMBER,
        _IMPLEMENTATION: Is.TEXT,
        "early_step_in_backward": Is.FLAG,
        "param_groups": Is.ANYTHING,
        # optplan's own: for trainers that have this form and match otherwise
        _MATCHER: Is.ANYTHING,
    }
)
_GROUP = MappingProxyType(
    {
        "pattern": Is.ANYTHING,
        "lr_multiplier": Is.NUMBER,
        "weight_decay_multiplier": Is.NUMBER,
        "beta1": Is.NUMBER,
        "beta2": Is.NUMBER,
    }
)
_DEFAULTS = MappingProxyType(
    {"name": "AdamW", "lr": 8e-4, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.1}
)

_OWN_SECTION = MappingProxyType(
    {
        _IMPLEMENTATION: Is.TEXT,
        "optimizer_factory_kwargs_by_name": Is.MAPPING,
        "param_groups": Is.ANYTHING,
    }
)
_RATES = ("lr", "weight_decay", "eps", "momentum")
_OWN_GROUP = MappingProxyType(
    {"pattern": Is.ANYTHING, "optimizer_name": Is.TEXT, "optimizer_kwargs": Is.MAPPING}
)


def read_torchtitan(section: Mapping[str, Any]) -> RegexGroups:
    """Return a section with or without ``param_groups``.

    Raises:
        ConfigError: Every mistake in it.
    """
    problems: list[Problem] = []
    entries = entries_of(section, "param_groups", problems) if "param_groups" in section else []
    name_their_own = any(
        entry.keys() & {"optimizer_name", "optimizer_kwargs"} for entry, _ in entries
    )
    read = _with_own_optimizers if name_their_own else _with_multipliers
    found = read(section, entries, problems)
    if problems:
        raise ConfigError(problems)
    return found


Entries = list[tuple[Mapping[str, Any], Place | None]]


def _with_multipliers(
    section: Mapping[str, Any], entries: Entries, problems: list[Problem]
) -> RegexGroups:
    problems += field_problems(section, _SECTION, "torchtitan's optimizer", None)
    value = {**_DEFAULTS, **section}
    betas = (value["beta1"], value["beta2"])
    return RegexGroups(
        dialect="torchtitan",
        entry="param_groups",
        matcher=_matcher(section, problems),
        groups=tuple(_multiplying(entry, place, betas, problems) for entry, place in entries),
        optimizers=(
            RegexOptimizer(
                type=str(value["name"]),
                place=place_of(section, "name"),
                arguments={
                    "lr": value["lr"],
                    "betas": betas,
                    "eps": value["eps"],
                    "weight_decay": value["weight_decay"],
                },
                written=section,
                names={"betas": "beta1"},
            ),
        ),
        place=place_of(section, "param_groups") or place_of(section, "name"),
        rest_first=True,
    )


def _matcher(section: Mapping[str, Any], problems: list[Problem]) -> Matcher:
    written = section.get(_MATCHER, Matcher.SEARCH)
    words = [matcher.value for matcher in Matcher]
    if written in words:
        return Matcher(written)
    problems.append(
        Problem(
            message=f"matcher must be {', '.join(words[:-1])} or {words[-1]}, got {described(written)}",
            place=place_of(section, _MATCHER),
        )
    )
    return Matcher.SEARCH


def _multiplying(
    entry: Mapping[str, Any],
    place: Place | None,
    betas: tuple[float, float],
    problems: list[Problem],
) -> RegexGroup:
    problems += field_problems(entry, _GROUP, "a group", place)
    entries: dict[str, Any] = {}
    if entry.get("beta1") is not None or entry.get("beta2") is not None:
        own = (entry.get("beta1"), entry.get("beta2"))
        entries["betas"] = tuple(
            base if beta is None else beta for beta, base in zip(own, betas, strict=True)
        )
    return RegexGroup(
        patterns=tuple(pattern_of(*_pattern(entry, place), problems)),
        place=place,
        entries=entries,
        places={
            "lr": place_of(entry, "lr_multiplier"),
            "weight_decay": place_of(entry, "weight_decay_multiplier"),
        },
        lr_mult=entry.get("lr_multiplier", 1.0),
        decay_mult=entry.get("weight_decay_multiplier", 1.0),
    )


def _pattern(entry: Mapping[str, Any], place: Place | None) -> tuple[object, Place | None]:
    return entry.get("pattern"), place_of(entry, "pattern") or place


def _with_own_optimizers(
    section: Mapping[str, Any], entries: Entries, problems: list[Problem]
) -> RegexGroups:
    problems += field_problems(section, _OWN_SECTION, "torchtitan's optimizer", None)
    by_name: dict[str, RegexOptimizer] = {}
    groups = [_own(entry, place, section, by_name, problems) for entry, place in entries]
    return RegexGroups(
        dialect="torchtitan",
        entry="param_groups",
        matcher=Matcher.SEARCH,
        groups=tuple(groups),
        optimizers=tuple(by_name.values()),
        place=place_of(section, "param_groups"),
        has_rest=False,
        refuses_empty=True,
    )


def _own(
    entry: Mapping[str, Any],
    place: Place | None,
    section: Mapping[str, Any],
    by_name: dict[str, RegexOptimizer],
    problems: list[Problem],
) -> RegexGroup:
    """Return a group that names its optimizer; those that name the same one share it."""
    problems += field_problems(entry, _OWN_GROUP, "a group", place)
    name = entry.get("optimizer_name")
    if name is None:
        problems.append(Problem(message="the group has no optimizer_name", place=place))
    shared = section.get("optimizer_factory_kwargs_by_name") or {}
    shared = shared.get(name) or {} if isinstance(shared, Mapping) else {}
    by_name.setdefault(
        str(name),
        RegexOptimizer(
            type=str(name),
            place=place_of(entry, "optimizer_name"),
            arguments=shared,
            written=shared,
            names={},
        ),
    )
    entries = entry.get("optimizer_kwargs")
    entries = entries if isinstance(entries, Mapping) else {}
    kinds = {k: Is.NUMBER if k in _RATES else Is.ANYTHING for k in entries}
    problems += field_problems(entries, kinds, "a group", place)
    return RegexGroup(
        patterns=tuple(pattern_of(*_pattern(entry, place), problems)),
        place=place,
        entries={k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()},
        places={k: place_of(entries, k) for k in entries},
        optimizer=list(by_name).index(str(name)),
    )
