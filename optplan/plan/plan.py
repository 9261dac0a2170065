"""The plan: what every parameter gets, and the rule that decided it. Immutable, plain data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from optplan.config.recognition import Recognition
from optplan.delegation import delegated
from optplan.errors import PlanError
from optplan.names import Matcher, Rule, Status
from optplan.plan.codec import OPTIONAL, from_data, named, to_data
from optplan.plan.lr_scaling import LrScaling, Origin
from optplan.plan.validation import fitting, parsed, refuse_other_data
from optplan.runtime.whole_files import write_whole

FORMAT_VERSION = "1.0"
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUse:
    """The rule that decided a value, its option or key, its multiplier and its place.

    Args:
        rule, option, key, mult: As in :class:`optplan.rules.Verdict`.
        origin: Where it is written.
        constructor: The name of the class or function whose own code decided.
        note: What else there is to say, in words.
    """

    rule: Rule
    option: str | None = None
    key: str | None = None
    mult: float | None = 1.0
    origin: Origin | None = None
    constructor: str | None = field(default=None, metadata=OPTIONAL)
    note: str | None = field(default=None, metadata=OPTIONAL)


class PlannedParameter(NamedTuple):
    """One row of the plan: one registered name.

    A tuple, since a large model has a hundred thousand of them: a frozen dataclass takes five times as long.

    Args:
        name, shape, elements, dtype, requires_grad, module: What the parameter is.
        status: How it stands to the optimizer.
        aliases: The other names of its tensor.
        lr: The lr in its param group, ``None`` where it is in none.
        weight_decay: The same; ``None`` also where the optimizer has none.
        lr_scale: A factor that a scheduler applies to ``lr`` later.
        effective_lr: ``lr`` with that factor.
        layer: Its layer, where the constructor counts layers.
        lr_rule, weight_decay_rule: What decided them.
        options: Its group's own entries that are hyper-parameters of the optimizer.
        extra: Its group's other entries.
        optimizer, group, setting: Indices; ``group`` counts the groups the constructor made.
    """

    name: str
    shape: tuple[int, ...]
    elements: int
    dtype: str
    requires_grad: bool
    module: str
    status: Status
    aliases: tuple[str, ...] = ()
    lr: float | None = None
    weight_decay: float | None = None
    lr_scale: float | None = None
    effective_lr: float | None = None
    layer: int | None = None
    lr_rule: RuleUse | None = None
    weight_decay_rule: RuleUse | None = None
    options: Mapping[str, Any] = _NOTHING
    extra: Mapping[str, Any] = _NOTHING
    optimizer: int | None = None
    group: int | None = None
    setting: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOptimizer:
    """One optimizer: its class, its base values and the other arguments of the config."""

    name: str | None
    type: str
    class_name: str = field(metadata=named("class"))
    lr: float | None
    weight_decay: float | None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedModel:
    """The model, with its tensors counted once each."""

    spec: str | None
    source: Annotated[str, ("timm", "import", "file", "module", "config")]
    class_name: str = field(metadata=named("class"))
    parameters: Annotated[int, 1]
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One distinct combination of what an optimizer does, and how much of the model has it.

    ``extra`` has the other entries of groups by which it differs from other settings.
    """

    index: int
    optimizer: int
    lr: float | None
    weight_decay: float | None
    lr_scale: float | None
    options: Mapping[str, Any]
    parameters: Annotated[int, 1]
    elements: int
    extra: Mapping[str, Any] = field(default_factory=dict, metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyParamGroup:
    """A param group that other code made without parameters; ``optimizer`` and ``group`` are indices."""

    optimizer: int
    group: int
    lr: float | None
    weight_decay: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """What every command reads.

    Args:
        versions: Versions of optplan, torch and timm that made it.
        config: The config's path as the user gave it; ``None`` for a dict.
        model: The model.
        constructor: Class name of the constructor.
        optimizers: The optimizers, in the order that rows refer to.
        parameters: One row per name, in the order of
            ``model.named_parameters(remove_duplicate=False)``.
        settings: The distinct settings, in the order of their first parameter.
        lr_scaling: How the lr depends on the batch, ``None`` where it does not.
        matcher: How regular expressions are held against names, ``None`` where there are none.
        needs_world_size: A constructor asked for the world size, which is not known: the values are those
            of one process.
        empty_groups: The groups without parameters that a constructor of other code or a function made.
        made_from: What it was made from, where this process made it; no part of what it says.
        generation: The generation of OpenMMLab's trainers that it is for, with what told it; None for what
            is none of their configs.
    """

    versions: Mapping[str, str | None]
    config: str | None
    model: PlannedModel
    constructor: str
    optimizers: tuple[PlannedOptimizer, ...]
    parameters: tuple[PlannedParameter, ...]
    settings: tuple[Setting, ...]
    generation: Recognition | None = field(default=None, metadata=OPTIONAL)
    lr_scaling: LrScaling | None = field(default=None, metadata=OPTIONAL)
    matcher: Matcher | None = field(default=None, metadata=OPTIONAL)
    needs_world_size: bool = field(default=False, metadata=OPTIONAL)
    empty_groups: tuple[EmptyParamGroup, ...] = field(default=(), metadata=OPTIONAL)
    made_from: Any = field(default=None, compare=False, metadata={"json": None})

    def __repr__(self) -> str:
        return str(delegated("name_of", self))

    def __str__(self) -> str:
        return str(delegated("plan_text", self))

    def _repr_html_(self) -> str:
        return str(delegated("plan_html", self))

    def tree(self, depth: int | None = None) -> Any:
        """Return the module tree, so many levels below the model, as text and for notebooks."""
        return delegated("plan_tree", self, depth)

    def explain(self, *names: str) -> Any:
        """Return why the parameters of these names or patterns get what they get, as text and for notebooks.

        Raises:
            UsageError: A name matches nothing, or the plan was saved, and keeps no rules that lost.
        """
        return delegated("plan_explained", self, names)

    def diff(self, other: Plan) -> Any:
        """Return what changes from this plan to another, an :class:`optplan.plan.changes.PlanDiff`."""
        return delegated("plan_diff", self, other)

    def to_dataframe(self) -> Any:
        """Return a table of pandas with a row for each name.

        Raises:
            PlanError: pandas is not installed.
        """
        return delegated("plan_rows", self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the plan as JSON, as a whole or not at all; every command takes the file for a config.

        Raises:
            OutputError: It cannot be written.
        """
        write_whole(Path(path), self.to_json(), makes_folder=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Plan:
        """Return the plan in a file.

        Raises:
            PlanError: The file cannot be read, or is no saved plan.
        """
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise PlanError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
        return cls.from_json(text)

    @property
    def is_final(self) -> bool:
        """Whether the lr is that of the training, and does not depend on what is not known."""
        return not self.needs_world_size and (self.lr_scaling is None or self.lr_scaling.final)

    def to_data(self) -> dict[str, Any]:
        """Return the plan as nested dicts and lists, as ``schemas/plan-1.0.schema.json`` describes it."""
        return {"format_version": FORMAT_VERSION, **to_data(self)}

    def to_json(self, *, indent: int | None = 1) -> str:
        """Return the plan as JSON text."""
        return json.dumps(self.to_data(), indent=indent, allow_nan=False)

    @classmethod
    def from_optimizer(cls, model: Any, optimizer: Any) -> Plan:
        """Return the plan that an optimizer carries out, one that exists already.

        Args:
            model: The ``nn.Module``, bare or wrapped for parallel training or compilation.
            optimizer: Its optimizer, a wrapper with an attribute ``optimizer``, or several by name.

        Raises:
            ModelError: The model has no parameters, or wrappers have merged them.
            PlanError: A parameter is in several groups, or these are no optimizers.
        """
        made: Plan = delegated("plan_from_optimizer", model, optimizer)
        return made

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Return the plan that :meth:`to_json` wrote.

        Raises:
            PlanError: The text is no saved plan, one of a newer major format, or a field of it is wrong.
        """
        return cls.from_data(parsed(text))

    @classmethod
    def from_data(cls, data: Any) -> Plan:
        """Return the plan that :meth:`to_data` made data of, once JSON is parsed.

        Raises:
            PlanError: As :meth:`from_json`.
        """
        is_newer = refuse_other_data(data, FORMAT_VERSION)
        fields = {name: value for name, value in data.items() if name != "format_version"}
        return fitting(data, lambda: from_data(cls, fields, is_open=is_newer))
