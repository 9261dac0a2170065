"""The optimizer section of a config, found in either generation of the format and validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from optplan.config.dialects import dialect_of, read_regex_groups
from optplan.config.generation import Generation, Recognized, recognized
from optplan.config.loading import Config
from optplan.config.paramwise import (
    FIELDS,
    FIELDS_OF_MMCV1,
    MULTIPLIERS,
    MULTIPLIERS_OF_MMCV1,
    described,
    number_problem,
    parse_paramwise,
)
from optplan.config.placed import place_of, placed_dict
from optplan.config.symbols import Symbol
from optplan.config.timm_args import OPTIMIZER_KEYS, TimmArgs, is_timm_args, read_timm_args
from optplan.dialects.huggingface.arguments import (
    TrainerArgs,
    is_training_arguments,
    read_training_arguments,
)
from optplan.errors import ConfigError, Problem, close_matches
from optplan.names import Mistake
from optplan.places import Place

if TYPE_CHECKING:
    from optplan.config.regex_groups import RegexGroups

WRAPPER = "optim_wrapper"
OPTIMIZER = "optimizer"
# One class under both its names: the older generation's and the newer's.
DEFAULT_CONSTRUCTORS = ("DefaultOptimizerConstructor", "DefaultOptimWrapperConstructor")


class Form(StrEnum):
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
        recipe: What it was read from, where that is the form of another trainer; its rules are not those
            of any constructor.
        recognized: The generation of the trainer that it is for, with what tells it; None for a recipe.
    """

    form: Form
    type: str | Symbol | type | None
    optimizer: Mapping[str, Any]
    paramwise: Mapping[str, Any]
    constructor: str | Symbol | None
    wrapper: Mapping[str, Any]
    places: Mapping[str, Place | None]
    has_optimizer: bool = True
    has_paramwise: bool = True
    recipe: TimmArgs | RegexGroups | TrainerArgs | None = None
    recognized: Recognized | None = None

    @property
    def is_mmcv1(self) -> bool:
        """Whether it is for mmcv 1.x."""
        return _is_mmcv1(self.recognized)

    @property
    def is_default(self) -> bool:
        """Whether it names the default constructor, or none."""
        return _is_default(self.constructor, self.recognized)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments for the optimizer's class."""
        no_arguments = ("type", "_scope_", *_SECTION_KEYS)
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
    form=Form.OPTIMIZER,
    type=None,
    optimizer={},
    paramwise={},
    constructor=None,
    wrapper={},
    places={"type": None, "constructor": None, "paramwise_cfg": None},
)


def find_sections(config: Config | Mapping[str, Any]) -> dict[str, OptimizerConfig]:
    """The optimizer sections of a config that has several by name; none where it has one.

    Raises:
        ConfigError: Every mistake in them.
    """
    data = config.data if isinstance(config, Config) else config
    outer, generation = _outer(data), recognized(data)
    found: dict[str, OptimizerConfig] = {}
    problems: list[Problem] = []
    for name, section in named_sections(data).items():
        try:
            found[name] = (
                _from_wrapper(section, place_of(outer, name), generation)
                if OPTIMIZER in section
                else _validated(Form.OPTIMIZER, section, section, {}, [], generation)
            )
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found


