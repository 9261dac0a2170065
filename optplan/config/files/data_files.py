"""JSON, YAML and TOML configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optplan.config.limits import Budget
    from optplan.config.placed import File


def read(file: File, extension: str, budget: Budget) -> Any:
    """The data of a file, by its extension.

    Args:
        file: The file.
        extension: Its extension.
        budget: What building the data goes to.

    Raises:
        ConfigError: It is malformed, or larger than a config can be.
    """
    if extension == ".json":
        from optplan.config.files.json_files import read_json

        return read_json(file)
    if extension == ".toml":
        from optplan.config.files.toml_files import read_toml

        return read_toml(file)
    from optplan.config.files.yaml_files import read_yaml

    return read_yaml(file, budget)
