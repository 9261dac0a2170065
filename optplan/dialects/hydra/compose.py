"""Let Hydra compose a list of defaults, where it is installed."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optplan.config.placed import PlacedDict, place_of, placed_dict
from optplan.errors import ConfigError
from optplan.runtime.installed import find_installed

DEFAULTS = "defaults"


def has_defaults(data: Mapping[str, Any]) -> bool:
    """Return whether a file is composed of others."""
    listed = data.get(DEFAULTS)
    if not isinstance(listed, list):
        return False
    groups = [one for one in listed if isinstance(one, Mapping) and len(one) == 1]
    return bool(groups) and all(isinstance(one, str | Mapping) for one in listed)


def composed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what Hydra composes of a file and its groups, in the file's own folder.

    Entries of the file as they are now, with what the command line has set, win over what the groups say; a text in
    the place of a group chooses another one.

    Args:
        data: The file's entries, which know the file.

    Raises:
        ConfigError: Hydra is not installed, or refuses the file.
    """
    place = place_of(data, DEFAULTS)
    if not has_defaults(data) or place is None:
        return data
    if place.source.path is None or not Path(place.source.path).is_file():
        raise ConfigError(
            "the config is composed of others, which are read from a folder alone",
            place=place,
            hint="name the file as it lies in its folder",
        )
    if find_installed("hydra") is None:
        raise ConfigError(
            "the config is composed of others, which takes Hydra",
            place=place,
            hint="pip install hydra-core, or name a file that has the optimizer itself",
        )
    made = _compose(data, Path(place.source.path))
    own = {name: value for name, value in data.items() if name not in (DEFAULTS, "hydra")}
    return _merged(made, own, _groups(data))


def _groups(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the groups of a list of defaults, with the choice of each."""
    found: dict[str, Any] = {}
    for one in data[DEFAULTS]:
        if isinstance(one, Mapping):
            for name, choice in one.items():
                found[str(name).removeprefix("optional ").removeprefix("override ")] = choice
    return found


def _compose(data: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    groups = _groups(data)
    chosen = [f"{name}={data[name]}" for name in groups if isinstance(data.get(name), str)]
    chosen += ["~hydra"] if "hydra" in groups else []  # its logging, which may take plugins
    chosen += _search_path(data)
    folder = os.path.abspath(file.parent)
    try:
        with warnings.catch_warnings(), initialize_config_dir(folder, version_base=None):
            warnings.simplefilter("ignore")  # on the order of old files
            made = compose(file.stem, overrides=chosen)
    except Exception as error:  # Hydra has many errors, and those of the files as well
        text = " ".join(str(error).split())
        raise ConfigError(
            f"Hydra cannot compose it: {text}", place=place_of(data, DEFAULTS)
        ) from error
    found: Any = OmegaConf.to_container(made, resolve=False)
    return {str(name): value for name, value in found.items()}


def _search_path(data: Mapping[str, Any]) -> list[str]:
    """Return the override that adds folders to the file's own, which are Hydra's ``--config-dir``."""
    hydra = data.get("hydra")
    given = hydra.get("searchpath") if isinstance(hydra, Mapping) else None
    folders = [given] if isinstance(given, str) else given or []
    named = [one if "://" in one else f"file://{os.path.abspath(one)}" for one in map(str, folders)]
    return [f"hydra.searchpath={json.dumps(named)}"] if named else []


def _merged(
    made: Mapping[str, Any], own: Mapping[str, Any], groups: Mapping[str, Any] | None = None
) -> PlacedDict:
    """Return entries with others on top of them, mapping by mapping; the places are those of the upper ones."""
    values: dict[Any, Any] = dict(made)
    for name, value in own.items():
        below = values.get(name)
        if groups and name in groups and isinstance(value, str):
            continue
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        values[name] = _merged(below, value) if both and isinstance(below, Mapping) else value
    return placed_dict(values.items(), getattr(own, "raw_places", {}))