def named_sections(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The sections that ``optim_wrapper`` or ``optimizer`` holds by name, as GANs have them.

    Without a constructor of its own, each is for the child of the model that it is named after.
    """
    outer = _outer(data)
    if not isinstance(outer, Mapping) or "constructor" in outer or OPTIMIZER in outer:
        return {}
    inner = {name: value for name, value in outer.items() if _is_section(value)}
    if len(inner) < len(outer) - ("type" in outer and WRAPPER in data) or _misspelt(
        inner, OPTIMIZER
    ):
        return {}
    return {str(name): value for name, value in inner.items()}


def _outer(data: Mapping[str, Any]) -> Any:
    """What stands in the place of the optimizer section."""
    if _is_mmcv1(recognized(data)):
        return data.get(OPTIMIZER)
    return data.get(WRAPPER, data.get(OPTIMIZER))


def _is_section(value: object) -> bool:
    return isinstance(value, Mapping) and ("type" in value or OPTIMIZER in value)


def find_optimizer(config: Config | Mapping[str, Any]) -> OptimizerConfig:
    """Find and validate the optimizer section of a config.

    Args:
        config: A loaded config or a dict; a dict that has a ``type`` of its own is the section itself.

    Raises:
        ConfigError: No section, or every mistake in it.

    Returns:
        The section, or one with nothing in it where :func:`find_sections` finds several.
    """
    data: Mapping[str, Any] = config.data if isinstance(config, Config) else config
    if is_timm_args(data):
        return _from_timm(read_timm_args(data))
    if (dialect := dialect_of(data)) is not None:
        return _from_groups(read_regex_groups(data, dialect))
    if is_training_arguments(data):
        return _from_trainer(read_training_arguments(data))
    if isinstance(config, Config):
        section_names(config)
    elif WRAPPER not in config and "type" in config:
        data = {WRAPPER if OPTIMIZER in config else OPTIMIZER: config}
    else:
        _name_of_section(data, None)
    generation = recognized(data)
    if named_sections(data):
        return replace(NO_SECTION, recognized=generation)
    if WRAPPER in data and not _is_mmcv1(generation):
        return _from_wrapper(_section(data, WRAPPER), place_of(data, WRAPPER), generation)
    section = _section(data, OPTIMIZER)
    return _validated(Form.OPTIMIZER, section, section, {}, [], generation)


def section_names(config: Config) -> list[str]:
    """The entries that make up the optimizer section: ``optim_wrapper``, else ``optimizer``; several of a recipe.

    Raises:
        ConfigError: There are none.
    """
    if is_timm_args(config.data):
        return [name for name in config.data if name in OPTIMIZER_KEYS]
    if is_training_arguments(config.data):
        return [str(name) for name in config.data]
    return [_name_of_section(config.data, Place(config.entry, 0, 0))]


def _from_timm(args: TimmArgs) -> OptimizerConfig:
    return _from_recipe(
        args,
        kind=f"timm:{args.factory['opt']}",
        arguments={k: v for k, v in args.factory.items() if k != "opt" and v is not None},
        place=args.place_of("opt"),
    )


def _from_groups(groups: RegexGroups) -> OptimizerConfig:
    first = groups.optimizers[0]
    return _from_recipe(groups, kind=first.type, arguments=first.arguments, place=first.place)


def _from_trainer(args: TrainerArgs) -> OptimizerConfig:
    names = {"lr": "learning_rate", "weight_decay": "weight_decay"}
    given = {name: args.written[n] for name, n in names.items() if n in args.written}
    kind = str(args.written.get("optim", "transformers.Trainer"))
    return _from_recipe(args, kind=kind, arguments=given, place=args.place_of("optim"))


def _from_recipe(
    recipe: TimmArgs | RegexGroups | TrainerArgs,
    *,
    kind: str,
    arguments: Mapping[str, Any],
    place: Place | None,
) -> OptimizerConfig:
    return OptimizerConfig(
        form=Form.OPTIMIZER,
        type=kind,
        optimizer={"type": kind, **arguments},
        paramwise={},
        constructor=None,
        wrapper={},
        places={"type": place, "constructor": None, "paramwise_cfg": None},
        has_paramwise=False,
        recipe=recipe,
    )


def _name_of_section(data: Mapping[str, Any], entry: Place | None) -> str:
    if _is_mmcv1(recognized(data)):
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
        hint=_misspelt(data, WRAPPER, OPTIMIZER),
    )


def _from_wrapper(
    wrapper: Mapping[str, Any], place: Place | None, generation: Recognized | None
) -> OptimizerConfig:
    if OPTIMIZER not in wrapper and _is_default(wrapper.get("constructor"), generation):
        raise ConfigError(
            "'optim_wrapper' has no 'optimizer'",
            place=place,
            hint=_misspelt(wrapper, OPTIMIZER) or "write optimizer=dict(type=..., lr=...) in it",
        )
    optimizer = _section(wrapper, OPTIMIZER) if OPTIMIZER in wrapper else {}
    problems = [
        Problem(
            message=f"'{name}' inside 'optim_wrapper.optimizer' reaches the optimizer class as an argument",
            place=place_of(optimizer, name),
            hint="put it beside 'optimizer', inside 'optim_wrapper'",
            kind=Mistake.MISPLACED,
        )
        for name in ("paramwise_cfg", "constructor")
        if name in optimizer
    ]
    kept = [(name, value) for name, value in wrapper.items() if name not in _SECTION_KEYS]
    outer = placed_dict(kept, getattr(wrapper, "raw_places", {}))
    return _validated(Form.WRAPPER, wrapper, optimizer, outer, problems, generation)


_SECTION_KEYS = ("optimizer", "paramwise_cfg", "constructor")


def _validated(
    form: Form,
    section: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    outer: Mapping[str, Any],
    problems: list[Problem],
    generation: Recognized | None,
) -> OptimizerConfig:
    """The section as typed data; ``section`` holds the constructor and ``paramwise_cfg``."""
    kind = optimizer.get("type")
    is_default = _is_default(section.get("constructor"), generation)
    if not isinstance(kind, str | Symbol | type) or not kind:
        if is_default or "type" in optimizer:
            problems.append(_bad_type(optimizer, kind, section))
        kind = None
    problems += [
        problem
        for name in ("lr", "weight_decay")
        if optimizer.get(name) is not None and (problem := _rate_problem(optimizer, name))
    ]
    paramwise = section.get("paramwise_cfg")
    if paramwise is not None and not isinstance(paramwise, Mapping):
        problems.append(
            Problem(
                message=f"paramwise_cfg must be a dict, got {described(paramwise)}",
                place=place_of(section, "paramwise_cfg"),
            )
        )
    constructor = section.get("constructor")
    if constructor is not None and not isinstance(constructor, str | Symbol):
        problems.append(
            Problem(
                message=f"constructor must be a name, got {described(constructor)}",
                place=place_of(section, "constructor"),
            )
        )
    if is_default:
        has_decay = optimizer.get("weight_decay") is not None
        raw = paramwise if isinstance(paramwise, Mapping) else {}
        is_older = _is_mmcv1(generation)
        problems += parse_paramwise(
            raw,
            has_weight_decay=has_decay,
            multipliers=MULTIPLIERS_OF_MMCV1 if is_older else MULTIPLIERS,
            fields=FIELDS_OF_MMCV1 if is_older else FIELDS,
        )[1]
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
        has_optimizer=form is Form.OPTIMIZER or OPTIMIZER in section,
        has_paramwise=paramwise is not None,
        recognized=generation,
    )


def _is_default(constructor: object, generation: Recognized | None) -> bool:
    names = DEFAULT_CONSTRUCTORS[:1] if _is_mmcv1(generation) else DEFAULT_CONSTRUCTORS
    return constructor is None or constructor in names


def _is_mmcv1(found: Recognized | None) -> bool:
    return found is not None and found.generation is Generation.MMCV1


def _misspelt(data: Mapping[str, Any], *wanted: str) -> str | None:
    """A hint to rename the entry that looks like what is missing."""
    for key in map(str, data):
        if found := close_matches(key, wanted, most=1):
            return f"rename {key!r} to {found[0]!r}"
    return None


def _section(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = data[name]
    if isinstance(section, Mapping):
        return section
    if section is None:
        raise ConfigError(f"no optimizer: '{name}' is None", place=place_of(data, name))
    raise ConfigError(
        f"'{name}' must be a dict, got {described(section)}",
        place=place_of(data, name),
    )


def _bad_type(optimizer: Mapping[str, Any], kind: object, section: Mapping[str, Any]) -> Problem:
    if "type" in optimizer:
        return Problem(
            message=f"the optimizer's type must be a name, got {described(kind)}",
            place=place_of(optimizer, "type"),
        )
    return Problem(
        message="the optimizer has no 'type'",
        place=next((place_of(d, k) for d in (optimizer, section) for k in d), None),
        hint=_misspelt(optimizer, "type") or "write type='SGD', or another optimizer's name",
    )


def _by_place(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return (place.source.name, place.line, place.column) if place else ("", 0, 0)


def _rate_problem(optimizer: Mapping[str, Any], name: str) -> Problem | None:
    problem = number_problem(optimizer, name)
    if problem is None and optimizer[name] < 0:
        problem = Problem(
            message=f"{name} must not be negative, got {optimizer[name]}",
            place=place_of(optimizer, name),
        )
    return problem
