"""Merge the files that ``__include__`` names below those that name them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optplan.config.loader import INCLUDE
from optplan.config.loading import load_config
from optplan.config.placed import PlacedDict, place_of, placed_dict
from optplan.errors import ConfigError

_DEEPEST = 8


def with_includes(data: Mapping[str, Any], depth: int = 0) -> Mapping[str, Any]:
    """Return the entries of a file on top of those of the files that it includes, mapping by mapping.

    Args:
        data: The file's entries, which know the file.
        depth: How many files include it already.

    Raises:
        ConfigError: A file is not there, is none of YAML, or is included by itself.
    """
    words, place = data.get(INCLUDE), place_of(data, INCLUDE)
    if not isinstance(words, list) or place is None:
        return data
    if place.source.path is None or not Path(place.source.path).is_file():
        raise ConfigError(
            "the config includes others, which are read from a folder alone",
            place=place,
            hint="name the file as it lies in its folder",
        )
    if depth == _DEEPEST:
        raise ConfigError("too many files include each other", place=place)
    below = placed_dict((), {})
    for at, word in enumerate(words):
        file = os.path.join(os.path.dirname(place.source.path), os.path.expanduser(str(word)))
        if not file.endswith((".yml", ".yaml")) or not Path(file).is_file():
            raise ConfigError(
                f"it includes '{word}', and there is no such file",
                place=place_of(words, at) or place,
            )
        below = _merged(below, with_includes(load_config(file).data, depth + 1))
    return _merged(below, data)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> PlacedDict:
    places = {**getattr(below, "raw_places", {}), **getattr(above, "raw_places", {})}
    values = dict(below)
    for name, value in above.items():
        lower = values.get(name)
        both = isinstance(value, Mapping) and isinstance(lower, Mapping)
        values[name] = _merged(lower, value) if both and isinstance(lower, Mapping) else value
    return placed_dict(values.items(), places)
