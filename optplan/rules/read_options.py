"""Turn a ``paramwise_cfg`` as written into the options that the rules work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.layer_decay_options import (
    LAYER_RATE,
    LAYERS,
    LayerDecay,
    parse_layers,
    rate_problems,
)
from optplan.config.paramwise import FIELDS, FIELDS_OF_MMCV1, parse_paramwise
from optplan.config.placed import place_of
from optplan.errors import ConfigError
from optplan.rules.options import Options, make_options
from optplan.rules.rule_sets import RuleSet


def read_options(
    rules: RuleSet,
    base_lr: float | None,
    base_weight_decay: float | None,
    paramwise: Mapping[str, Any],
    optimizer: Mapping[str, Any],
) -> Options:
    """Return a constructor's options.

    Args:
        rules: The constructor's rules.
        base_lr: The optimizer's lr, ``None`` where the config sets none.
        base_weight_decay: The same for the weight decay.
        paramwise: ``paramwise_cfg`` as written.
        optimizer: The optimizer's dict, for places.

    Raises:
        ConfigError: Every mistake in them. What the constructor never reads cannot be one.
    """
    has_decay = base_weight_decay is not None
    parsed, problems = parse_paramwise(
        paramwise,
        has_weight_decay=has_decay,
        multipliers=rules.multipliers,
        fields=FIELDS if rules.copies_fields else FIELDS_OF_MMCV1,
    )
    layers = layer_decay = None
    if rules.has_layers:
        problems += rate_problems(paramwise, is_needed=rules.needs_rate)
        rate = paramwise.get(LAYER_RATE)
        layer_decay = LayerDecay(rate=rate, place=place_of(paramwise, LAYER_RATE))
    if LAYERS in rules.options:
        layers, mistakes = parse_layers(paramwise)
        problems += mistakes
    if problems:
        raise ConfigError(problems)
    return make_options(
        parsed,
        base_lr=base_lr,
        base_weight_decay=base_weight_decay,
        lr_place=place_of(optimizer, "lr"),
        weight_decay_place=place_of(optimizer, "weight_decay"),
        rules=rules,
        layer_decay=layer_decay,
        layers=layers,
    )
