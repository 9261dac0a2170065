"""Find which layer each parameter is in, as the model itself says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from optplan.errors import PlanError, described_exception
from optplan.facts import Inventory, Layers
from optplan.model.inventory import class_name, walked_module
from optplan.names import LayerSource
from optplan.runtime.stdio import stdout_to_stderr

if TYPE_CHECKING:
    from torch import nn

Depth = tuple[int, int]


def model_layers(model: nn.Module, inventory: Inventory) -> Layers | None:
    """Return the layers as the model itself knows them; ``None`` where it says nothing of layers.

    Asked are, in this order, its ``get_layer_depth(name)``, or its backbone's, as mmpretrain's models
    have it, and its ``group_matcher``, as timm's have it.

    Args:
        model: The model; it is only read.
        inventory: Its parameters.

    Raises:
        PlanError: What it says makes no sense.
    """
    walked = walked_module(model)
    with stdout_to_stderr():
        if (ask := _get_layer_depth(walked)) is not None:
            return _asked(ask, inventory, class_name(walked))
        if callable(getattr(walked, "group_matcher", None)):
            return _grouped(walked, inventory)
    return None


def _get_layer_depth(walked: nn.Module) -> Callable[[str], Any] | None:
    own: Callable[[str], Any] | None = getattr(walked, "get_layer_depth", None)
    if callable(own):
        return own
    inner: Any = getattr(getattr(walked, "backbone", None), "get_layer_depth", None)
    return (lambda name: inner(name, "backbone.")) if callable(inner) else None


def _asked(ask: Callable[[str], Any], inventory: Inventory, model: str) -> Layers:
    """Return the depth of each name; it must be known of what is trained."""
    depths: dict[str, Depth] = {}
    for facts in inventory.parameters:
        if not facts.visited:
            continue
        name = facts.walked_name
        try:
            depths[facts.name] = _depth(ask(name))
        except Exception as error:  # a stranger's method may raise anything
            if facts.requires_grad:
                raise PlanError(
                    f"get_layer_depth of the model {model} gives no layer for {name!r}:"
                    f" {described_exception(error)}"
                ) from error
    return Layers(source=LayerSource.GET_LAYER_DEPTH, depths=depths)


def _depth(answer: Any) -> Depth:
    layer, layers = answer
    if not (isinstance(layer, int) and isinstance(layers, int)):
        raise TypeError(f"expected two whole numbers, got {answer!r}")
    return layer, layers


def _grouped(walked: nn.Module, inventory: Inventory) -> Layers:
    """Return the layers as timm numbers them."""
    from timm.models import group_parameters

    try:
        matcher = walked.group_matcher(coarse=False)  # type: ignore[operator]
        numbers: dict[str, int] = group_parameters(walked, matcher, reverse=True)
    except Exception as error:  # a stranger's method may raise anything
        raise PlanError(
            f"group_matcher of the model {class_name(walked)} fails: {described_exception(error)}"
        ) from error
    layers = max(numbers.values()) + 1
    by_tensor: dict[int, int] = {}
    for facts in inventory.parameters:
        if facts.visited and facts.walked_name in numbers:
            by_tensor.setdefault(facts.tensor, numbers[facts.walked_name])
    claims = _claims(matcher)
    return Layers(
        source=LayerSource.GROUP_MATCHER,
        depths={
            # timm numbers one name of each tensor
            facts.name: (by_tensor.get(facts.tensor, layers - 1), layers)
            for facts in inventory.parameters
            if facts.visited
        },
        unclaimed=frozenset(
            facts.name
            for facts in inventory.parameters
            if facts.visited and not claims(facts.walked_name)
        ),
    )


def _claims(matcher: Any) -> Callable[[str], bool]:
    """Return whether a pattern of timm's matcher matches a name; a function matches all."""
    if not isinstance(matcher, Mapping):
        return lambda _: True
    patterns = [re.compile(pattern) for pattern in _patterns(matcher.values())]
    return lambda name: any(pattern.match(name) for pattern in patterns)


def _patterns(specifications: Iterable[Any]) -> Iterable[str]:
    for one in specifications:
        if isinstance(one, str):
            yield one
        elif one is not None:
            yield from (pattern for pattern, _ in one)
