"""Read the optimizer section of OpenMMLab's configs, in either generation of the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optplan.config.loading import Config
from optplan.config.optimizer import (
    MMCV1,
    NO_SECTION,
    OPTIMIZER,
    SECTION_KEYS,
    WRAPPER,
    OptimizerConfig,
    SectionForm,
    is_default,
    is_mmcv1,
    misspelt,
    validated_section,
)
from optplan.config.paramwise import described
from optplan.config.placed import place_of, placed_dict
from optplan.config.recognition import Recognition, chosen_dialect
from optplan.config.symbols import Symbol
from optplan.errors import ConfigError, Problem
from optplan.names import ProblemKind
from optplan.places import Place


def read_sections(data: Mapping[str, Any]) -> dict[str, OptimizerConfig]:
    """Return the optimizer sections of a config that has several by name; none where it has one.

    Raises:
        ConfigError: Every mistake in them.
    """
    outer, generation = _outer(data), generation_of(data)
    found: dict[str, OptimizerConfig] = {}
    problems: list[Problem] = []
    for name, section in named_sections(data).items():
        try:
            found[name] = (
                _from_wrapper(section, place_of(outer, name), generation)
                if OPTIMIZER in section
                else validated_section(SectionForm.OPTIMIZER, section, section, {}, [], generation)
            )
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found


def named_sections(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the sections that ``optim_wrapper`` or ``optimizer`` holds by name, as GANs have them.

    Without a constructor of its own, each is for the child of the model that it is named after.
    """
    outer = _outer(data)
    if not isinstance(outer, Mapping) or "constructor" in outer or OPTIMIZER in outer:
        return {}
    inner = {name: value for name, value in outer.items() if _is_section(value)}
    if len(inner) < len(outer) - ("type" in outer and WRAPPER in data) or misspelt(
        inner, OPTIMIZER
    ):
        return {}
    return {str(name): value for name, value in inner.items()}


def _outer(data: Mapping[str, Any]) -> Any:
    """Return what stands in the place of the optimizer section."""
    if is_mmcv1(generation_of(data)):
        return data.get(OPTIMIZER)
    return data.get(WRAPPER, data.get(OPTIMIZER))


def _is_section(value: object) -> bool:
    return isinstance(value, Mapping) and ("type" in value or OPTIMIZER in value)


def read_section(config: Config | Mapping[str, Any]) -> OptimizerConfig:
    """Validate the optimizer section of a config.

    Args:
        config: A loaded config or a dict; a dict that has a ``type`` of its own is the section itself.

    Raises:
        ConfigError: No section, or every mistake in it.

    Returns:
        The section, or one with nothing in it where :func:`read_sections` finds several.
    """
    data: Mapping[str, Any] = config.data if isinstance(config, Config) else config
    if isinstance(config, Config):
        section_name(config)
    elif WRAPPER not in config and "type" in config:
        data = {WRAPPER if OPTIMIZER in config else OPTIMIZER: config}
    else:
        _name_of_section(data, None)
    generation = generation_of(data)
    if named_sections(data):
        return replace(NO_SECTION, recognized=generation)
    if WRAPPER in data and not is_mmcv1(generation):
        return _from_wrapper(_section(data, WRAPPER), place_of(data, WRAPPER), generation)
    section = _section(data, OPTIMIZER)
    return validated_section(SectionForm.OPTIMIZER, section, section, {}, [], generation)


def section_name(config: Config) -> str:
    """Return the entry that is the optimizer section: ``optim_wrapper``, else ``optimizer``.

    Raises:
        ConfigError: There is none.
    """
    return _name_of_section(config.data, Place(config.entry, 0, 0))


