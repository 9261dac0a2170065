"""Read the ``groups`` of fairseq2's recipes.

As read in its repository: each parameter, frozen or not, goes to the first group one of whose patterns is
its name or matches from its beginning; what no group takes keeps the section's own values. A group that
gets none is made all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from optplan.config.fields import Is, entries_of, field_problems, pattern_of, with_numbers
from optplan.config.paramwise import described
from optplan.config.placed import place_of
from optplan.config.regex_groups import Pattern, RegexGroup, RegexGroups, RegexOptimizer
from optplan.errors import ConfigError, Problem, did_you_mean
from optplan.names import Matcher
from optplan.places import Place

_ADAMW = MappingProxyType(
    {"lr": Is.NUMBER, "betas": Is.NUMBERS, "eps": Is.NUMBER, "weight_decay": Is.NUMBER}
)
_ADAFACTOR = MappingProxyType(
    {
        "lr": Is.NUMBER,
        "beta2_decay": Is.NUMBER,
        "eps": Is.NUMBERS,
        "d": Is.NUMBER,
        "weight_decay": Is.NUMBER,
    }
)
_FLAGS = ("amsgrad", "maximize", "capturable", "differentiable")
# By name: the class, what a group may set, what else the section may, and the defaults.
_KNOWN: Mapping[str, tuple[str, Mapping[str, Is], Mapping[str, Is], Mapping[str, Any]]] = (
    MappingProxyType(
        {
            "adamw": (
                "AdamW",
                _ADAMW,
                {**dict.fromkeys(_FLAGS, Is.FLAG), "impl": Is.TEXT},
                {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
            ),
            "adafactor": (
                "TorchAdafactor",
                _ADAFACTOR,
                {"maximize": Is.FLAG, "foreach": Is.FLAG},
                {
                    "lr": 1e-2,
                    "beta2_decay": -0.8,
                    "eps": (None, 0.001),
                    "d": 1.0,
                    "weight_decay": 0.0,
                },
            ),
        }
    )
)
_LEFT_TO = "default"  # as a value it leaves an entry of a group to the section
_OUTER = MappingProxyType({"name": Is.TEXT, "config": Is.MAPPING})


def read_fairseq2(section: Mapping[str, Any]) -> RegexGroups:
    """Return a section with ``name`` and ``config``, whose ``groups`` are the groups.

    A recipe's file may leave out the name, and values of the config: they are those of the recipe's code.

    Raises:
        ConfigError: Every mistake in it.
    """
    problems = list(field_problems(section, _OUTER, "fairseq2's optimizer", None))
    name = section.get("name", "adamw")
    config = section.get("config", {})
    if not problems and name not in _KNOWN:
        hint = did_you_mean(name, _KNOWN) or f"fairseq2 has {' and '.join(_KNOWN)}"
        problems.append(
            Problem(
                message=f"there is no optimizer {name!r} in fairseq2",
                place=place_of(section, "name"),
                hint=hint,
            )
        )
    if problems:
        raise ConfigError(problems)
    kind, of_group, of_section, defaults = _KNOWN[name]
    all_kinds = {**of_group, **of_section, "groups": Is.ANYTHING}
    config = with_numbers(config, all_kinds)
    problems += field_problems(config, all_kinds, f"{name}'s config", None)
    written = config.get("groups")
    entries = entries_of(config, "groups", problems) if written is not None else []
    groups = tuple(_group(entry, place, of_group, problems) for entry, place in entries)
    if problems:
        raise ConfigError(problems)
    given = {k: _plain(v) for k, v in config.items() if k not in ("groups", "impl")}
    return RegexGroups(
        dialect="fairseq2",
        matcher=Matcher.PREFIX,
        groups=groups,
        optimizers=(
            RegexOptimizer(
                type=kind,
                place=place_of(section, "name"),
                arguments={**defaults, **given},
                written=config,
                names={},
            ),
        ),
        place=place_of(config, "groups") or place_of(section, "config"),
        takes_frozen=True,
        keeps_empty=True,
        unset=tuple(k for k in of_group if k not in given) if _is_partial(section, given) else (),
    )


def _is_partial(section: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Return whether a section overrides that of a recipe, whose code sets the rest."""
    return "name" not in section or not given.keys() >= {"lr", "weight_decay"}


def _group(
    entry: Mapping[str, Any], place: Place | None, kinds: Mapping[str, Is], problems: list[Problem]
) -> RegexGroup:
    entry = with_numbers(entry, kinds)
    own = {k: v for k, v in entry.items() if v != _LEFT_TO}
    all_kinds = {**kinds, "params": Is.ANYTHING}
    problems += field_problems(entry, all_kinds, "a group", place, unset=_LEFT_TO)
    own.pop("params", None)
    return RegexGroup(
        patterns=_patterns(entry, place, problems),
        place=place,
        entries={k: _plain(v) for k, v in own.items()},
        places={k: place_of(entry, k) for k in own},
    )


def _patterns(
    entry: Mapping[str, Any], place: Place | None, problems: list[Problem]
) -> tuple[Pattern, ...]:
    params = entry.get("params", ".*")
    place = place_of(entry, "params") or place
    if isinstance(params, str):
        return tuple(pattern_of(params, place, problems))
    if not isinstance(params, list | tuple):
        message = f"params must be a pattern or a list of them, got {described(params)}"
        problems.append(Problem(message=message, place=place))
        return ()
    return tuple(
        pattern
        for at, one in enumerate(params)
        for pattern in pattern_of(one, place_of(params, at) or place, problems)
    )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
