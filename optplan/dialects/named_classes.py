"""Share what dialects need whose files name classes with their arguments, as ``_target_`` or ``type``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from optplan.config.placed import PlacedDict, place_of, placed_dict
from optplan.config.regex_groups import RegexGroups, RegexOptimizer
from optplan.names import Matcher
from optplan.places import Place
from optplan.schedule.type_names import TORCH_HOME
from optplan.schedule.written import Written

# A number that YAML 1.1 takes for text since it has no dot, or no sign: 1e-4.
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def section_at(data: Mapping[str, Any], path: str) -> Any:
    """Return what stands at ``a.b``, the whole for ''; None where there is nothing."""
    found: Any = data
    for part in filter(None, path.split(".")):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def arguments_of(section: Mapping[str, Any], left_out: Collection[str]) -> PlacedDict:
    """Return the arguments in a section, which know their places; texts that are numbers elsewhere as numbers.

    Args:
        section: The section.
        left_out: Its entries that are none.
    """
    given = {name: _value(value) for name, value in section.items() if name not in left_out}
    return placed_dict(given.items(), getattr(section, "raw_places", {}))


def _value(value: Any) -> Any:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, list):
        return tuple(map(_value, value))  # betas, as the class has them
    return value


def one_class(
    dialect: str,
    kind: str,
    arguments: PlacedDict,
    place: Place | None,
    *,
    takes_frozen: bool = False,
) -> RegexGroups:
    """Return an optimizer that gets all parameters in one group.

    Args:
        dialect: Whose form it is.
        kind: Its class.
        arguments: Its arguments, which know their places.
        place: Where its class is written.
        takes_frozen: Whether it gets those that are not trainable, too.
    """
    name = kind.removeprefix("torch.optim.")
    optimizer = RegexOptimizer(
        type=name, place=place, arguments=arguments, written=arguments, names={}
    )
    return RegexGroups(
        dialect=dialect,
        matcher=Matcher.SEARCH,
        groups=(),
        optimizers=(optimizer,),
        place=place,
        takes_frozen=takes_frozen,
        entry="optimizer",
    )


def torch_scheduler(
    kind: str,
    section: Mapping[str, Any],
    arguments: Mapping[str, Any],
    name: str,
    *,
    by_epoch: bool = True,
) -> Written:
    """Return a scheduler of torch's that a section names, by its import path or its bare name.

    Args:
        kind: Its class.
        section: The section.
        arguments: Its arguments.
        name: The entry of the section that names the class.
        by_epoch: Whether it is stepped after each epoch.
    """
    raw = placed_dict(
        {**arguments, "by_epoch": by_epoch}.items(), getattr(section, "raw_places", {})
    )
    dotted = kind if "." in kind else f"{TORCH_HOME}.{kind}"
    return Written(kind=dotted, raw=raw, place=place_of(section, name))
