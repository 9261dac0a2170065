"""The scope and the imports by which the names in a config are looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optplan.config.loading import Config
from optplan.config.paramwise import described
from optplan.config.placed import place_of
from optplan.errors import ConfigError
from optplan.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The scope and the imports by which a class name in a config is looked up.

    Args:
        scope: The config's ``default_scope``: the package whose registries are asked.
        imports: The modules of ``custom_imports``.
        allow_failed_imports: Whether one that cannot be imported is passed over.
        imports_place: Where ``custom_imports`` is written.
        trusted: What the config names may be imported from anywhere, not from installed packages
            alone.
    """

    scope: str | None = None
    imports: tuple[str, ...] = ()
    allow_failed_imports: bool = False
    imports_place: Place | None = None
    trusted: bool = False


def find_namespace(config: Config | Mapping[str, Any]) -> Namespace:
    """Return what a config says of where its names are looked up.

    Raises:
        ConfigError: ``default_scope`` or ``custom_imports`` is not of its form.
    """
    data = config.data if isinstance(config, Config) else config
    scope = data.get("default_scope")
    if not isinstance(scope, str | None):
        raise ConfigError(
            f"default_scope must be a package's name, got {described(scope)}",
            place=place_of(data, "default_scope"),
        )
    imports, may_fail = _custom_imports(data)
    return Namespace(
        scope=scope or None,
        imports=imports,
        allow_failed_imports=may_fail,
        imports_place=place_of(data, "custom_imports"),
        trusted=isinstance(config, Config) and config.trusted,
    )


def _custom_imports(data: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    section = data.get("custom_imports")
    if section is None:
        return (), False
    if not isinstance(section, Mapping):
        raise ConfigError(
            f"custom_imports must be a dict, got {described(section)}",
            place=place_of(data, "custom_imports"),
            hint="write custom_imports=dict(imports=['package.module'])",
        )
    names = section.get("imports") or []
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise ConfigError(
            "custom_imports.imports must be a list of module names",
            place=place_of(section, "imports"),
        )
    return tuple(names), bool(section.get("allow_failed_imports", False))
