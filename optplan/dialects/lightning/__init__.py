"""Files of LightningCLI, which are told from others and not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from optplan.config.placed import place_of
from optplan.config.recognition import Recognition
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder

_CLASS = "class_path"


class LightningCli(Dialect):
    """Files whose model, optimizer or data has a ``class_path``; the module itself is planned instead."""

    name = "lightning"
    title = "LightningCLI"

    def recognize(self, data: Entries) -> Recognition | None:
        parts = [name for name in ("model", "optimizer", "data") if _has_class(data.get(name))]
        if not parts or not data.keys() & {"model", "trainer", "seed_everything"}:
            return None
        return self.recognized(*parts)

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        return True

    def section_names(self, config: Config) -> list[str]:
        _refuse(config.data)

    def read(self, config: Source) -> OptimizerConfig:
        _refuse(entries_of(config))

    def model(self, config: Config) -> NoReturn:
        _refuse(config.data)

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        _refuse(entries_of(request.config))


def _has_class(part: object) -> bool:
    return isinstance(part, Mapping) and _CLASS in part


def _refuse(data: Entries) -> NoReturn:
    found = next(name for name in ("model", "optimizer", "data") if _has_class(data.get(name)))
    model = data["model"][_CLASS] if _has_class(data.get("model")) else ""
    module, _, name = str(model).rpartition(".")
    raise ConfigError(
        "it is a file of LightningCLI, which is not read",
        place=place_of(data, found),
        hint=f"name the module, with what it takes in -k NAME=VALUE: {module or 'lit.py'}:{name or 'LitNet'}",
    )
