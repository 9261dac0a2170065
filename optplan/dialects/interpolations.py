"""Resolve interpolations, ``${a.b}``, by omegaconf where it is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.config.placed import place_of, placed_dict
from optplan.config.trees import plain
from optplan.dialects.expansion import refuse_expansion
from optplan.dialects.named_classes import section_at
from optplan.errors import ConfigError
from optplan.places import Place
from optplan.runtime.installed import find_installed


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
    refuse_expansion(data, path, place)
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
