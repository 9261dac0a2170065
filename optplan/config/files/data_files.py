"""JSON, YAML and TOML configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.loader import placing_errors
from optplan.config.placed import PlacedDict, place_of
from optplan.config.substitution import substituted
from optplan.errors import ConfigError
from optplan.places import Place

if TYPE_CHECKING:
    from optplan.config.limits import StepCounter
    from optplan.config.loader import Loader
    from optplan.config.locations import ConfigLocation
    from optplan.config.placed import File


def load_data(loader: Loader, file: File, location: ConfigLocation) -> PlacedDict:
    """Return the entries of a data file, merged into those of its bases.

    Raises:
        ConfigError: It is malformed, no mapping, or larger than a config can be.
    """
    if "{{" in file.text:
        with placing_errors(file.source):
            file = substituted(file, location.path)
    data = _read(file, location.path, loader.steps)
    if not isinstance(data, PlacedDict):
        place = Place(file.source, 0, 0)
        raise ConfigError("a config is a mapping of names to values", place=place)
    for key in data:
        if not isinstance(key, str):
            place = place_of(data, key) or Place(file.source, 0, 0)
            raise ConfigError(f"the key {key!r} is not a text", place=place, hint="quote it")
    base = loader.bases(data.get("_base_", []), data.raw_places.get("_base_"), location, file)
    return loader.merged(data, base, file)


def _read(file: File, path: str, steps: StepCounter) -> Any:
    if path.endswith(".json"):
        from optplan.config.files.json_files import read_json

        return read_json(file)
    if path.endswith(".toml"):
        from optplan.config.files.toml_files import read_toml

        return read_toml(file)
    from optplan.config.files.yaml_files import read_yaml

    return read_yaml(file, steps)
