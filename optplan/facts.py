"""Hold what is known of a model's parameters and of an optimizer: plain data, free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, NamedTuple, get_type_hints

from optplan.names import LayerSource

_LARGEST = 2**63
_MOST_LAYERS = 1_000_000


class ParameterFacts(NamedTuple):
    """One registered name of a parameter, with all that the rules ask about it.

    A tuple, since a large model has a hundred thousand of them: a frozen dataclass takes five times as long.

    Args:
        name: The registered name, as in ``model.named_parameters(remove_duplicate=False)``.
        prefix: Path of the owning module, counted from the module that the constructor walks
            ('' at its root).
        local: The parameter's own name in its module.
        shape: Its shape.
        dtype: Its dtype without ``torch.``.
        requires_grad: Whether it is trainable.
        module: Dotted class name of the owning module.
        tensor: Number of the tensor: names with one number share one tensor.
        visited: Whether the constructor's walk comes by this name.
        owner_is_norm: The owner is one of the classes that ``norm_decay_mult`` knows.
        owner_is_conv2d: The owner is a ``Conv2d``.
        owner_is_depthwise: The owner is a ``Conv2d`` with ``in_channels == groups``.
        owner_has_one_group: The owner is a ``Conv2d`` with ``groups == 1``.
        owner_keeps_statistics: The owner is a norm that updates running statistics while it is trained.
        parent_is_dcn: The owner's direct parent is a deformable convolution.
        declared_no_decay: The model itself declares that it gets no weight decay.
        is_plain: It is an ``nn.Parameter`` without attributes of its own.
        layer: Its layer, counted from 0 at the input; only where layer decay asks for it.
        layers: How many layers there are.
        in_layer_pattern: Some pattern puts it into its layer; else it is there as what is left over.
    """

    name: str
    prefix: str
    local: str
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    module: str
    tensor: int
    visited: bool = True
    owner_is_norm: bool = False
    owner_is_conv2d: bool = False
    owner_is_depthwise: bool = False
    owner_has_one_group: bool = False
    owner_keeps_statistics: bool = False
    parent_is_dcn: bool = False
    declared_no_decay: bool = False
    is_plain: bool = True
    layer: int | None = None
    layers: int | None = None
    in_layer_pattern: bool = True

    @property
    def match_name(self) -> str:
        """What custom keys are looked for in; a parameter of the root is ``.name``."""
        return f"{self.prefix}.{self.local}"

    @property
    def walked_name(self) -> str:
        """Its name counted from the module that the constructor walks."""
        return f"{self.prefix}.{self.local}" if self.prefix else self.local

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def owner_class(self) -> str:
        """The owner's class name without its module path."""
        return self.module.rpartition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Which layer each parameter of a model is in.

    Args:
        source: Who says so.
        depths: By registered name its layer, counted from 0 at the input, and how many layers there
            are; a name of which nothing is known is left out.
        unclaimed: Names that are in the last layer only because no pattern matches them.
    """

    source: LayerSource
    depths: Mapping[str, tuple[int, int]]
    unclaimed: frozenset[str] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "source": self.source.value,
            "depths": {name: list(depth) for name, depth in self.depths.items()},
            "unclaimed": sorted(self.unclaimed),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layers:
        """Read what :meth:`to_dict` gives, also by way of JSON.

        Raises:
            KeyError, TypeError, ValueError: The data is none that it gives.
        """
        return cls(
            source=LayerSource(data["source"]),
            depths={name: (layer, layers) for name, (layer, layers) in data["depths"].items()},
            unclaimed=frozenset(data["unclaimed"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerFacts:
    """What is known of an optimizer once it is made.

    Args:
        type_name: What a plan calls it where a config does not.
        class_name: Dotted name of its class.
        defaults: Its hyper-parameters with the values that a group gets which names none.
    """

    type_name: str
    class_name: str
    defaults: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All that optplan keeps of a model.

    Args:
        spec: How the user named the model; ``None`` for a module that was handed over.
        source: Where it came from: ``timm``, ``import``, ``file`` or ``module``.
        class_name: Dotted class name of the model.
        parameters: One entry per registered name, in the order of
            ``model.named_parameters(remove_duplicate=False)``.
    """

    spec: str | None
    source: str
    class_name: str
    parameters: tuple[ParameterFacts, ...]

    @cached_property
    def primary_names(self) -> dict[int, ParameterFacts]:
        """Return the facts of each tensor under its primary name: the first visited, else the first."""
        found: dict[int, ParameterFacts] = {}
        for facts in self.parameters:
            known = found.get(facts.tensor)
            if known is None or (facts.visited and not known.visited):
                found[facts.tensor] = facts
        return found

    @cached_property
    def names_by_tensor(self) -> dict[int, tuple[str, ...]]:
        """All names of each tensor, in the model's order."""
        if len(self.primary_names) == len(self.parameters):
            return {facts.tensor: (facts.name,) for facts in self.parameters}
        found: dict[int, list[str]] = {}
        for facts in self.parameters:
            found.setdefault(facts.tensor, []).append(facts.name)
        return {tensor: tuple(names) for tensor, names in found.items()}

    @property
    def elements(self) -> int:
        """Number of elements over all tensors, each counted once."""
        return sum(facts.elements for facts in self.primary_names.values())

    def with_layers(self, layers: Layers) -> Inventory:
        """Return the same parameters, each with its layer."""
        unknown = (None, None)
        return replace(
            self,
            parameters=tuple(
                facts._replace(
                    layer=(depth := layers.depths.get(facts.name, unknown))[0],
                    layers=depth[1],
                    in_layer_pattern=facts.name not in layers.unclaimed,
                )
                for facts in self.parameters
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: a list for each parameter, whose entries ``fields`` names."""
        return {
            "spec": self.spec,
            "source": self.source,
            "class_name": self.class_name,
            "fields": ParameterFacts._fields,
            "parameters": self.parameters,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Inventory:
        """Read what :meth:`to_dict` gives, also by way of JSON.

        Raises:
            KeyError, TypeError, ValueError: The data is not an inventory.
        """
        if tuple(data["fields"]) != ParameterFacts._fields:
            raise ValueError("the facts are others")
        parameters = tuple(map(ParameterFacts._make, data["parameters"]))
        words = data["source"], data["class_name"], data["spec"] or ""
        if not all(isinstance(word, str) for word in words) or not _are_facts(parameters):
            raise ValueError("the facts are of other types")
        return cls(
            spec=data["spec"],
            source=data["source"],
            class_name=data["class_name"],
            parameters=tuple(facts._replace(shape=tuple(facts.shape)) for facts in parameters),
        )


def _json_types(layer: type) -> tuple[Any, ...]:
    """Return the types of a parameter's facts as JSON has them; a layer and their number are there or not."""
    others = {tuple[int, ...]: list, int | None: layer}
    return tuple(others.get(hint, hint) for hint in get_type_hints(ParameterFacts).values())


_TYPES = frozenset(map(_json_types, (int, type(None))))


def _are_facts(parameters: Sequence[ParameterFacts]) -> bool:
    """Return whether facts from JSON are of the right types, each name once and with sizes that there may be."""
    if not all(type(one) is str for one, *_ in parameters):
        return False
    names = {facts.name for facts in parameters}
    return 0 < len(parameters) == len(names) and all(
        tuple(map(type, facts)) in _TYPES
        and all(type(size) is int and 0 <= size < _LARGEST for size in facts.shape)
        and 0 <= (facts.layer or 0) <= (facts.layers or 0) < _MOST_LAYERS
        for facts in parameters
    )