def _name_of_section(data: Mapping[str, Any], entry: Place | None) -> str:
    if is_mmcv1(generation_of(data)):
        if OPTIMIZER in data:
            return OPTIMIZER
        raise ConfigError(
            "no optimizer: mmcv 1.x reads 'optimizer', and the config has 'optim_wrapper' alone",
            place=place_of(data, WRAPPER) or entry,
            hint="leave --dialect out",
        )
    for name in (WRAPPER, OPTIMIZER):
        if name in data:
            return name
    raise ConfigError(
        "no optimizer: the config defines neither 'optim_wrapper' nor 'optimizer'",
        place=entry,
        hint=misspelt(data, WRAPPER, OPTIMIZER)
        or "give it one, such as optimizer = dict(type='SGD', lr=0.1)",
    )


def _from_wrapper(
    wrapper: Mapping[str, Any], place: Place | None, generation: Recognition | None
) -> OptimizerConfig:
    if OPTIMIZER not in wrapper and is_default(wrapper.get("constructor"), generation):
        raise ConfigError(
            "'optim_wrapper' has no 'optimizer'",
            place=place,
            hint=misspelt(wrapper, OPTIMIZER) or "write optimizer=dict(type=..., lr=...) in it",
        )
    optimizer = _section(wrapper, OPTIMIZER) if OPTIMIZER in wrapper else {}
    problems = [
        Problem(
            message=f"'{name}' inside 'optim_wrapper.optimizer' reaches the optimizer class as an argument",
            place=place_of(optimizer, name),
            hint="put it beside 'optimizer', inside 'optim_wrapper'",
            kind=ProblemKind.MISPLACED,
        )
        for name in ("paramwise_cfg", "constructor")
        if name in optimizer
    ]
    kept = [(name, value) for name, value in wrapper.items() if name not in SECTION_KEYS]
    outer = placed_dict(kept, getattr(wrapper, "raw_places", {}))
    return validated_section(SectionForm.WRAPPER, wrapper, optimizer, outer, problems, generation)


def _section(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = data[name]
    if isinstance(section, Mapping):
        return section
    if section is None:
        raise ConfigError(f"no optimizer: '{name}' is None", place=place_of(data, name))
    raise ConfigError(
        f"'{name}' must be a dict, got {described(section)}",
        place=place_of(data, name),
        hint=_as_dict(section),
    )


def _as_dict(section: object) -> str | None:
    """Return the hint for a class in the place of a section."""
    if isinstance(section, Symbol):
        return f"write dict(type={section.name}, lr=...)"
    if isinstance(section, str) and section.replace(".", "").isidentifier():
        return f"write dict(type='{section}', lr=...)"
    return None


MMENGINE = "mmengine"
# What reports call them.
TITLES = {MMCV1: "mmcv 1.x", MMENGINE: "MMEngine"}

# The top-level entries that the runners of mmcv 1.x read and that MMEngine has no use for.
SIGNS_OF_MMCV1 = (
    "lr_config",
    "momentum_config",
    "optimizer_config",
    "runner",
    "total_epochs",
    "total_iters",
    "checkpoint_config",
    "log_config",
    "workflow",
    "dist_params",
)
# What only MMEngine reads; each stands for a config that was moved on.
SIGNS_OF_MMENGINE = ("optim_wrapper", "param_scheduler")
BY_OPTION = "--dialect"


def generation_of(data: Mapping[str, Any]) -> Recognition | None:
    """Return the generation of a config of one of the two, with what tells it.

    Args:
        data: Its top level.

    Returns:
        None for a config without an optimizer.
    """
    sections = tuple(name for name in ("optim_wrapper", "optimizer") if name in data)
    if not sections:
        return None
    if (chosen := chosen_dialect()) is not None:
        return _recognized(chosen, BY_OPTION)
    if newer := tuple(name for name in SIGNS_OF_MMENGINE if name in data):
        return _recognized(MMENGINE, *newer)
    if older := tuple(name for name in SIGNS_OF_MMCV1 if name in data):
        return _recognized(MMCV1, *older)
    return _recognized(MMENGINE, *sections)


def _recognized(generation: str, *because: str) -> Recognition:
    return Recognition(dialect=generation, title=TITLES[generation], because=because)
