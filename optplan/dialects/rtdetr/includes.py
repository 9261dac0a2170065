"""Merge the files that ``__include__`` names below those that name them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optplan.config.limits import MAX_FILE_BYTES
from optplan.config.loader import INCLUDE
from optplan.config.loading import load_config
from optplan.config.placed import deep_merged, place_of, placed_dict
from optplan.errors import ConfigError
from optplan.places import Place

_MOST = 100


def with_includes(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entries of a file on top of those of the files that it includes, mapping by mapping.

    Args:
        data: The file's entries, which know the file.

    Raises:
        ConfigError: A file is not there, is none of YAML, is included by itself, or there are too many.
    """
    return _Includes().below(data)


class _Includes:
    """The files that one includes, each read and merged once."""

    def __init__(self) -> None:
        self._merged: dict[str, Mapping[str, Any] | None] = {}  # None while it is being merged
        self._characters = 0

    def below(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the entries of a file on top of those of its own includes."""
        words, place = data.get(INCLUDE), place_of(data, INCLUDE)
        if not isinstance(words, list) or place is None:
            return data
        if place.source.path is None or not Path(place.source.path).is_file():
            raise ConfigError(
                "the config includes others, which are read from a folder alone",
                place=place,
                hint="name the file as it lies in its folder",
            )
        folder = os.path.dirname(place.source.path)
        self._merged[os.path.realpath(place.source.path)] = None
        merged: Mapping[str, Any] = placed_dict((), {})
        for at, word in enumerate(words):
            file = os.path.join(folder, os.path.expanduser(str(word)))
            merged = deep_merged(merged, self._included(file, word, place_of(words, at) or place))
        return deep_merged(merged, data)

    def _included(self, file: str, word: object, place: Place) -> Mapping[str, Any]:
        if not file.endswith((".yml", ".yaml")) or not Path(file).is_file():
            raise ConfigError(f"it includes '{word}', and there is no such file", place=place)
        name = os.path.realpath(file)
        if name not in self._merged:
            data = load_config(file).data
            self._characters += os.path.getsize(file)
            if len(self._merged) >= _MOST or self._characters > MAX_FILE_BYTES:
                raise ConfigError("it includes more than can be read", place=place)
            self._merged[name] = self.below(data)
        found = self._merged[name]
        if found is None:
            raise ConfigError(f"'{word}' includes itself", place=place)
        return found
