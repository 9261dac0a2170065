"""Values of Hydra's files: interpolations by omegaconf, lists of defaults by Hydra itself, where these are installed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optplan.config.placed import PlacedDict, place_of, placed_dict
from optplan.config.trees import plain
from optplan.dialects.named_classes import section_at
from optplan.errors import ConfigError
from optplan.places import Place
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


def resolved(data: Mapping[str, Any], path: str) -> Any:
    """Return a section with its interpolations resolved in the whole file.

    Args:
        data: The file's entries.
        path: Where the section stands, as ``a.b``.

    Raises:
        ConfigError: An interpolation means nothing here, or omegaconf is not installed.
    """
    section = section_at(data, path)
    is_one = isinstance(section, str) and "${" in section
    inside = (section, None) if is_one else next(_interpolations(section), None)
    if inside is None:
        return section
    text, place = inside
    if find_installed("omegaconf") is None:
        raise ConfigError(
            f"{text!r} is an interpolation, which takes omegaconf",
            place=place,
            hint="pip install omegaconf",
        )
    from omegaconf import OmegaConf

    try:
        whole = OmegaConf.create(plain(data))
        part = OmegaConf.select(whole, path) if path else whole
        values: Any = part if is_one else OmegaConf.to_container(part, resolve=True)
    except Exception as error:  # omegaconf's own, and those of its resolvers
        said = str(error).strip().splitlines()
        raise ConfigError(
            f"{text!r} cannot be resolved: {said[0] if said else type(error).__name__}",
            place=place,
            hint="name the config that composes this one, or give the value: --set NAME=VALUE",
        ) from error
    return _with_places(values, section)


def _interpolations(section: Any) -> Iterator[tuple[str, Place | None]]:
    if isinstance(section, Mapping):
        items: list[tuple[Any, Any]] = list(section.items())
    elif isinstance(section, list | tuple):
        items = list(enumerate(section))
    else:
        return
    for key, value in items:
        if isinstance(value, str) and "${" in value:
            yield value, place_of(section, key)
        else:
            yield from _interpolations(value)


def _with_places(values: Any, section: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    inner = {
        name: _with_places(value, section.get(name) if isinstance(section, Mapping) else None)
        for name, value in values.items()
    }
    return placed_dict(inner.items(), getattr(section, "raw_places", {}))
