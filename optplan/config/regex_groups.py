"""Param groups by regular expressions, in the forms that trainers of language models use, as typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optplan.config.optimizer import OptimizerConfig, section_of_recipe
from optplan.names import Matcher
from optplan.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A regular expression, and where it is written."""

    text: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexGroup:
    """One entry of the list.

    Args:
        patterns: Its regular expressions; one that matches is enough.
        place: Where the entry stands.
        entries: What it sets in its group outright.
        places: Where its entries and multipliers are written, by the names of what they set.
        lr_mult, decay_mult: What it multiplies the base values by; None where it does not.
        optimizer: The index of its optimizer.
    """

    patterns: tuple[Pattern, ...]
    place: Place | None
    entries: Mapping[str, Any]
    places: Mapping[str, Place | None]
    lr_mult: float | None = None
    decay_mult: float | None = None
    optimizer: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexOptimizer:
    """One optimizer.

    Args:
        type: Its name, as for any config.
        place: Where that is written.
        arguments: The arguments of its class, the trainer's own defaults among them.
        written: The dict that the arguments stand in, for their places.
        names: By what name an argument stands there, where that is another.
    """

    type: str
    place: Place | None
    arguments: Mapping[str, Any]
    written: Mapping[str, Any]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexGroups:
    """An ordered list of groups, of which the first that matches takes a parameter.

    Args:
        dialect: Whose form it is.
        matcher: How its patterns are held against names.
        groups: The entries.
        optimizers: What they are made for; several where entries name their own.
        place: Where the list stands.
        takes_frozen: Parameters that are not trainable get into groups too.
        has_rest: What no pattern matches gets into a group of its own; else it is refused.
        rest_first: That group comes first.
        keeps_empty: A group that nothing matches is kept, without members.
        refuses_empty: A group that nothing matches is refused.
        refuses_twice: A parameter that two groups match is refused.
        unset: The values that the file leaves to the code of the recipe, of which only the trainer's own
            defaults are known.
        entry: What the list is called there.
    """

    dialect: str
    matcher: Matcher
    groups: tuple[RegexGroup, ...]
    optimizers: tuple[RegexOptimizer, ...]
    place: Place | None
    takes_frozen: bool = False
    has_rest: bool = True
    rest_first: bool = False
    keeps_empty: bool = False
    refuses_empty: bool = False
    refuses_twice: bool = False
    unset: tuple[str, ...] = ()
    entry: str = "groups"


def section_of_groups(groups: RegexGroups) -> OptimizerConfig:
    """Return the groups as an optimizer section: that of their first optimizer."""
    first = groups.optimizers[0]
    return section_of_recipe(groups, kind=first.type, arguments=first.arguments, place=first.place)
