"""Layers as a config lists them: an ordered list of name patterns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optplan.config.layer_decay_options import LayerList, LayerPattern
from optplan.errors import PlanError, Problem, UsageError, did_you_mean, listed
from optplan.facts import Inventory, Layers, ParameterFacts
from optplan.names import LayerSource
from optplan.places import Place
from optplan.plan.names.patterns import matching


def listed_layers(inventory: Inventory, layers: LayerList) -> Layers:
    """Return the layers that a list of patterns makes, the one at the input first.

    A pattern is one layer, also where it has a range or alternatives in it. It is held against the
    name as it is shown and as a constructor sees it (without ``module.``); the first that fits counts.

    Args:
        inventory: The model's parameters.
        layers: The list.

    Raises:
        PlanError: A pattern is too large; patterns that claim no parameter, since each would shift the
            others, and parameters to train that no pattern claims.
    """
    patterns = layers.patterns
    visited = [facts for facts in inventory.parameters if facts.visited]
    try:
        fitting = _fitting(visited, patterns)
    except UsageError as error:
        raise PlanError([replace(one, place=layers.place) for one in error.problems]) from error
    numbers: dict[str, int] = {}
    claimed: list[int] = []
    for number, names in enumerate(fitting):
        new = [name for name in names if name not in numbers]
        numbers |= dict.fromkeys(new, number)
        claimed.append(len(new))
    idle = [number for number, count in enumerate(claimed) if not count]
    left = [f.name for f in visited if f.requires_grad and f.name not in numbers]
    if idle or left:
        problems = [_idle(patterns[number], fitting[number], visited) for number in idle]
        raise PlanError([*problems, *_unclaimed(left, layers.place)])
    return Layers(
        source=LayerSource.LAYERS,
        depths={name: (number, len(patterns)) for name, number in numbers.items()},
    )


def _fitting(
    visited: Sequence[ParameterFacts], patterns: Sequence[LayerPattern]
) -> list[list[str]]:
    """Return for each pattern the registered names that fit it."""
    texts = [layer.pattern for layer in patterns]
    shown = matching(texts, [facts.name for facts in visited])
    by_walked = {facts.walked_name: facts.name for facts in visited}
    walked = matching(texts, by_walked) if visited and _is_wrapped(visited[0]) else {}
    return [
        list(dict.fromkeys([*shown[text], *(by_walked[name] for name in walked.get(text, ()))]))
        for text in texts
    ]


def _is_wrapped(facts: ParameterFacts) -> bool:
    return facts.walked_name != facts.name


def _idle(layer: LayerPattern, fits: Sequence[str], visited: Sequence[ParameterFacts]) -> Problem:
    what = f"the layer {layer.pattern!r}"
    if fits:
        return Problem(
            message=f"{what} has no parameter: layers before it claim all that it matches"
            f" ({listed(fits)})",
            place=layer.place,
            hint="put it before them, or leave it out",
        )
    return Problem(
        message=f"{what} matches no parameter",
        place=layer.place,
        hint=did_you_mean(layer.pattern, [facts.name for facts in visited]) or "leave it out",
    )


def _unclaimed(names: Sequence[str], place: Place | None) -> Iterator[Problem]:
    if names:
        count = "1 parameter" if len(names) == 1 else f"{len(names)} parameters"
        yield Problem(
            message=f"no layer of 'layers' claims {count}: {listed(names)}",
            place=place,
            hint="add a pattern for them; a last '*' takes all that is left",
            parameters=tuple(names),
        )
