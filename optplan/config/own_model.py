"""The model that a config names itself: ``model = dict(type=…)``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from optplan.config.loading import Config
from optplan.config.namespace import Namespace, find_namespace
from optplan.config.placed import place_of
from optplan.config.symbols import Symbol
from optplan.places import Place

SECTION = "model"
TIMM = "timm:"  # before the name of one of its models
PREPROCESSOR = "data_preprocessor"
_SCOPE = "_scope_"
# Where weights are read from: they change no rule, and a plan needs none.
_WEIGHTS = frozenset({"init_cfg", "pretrained", "checkpoint_path"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """A config's model section.

    Args:
        type: What names the class: a word or a symbol; from a config that was executed the class, too.
        section: The section as written.
        preprocessor: The config's ``data_preprocessor``, which the reference's runner gives the model as
            well.
        namespace: Where the names in it are looked up.
        place: Where the type is written.
        key: Equal for sections that make the same model.
    """

    type: object
    section: Mapping[str, Any]
    preprocessor: Mapping[str, Any] | None
    namespace: Namespace
    place: Place | None
    key: str

    @property
    def arguments(self) -> dict[str, Any]:
        """What the class is given, as written but for the weights."""
        arguments = without_weights(self.section)
        arguments.pop("type")
        arguments.pop(_SCOPE, None)
        return arguments

    @property
    def has_class_path(self) -> bool:
        """Whether LightningCLI makes it."""
        return "class_path" in self.section

    @property
    def name(self) -> str:
        """What a report calls the model."""
        if isinstance(self.type, Symbol):
            return self.type.name
        return getattr(self.type, "__name__", None) or str(self.type).removeprefix(TIMM)


def own_model(config: Config, section: Any) -> OwnModel | None:
    """Return the model that a config names itself, None where it names none.

    Args:
        config: The config.
        section: What its dialect says of its model, as a section.

    Raises:
        ConfigError: What says where its names are looked up is not of its form.
    """
    if not isinstance(section, Mapping) or not section.get("type"):
        return None
    namespace = find_namespace(config)
    if isinstance(scope := section.get(_SCOPE), str):
        namespace = replace(namespace, scope=scope)
    preprocessor = config.data.get(PREPROCESSOR)
    kind = section["type"]
    kept = preprocessor if isinstance(preprocessor, Mapping) else None
    where = config.entry.path or config.entry.name
    written = _written((section, kept), where)
    found_by = (namespace.scope, namespace.imports, namespace.trusted)
    return OwnModel(
        type=kind,
        section=section,
        preprocessor=kept,
        namespace=namespace,
        place=place_of(section, "type") or place_of(config.data, SECTION),
        key=f"{written} {found_by}",
    )


def without_weights(section: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a section's entries, with False or None for those that say where weights are read from."""
    return {
        key: (False if isinstance(value, bool) else None) if key in _WEIGHTS else value
        for key, value in section.items()
    }


def _written(value: object, where: str) -> str:
    """Return a value as text that two values share only where they are the same."""
    if isinstance(value, Mapping):
        entries = [(key, item) for key, item in value.items() if key not in _WEIGHTS]
        return "{" + ",".join(f"{key!r}:{_written(item, where)}" for key, item in entries) + "}"
    if isinstance(value, list | tuple):
        ends = "[]" if isinstance(value, list) else "()"
        return ends[0] + ",".join(_written(item, where) for item in value) + ends[1]
    if isinstance(value, str | int | float | complex | bytes | Symbol | None):
        return repr(value)
    # what a config made by being executed is its own
    return f"<{type(value).__name__} of {where}>"
