"""Let Hydra compose a list of defaults, where it is installed."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optplan.config.limits import Refusal
from optplan.config.placed import deep_merged, place_of, placed_dict
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
    chosen = {name for name in _groups(data) if isinstance(data.get(name), str)}
    own = {name: data[name] for name in data if name not in {DEFAULTS, "hydra", *chosen}}
    return deep_merged(made, placed_dict(own.items(), getattr(data, "raw_places", {})))


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

    from optplan.dialects.hydra.bounds import bounded_reading

    groups = _groups(data)
    chosen = [f"{name}={data[name]}" for name in groups if isinstance(data.get(name), str)]
    chosen += ["~hydra"] if "hydra" in groups else []  # its logging, which may take plugins
    folder, others = os.path.abspath(file.parent), _search_path(data)
    if others:
        chosen.append(f"hydra.searchpath={json.dumps([f'file://{one}' for one in others])}")
    try:
        with (
            warnings.catch_warnings(),
            initialize_config_dir(folder, version_base=None),
            bounded_reading((folder, *others)),
        ):
            warnings.simplefilter("ignore")  # on the order of old files
            made = compose(file.stem, overrides=chosen)
    except Refusal as error:
        raise ConfigError(error.message, place=place_of(data, DEFAULTS), hint=error.hint) from None
    except Exception as error:  # Hydra has many errors, and those of the files as well
        text = " ".join(str(error).split())
        raise ConfigError(
            f"Hydra cannot compose it: {text}", place=place_of(data, DEFAULTS)
        ) from error
    found: Any = OmegaConf.to_container(made, resolve=False)
    return {str(name): value for name, value in found.items()}


def _search_path(data: Mapping[str, Any]) -> list[str]:
    """Return the folders that are searched beside the file's own, as Hydra's ``--config-dir`` is.

    Raises:
        ConfigError: One is no folder by its name: a package that is named would be imported.
    """
    hydra = data.get("hydra", {})
    given = hydra.get("searchpath") if isinstance(hydra, Mapping) else str(hydra)
    named = [given] if isinstance(given, str) else given or []
    folders = [str(one).removeprefix("file://") for one in named]
    if any("://" in one or "${" in one for one in folders):
        raise ConfigError(
            "'hydra.searchpath' is read where it names folders alone",
            place=place_of(hydra, "searchpath") or place_of(data, "hydra"),
            hint="name the folder: --set hydra.searchpath=FOLDER",
        )
    return [os.path.abspath(one) for one in folders]
