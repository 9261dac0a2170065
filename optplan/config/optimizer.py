"""An optimizer section as typed data, and the validation of one in OpenMMLab's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from optplan.config.paramwise import (
    FIELDS,
    FIELDS_OF_MMCV1,
    MULTIPLIERS,
    MULTIPLIERS_OF_MMCV1,
    described,
    parse_paramwise,
    rate_problem,
)
from optplan.config.placed import place_of, placed_dict
from optplan.config.recognition import Recognition
from optplan.config.symbols import Symbol
from optplan.errors import ConfigError, Problem, close_matches
from optplan.places import Place

WRAPPER = "optim_wrapper"
OPTIMIZER = "optimizer"
# The generation whose rules are older.
MMCV1 = "mmcv1"
# One class under both its names: the older generation's and the newer's.
DEFAULT_CONSTRUCTORS = ("DefaultOptimizerConstructor", "DefaultOptimWrapperConstructor")


class SectionForm(StrEnum):
    """The two generations of the format, by the name of the section."""

    WRAPPER = "optim_wrapper"
    OPTIMIZER = "optimizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """The optimizer section, whichever way it was written.

    Args:
        form: The generation of the format.
        type: Registered name, import path or symbol of the optimizer; from Python its class, too.
            ``None`` only where a constructor of another package is named, which may read a section of
            another form.
        optimizer: The dict that holds the optimizer's ``type`` and every argument of its class.
        paramwise: ``paramwise_cfg`` as written, ``{}`` where it is missing.
        constructor: The constructor's name or symbol; ``None`` for the default one.
        wrapper: The other entries of ``optim_wrapper`` (``type``, ``clip_grad``, ...).
        places: Where the section's own entries stand: ``type``, ``constructor``, ``paramwise_cfg``.
        has_optimizer: Whether ``optim_wrapper`` holds an ``optimizer``.
        has_paramwise: Whether ``paramwise_cfg`` is written.
        recipe: What its dialect read, where that is another form; its rules are not those of any constructor.
        layer_decay: The argument that is a rate of layer decay, where its dialect has one.
        applies_lr_scale: The schedulers of its trainer multiply the lr of groups by their ``lr_scale``.
        recognized: The generation of OpenMMLab's trainers that it is for, with what tells it; None for others.
    """

    form: SectionForm
    type: str | Symbol | type | None
    optimizer: Mapping[str, Any]
    paramwise: Mapping[str, Any]
    constructor: str | Symbol | None
    wrapper: Mapping[str, Any]
    places: Mapping[str, Place | None]
    has_optimizer: bool = True
    has_paramwise: bool = True
    recipe: Any = None
    layer_decay: str | None = None
    applies_lr_scale: bool = False
    recognized: Recognition | None = None

    @property
    def is_mmcv1(self) -> bool:
        """Whether it is for mmcv 1.x."""
        return is_mmcv1(self.recognized)

    @property
    def is_default(self) -> bool:
        """Whether it names the default constructor, or none."""
        return is_default(self.constructor, self.recognized)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments for the optimizer's class."""
        no_arguments = ("type", "_scope_", *SECTION_KEYS)
        return {k: v for k, v in self.optimizer.items() if k not in no_arguments}

    @property
    def base_lr(self) -> float | None:
        """The optimizer's own lr, ``None`` where the config sets none."""
        value: float | None = self.optimizer.get("lr")
        return value

    @property
    def base_weight_decay(self) -> float | None:
        """The optimizer's own weight decay, ``None`` where the config sets none."""
        value: float | None = self.optimizer.get("weight_decay")
        return value


NO_SECTION = OptimizerConfig(
    form=SectionForm.OPTIMIZER,
    type=None,
    optimizer={},
    paramwise={},
    constructor=None,
    wrapper={},
    places={"type": None, "constructor": None, "paramwise_cfg": None},
)


def section_of_recipe(
    recipe: object,
    *,
    kind: str,
    arguments: Mapping[str, Any],
    place: Place | None,
    written: Mapping[str, Any] | None = None,
    **known: Any,
) -> OptimizerConfig:
    """Return what another form than ``paramwise_cfg`` says as a section.

    Args:
        recipe: What was read of that form.
        kind, arguments: The optimizer's type and arguments.
        place: Where its type is written.
        written: The dict that the arguments stand in, for their places.
        known: Further fields of the section.
    """
    return replace(
        NO_SECTION,
        type=kind,
        optimizer=placed_dict(
            {"type": kind, **arguments}.items(), getattr(written, "raw_places", {})
        ),
        places={**NO_SECTION.places, "type": place},
        has_paramwise=False,
        recipe=recipe,
        **known,
    )


