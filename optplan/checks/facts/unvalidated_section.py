"""The optimizer section as it is written, for checks that must also work where it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optplan.checks.facts.known_constructors import (
    KnownConstructor,
    known_by_rules,
    known_constructor,
    known_of_mmcv1,
)
from optplan.config import Config, SectionForm, Symbol, place_of
from optplan.dialects import dialect_of
from optplan.places import Place
from optplan.rules import RuleSet

_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class RawSection:
    """The section without any validation; what is of a wrong type is taken as empty.

    Args:
        config: The config.
        form: The generation of the format.
        outer: The dict that holds ``paramwise_cfg`` and ``constructor``.
        optimizer: The dict that holds the optimizer's arguments.
        followed: The rules that its constructor was found to follow; None where none was looked for.
        name: Its name among several sections.
    """

    config: Config
    form: SectionForm
    outer: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    followed: RuleSet | None = None
    name: str | None = None

    @property
    def is_mmcv1(self) -> bool:
        """Whether mmcv 1.x reads it."""
        return not dialect_of(self.config).has_wrapper

    @property
    def where(self) -> str:
        """The section, as a config path."""
        is_newer = "optim_wrapper" in self.config.data and not self.is_mmcv1
        outer = "optim_wrapper" if is_newer else "optimizer"
        return outer if self.name is None else f"{outer}.{self.name}"

    @property
    def path(self) -> str:
        """Where ``paramwise_cfg`` stands, as a config path."""
        return f"{self.where}.paramwise_cfg"

    @cached_property
    def paramwise(self) -> Mapping[str, Any]:
        """``paramwise_cfg`` as written."""
        return _mapping(self.outer.get("paramwise_cfg"))

    @cached_property
    def custom_keys(self) -> Mapping[Any, Any]:
        """The custom keys as written."""
        return _mapping(self.paramwise.get("custom_keys"))

    @property
    def optimizer_path(self) -> str:
        """Where the optimizer's arguments stand, as a config path."""
        return self.where if self.form is SectionForm.OPTIMIZER else f"{self.where}.optimizer"

    @property
    def has_decay(self) -> bool:
        """Whether the optimizer sets a weight decay."""
        return self.optimizer.get("weight_decay") is not None

    @cached_property
    def known(self) -> KnownConstructor | None:
        """What is known of its constructor; None for one that is not known."""
        if self.followed is not None:
            return known_by_rules(self.followed)
        if self.is_mmcv1:
            return known_of_mmcv1(self.outer.get("constructor"))
        return known_constructor(
            self.outer.get("constructor"),
            self.config.data.get("default_scope"),
            self.paramwise,
            has_imports=bool(self.config.data.get("custom_imports")),
        )

    @cached_property
    def optimizer_type(self) -> str:
        """The optimizer's name; '' where it has none."""
        kind = self.optimizer.get("type")
        return str(kind) if isinstance(kind, str | Symbol) else ""

    @property
    def constructor_place(self) -> Place | None:
        """Where the constructor is named."""
        return place_of(self.outer, "constructor")

    def key_fields(self) -> Iterator[tuple[str, str, Mapping[Any, Any]]]:
        """Yield every field of every custom key: the key, the field, and the dict that it stands in."""
        for key, fields in self.custom_keys.items():
            if isinstance(key, str) and isinstance(fields, Mapping):
                for name in fields:
                    if isinstance(name, str):
                        yield key, name, fields


def raw_section(config: Config) -> RawSection | None:
    """Return the section of a config, None where there is none, several, or one of another form."""
    dialect, data = dialect_of(config), config.data
    if not dialect.has_paramwise or dialect.named_sections(data):
        return None
    if dialect.has_wrapper and isinstance(wrapper := data.get("optim_wrapper"), Mapping):
        return RawSection(
            config=config,
            form=SectionForm.WRAPPER,
            outer=wrapper,
            optimizer=_mapping(wrapper.get("optimizer")),
        )
    is_alone = not dialect.has_wrapper or "optim_wrapper" not in data
    if is_alone and isinstance(optimizer := data.get("optimizer"), Mapping):
        return RawSection(
            config=config, form=SectionForm.OPTIMIZER, outer=optimizer, optimizer=optimizer
        )
    return None


def raw_section_named(config: Config, name: str) -> RawSection:
    """Return one of several sections."""
    has_wrapper, data = dialect_of(config).has_wrapper, config.data
    sections = data.get("optim_wrapper" if has_wrapper else "optimizer", data.get("optimizer"))
    assert isinstance(sections, Mapping)
    if name in sections:
        outer = sections[name]
    else:  # a key that is no text
        outer = next(value for key, value in sections.items() if str(key) == name)
    is_wrapper = "optimizer" in outer
    return RawSection(
        config=config,
        form=SectionForm.WRAPPER if is_wrapper else SectionForm.OPTIMIZER,
        outer=outer,
        optimizer=_mapping(outer["optimizer"]) if is_wrapper else outer,
        name=name,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _EMPTY
