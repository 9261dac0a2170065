"""Files of LightningCLI, which are told from others and not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.placed import place_of
from optplan.errors import ConfigError

_CLASS = "class_path"


def refuse_cli_file(data: Mapping[str, Any]) -> None:
    """Refuse a file of LightningCLI, whose model or optimizer has a ``class_path``.

    Raises:
        ConfigError: It is one.
    """
    parts = {name: data.get(name) for name in ("model", "optimizer", "data")}
    found = next(
        (n for n, one in parts.items() if isinstance(one, Mapping) and _CLASS in one), None
    )
    if found is None or not data.keys() & {"model", "trainer", "seed_everything"}:
        return
    model = parts["model"]
    module, _, name = (
        str(model.get(_CLASS)).rpartition(".") if isinstance(model, Mapping) else ("",) * 3
    )
    raise ConfigError(
        "it is a file of LightningCLI, which is not read",
        place=place_of(data, found),
        hint=f"name the module, with what it takes in -k NAME=VALUE: {module or 'lit.py'}:{name or 'LitNet'}",
    )