SECTION_KEYS = ("optimizer", "paramwise_cfg", "constructor")


def validated_section(
    form: SectionForm,
    section: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    outer: Mapping[str, Any],
    problems: list[Problem],
    recognized: Recognition | None,
) -> OptimizerConfig:
    """Return a section as typed data.

    Args:
        form: The form that it has.
        section: What holds the constructor and ``paramwise_cfg``.
        optimizer: What holds the optimizer's type and arguments.
        outer: The other entries of ``optim_wrapper``.
        problems: What is wrong with it already.
        recognized: The generation that it is for, with what tells it; None for neither.

    Raises:
        ConfigError: Every mistake in it.
    """
    kind = optimizer.get("type")
    constructor, paramwise = section.get("constructor"), section.get("paramwise_cfg")
    takes_default = is_default(constructor, recognized)
    if not isinstance(kind, str | Symbol | type) or not kind:
        if takes_default or "type" in optimizer:
            problems.append(_bad_type(optimizer, kind, section))
        kind = None
    problems += [
        problem
        for name in ("lr", "weight_decay")
        if optimizer.get(name) is not None and (problem := rate_problem(optimizer, name))
    ]
    if paramwise is not None and not isinstance(paramwise, Mapping):
        problems.append(_of_other_type(section, "paramwise_cfg", "a dict"))
    if constructor is not None and not isinstance(constructor, str | Symbol):
        problems.append(_of_other_type(section, "constructor", "a name"))
    if takes_default:
        problems += _paramwise_problems(paramwise, optimizer, recognized)
    if problems:
        raise ConfigError(sorted(problems, key=_by_place))
    return OptimizerConfig(
        form=form,
        type=kind,
        optimizer=optimizer,
        paramwise=paramwise if paramwise is not None else {},
        constructor=constructor,
        wrapper=outer,
        places={
            "type": place_of(optimizer, "type"),
            "constructor": place_of(section, "constructor"),
            "paramwise_cfg": place_of(section, "paramwise_cfg"),
        },
        has_optimizer=form is SectionForm.OPTIMIZER or OPTIMIZER in section,
        has_paramwise=paramwise is not None,
        recognized=recognized,
    )


def _of_other_type(section: Mapping[str, Any], name: str, wanted: str) -> Problem:
    return Problem(
        message=f"{name} must be {wanted}, got {described(section[name])}",
        place=place_of(section, name),
    )


def _paramwise_problems(
    paramwise: object, optimizer: Mapping[str, Any], recognized: Recognition | None
) -> list[Problem]:
    """Return what the default constructor refuses of ``paramwise_cfg``."""
    is_older = is_mmcv1(recognized)
    return parse_paramwise(
        paramwise if isinstance(paramwise, Mapping) else {},
        has_weight_decay=optimizer.get("weight_decay") is not None,
        multipliers=MULTIPLIERS_OF_MMCV1 if is_older else MULTIPLIERS,
        fields=FIELDS_OF_MMCV1 if is_older else FIELDS,
    )[1]


def is_default(constructor: object, recognized: Recognition | None) -> bool:
    """Return whether what names a constructor means the default one."""
    names = DEFAULT_CONSTRUCTORS[:1] if is_mmcv1(recognized) else DEFAULT_CONSTRUCTORS
    return constructor is None or constructor in names


def is_mmcv1(found: Recognition | None) -> bool:
    """Return whether a section is for mmcv 1.x."""
    return found is not None and found.dialect == MMCV1


def misspelt(data: Mapping[str, Any], *wanted: str) -> str | None:
    """Return a hint to rename the entry that looks like what is missing; None where there is none."""
    for key in map(str, data):
        if found := close_matches(key, wanted, most=1):
            return f"rename {key!r} to {found[0]!r}"
    return None


def _bad_type(optimizer: Mapping[str, Any], kind: object, section: Mapping[str, Any]) -> Problem:
    if "type" in optimizer:
        return Problem(
            message=f"the optimizer's type must be a name, got {described(kind)}",
            place=place_of(optimizer, "type"),
        )
    return Problem(
        message="the optimizer has no 'type'",
        place=next((place_of(d, k) for d in (optimizer, section) for k in d), None),
        hint=misspelt(optimizer, "type") or "write type='SGD', or another optimizer's name",
    )


def _by_place(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return (place.source.name, place.line, place.column) if place else ("", 0, 0)
