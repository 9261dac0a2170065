"""The options of layer-wise lr decay as typed data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optplan.config.paramwise import MULTIPLIERS, described, rate_problem
from optplan.config.placed import place_of
from optplan.errors import Problem, close_matches
from optplan.places import Place

LAYER_RATE = "layer_decay_rate"
LAYERS = "layers"
# All that the built-in constructor reads, and what an inheritance leaves over.
_BUILTIN = (*MULTIPLIERS, "custom_keys", "bypass_duplicate", LAYER_RATE, LAYERS, "_delete_")
_SAME_WORD = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDecay:
    """The layer decay: how the lr falls from the last layer to the first.

    Args:
        rate: What a layer has of the lr of the layer behind it; ``None`` where none is set, which is
            as good as 1.
        place: Where it is written.
    """

    rate: float | None
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPattern:
    """One layer of a list: a pattern of the names in it, and where it is written."""

    pattern: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerList:
    """The layers as the option ``layers`` lists them, the one at the input first."""

    patterns: tuple[LayerPattern, ...]
    place: Place | None


def is_for_custom_class(paramwise: Mapping[str, Any]) -> bool:
    """Return whether options are for a class of the built-in one's name that a project brings itself.

    Many projects do, each with options such as ``num_layers`` or ``decay_type``. A name that nearly is one
    of the built-in's is taken for a misspelling.

    Args:
        paramwise: ``paramwise_cfg`` as written.
    """
    return LAYERS not in paramwise and any(
        name not in _BUILTIN and not close_matches(str(name), _BUILTIN, most=1, cutoff=_SAME_WORD)
        for name in paramwise
    )


def own_class_hint(name: str) -> str:
    """Return what to do about a constructor that a project brings itself."""
    return f"{name} is a class that the project brings itself: --import FILE, the file that registers it"


def rate_problems(raw: Mapping[str, Any], *, is_needed: bool) -> Iterator[Problem]:
    """Yield what is wrong with ``layer_decay_rate``.

    Args:
        raw: ``paramwise_cfg`` as written.
        is_needed: The constructor does not go without it.
    """
    if LAYER_RATE not in raw:
        if is_needed:
            yield Problem(
                message=f"paramwise_cfg has no {LAYER_RATE!r}, by which the lr falls from layer to layer",
                place=next((place_of(raw, name) for name in raw), None),
                hint=f"write {LAYER_RATE}=0.75 in it, or another number",
            )
    elif (problem := rate_problem(raw, LAYER_RATE)) is not None:
        yield problem


def parse_layers(raw: Mapping[str, Any]) -> tuple[LayerList | None, list[Problem]]:
    """Read the option ``layers``; ``None`` where it is not set.

    Args:
        raw: ``paramwise_cfg`` as written.

    Returns:
        The valid patterns, and every mistake.
    """
    given = raw.get(LAYERS)
    if given is None:
        return None, []
    place = place_of(raw, LAYERS)
    if not isinstance(given, list | tuple) or not given:
        return None, [
            Problem(
                message=f"{LAYERS!r} must be a list of name patterns, got {described(given)}",
                place=place,
                hint="write one pattern a layer, as ['stem.*', 'blocks.0.*', 'blocks.1.*', 'head.*']",
            )
        ]
    places = [place_of(given, index) or place for index in range(len(given))]
    problems = [
        Problem(
            message=f"a layer in {LAYERS!r} must be one name pattern, got {described(one)}",
            place=where,
            hint="several patterns are one as {a,b}",
        )
        for one, where in zip(given, places, strict=True)
        if not isinstance(one, str) or not one
    ]
    patterns = tuple(
        LayerPattern(pattern=one, place=where)
        for one, where in zip(given, places, strict=True)
        if isinstance(one, str) and one
    )
    return LayerList(patterns=patterns, place=place), problems
