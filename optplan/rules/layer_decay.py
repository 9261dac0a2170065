"""Multiply the lr of a parameter by the scale of its layer."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import NamedTuple

from optplan.config.layer_decay_options import LAYER_RATE, LayerDecay
from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.rules.base_values import layers_need
from optplan.rules.decision import Candidate, Decision, Outcome
from optplan.rules.options import Options, Verdict
from optplan.rules.reasons import value_text

LEFT_OVER = "no layer pattern, last layer"


class Layer(NamedTuple):
    """A layer, how many there are, and whether some pattern puts the parameter there."""

    number: int
    layers: int
    in_pattern: bool


def layer_of(facts: ParameterFacts) -> Layer | None:
    """Return the layer of a parameter; None where it is not known."""
    if facts.layer is None or facts.layers is None:
        return None
    return Layer(facts.layer, facts.layers, facts.in_layer_pattern)


def layer_scale(layer_decay: LayerDecay, layer: Layer) -> float:
    """Return what the lr of a layer is multiplied by; 1 for the last one.

    Equals timm's ``param_groups_layer_decay`` and mmpretrain's constructor to the bit.
    """
    rate = 1.0 if layer_decay.rate is None else layer_decay.rate
    try:
        scale: float = rate ** (layer.layers - 1 - layer.number)
    except (OverflowError, ZeroDivisionError):
        return inf
    return scale


# One verdict for all parameters of a layer that get the same, as other code tells groups apart by it.
@lru_cache(maxsize=10_000)
def scaled(
    lr: Verdict,
    key: str | None,  # noqa: ARG001 - groups of different keys hold different entries
    base_lr: float,
    layer_decay: LayerDecay,
    layer: Layer,
) -> Verdict:
    """Return the verdict on an lr once it is multiplied by the scale of the layer.

    Args:
        lr: The verdict without layers.
        key: The custom key that decides, if one does.
        base_lr: The optimizer's lr.
        layer_decay: The rate.
        layer: The layer.
    """
    scale, value = layer_scale(layer_decay, layer), base_lr if lr.value is None else lr.value
    note = None if layer.in_pattern else LEFT_OVER
    rule, option, mult, place = lr.rule, lr.option, lr.mult or 0.0, lr.place
    if rule is not Rule.DEFAULT and scale != 1:
        product = f"{mult:.6g} × {scale:.6g} for layer {layer.number}"
        note = f"{product}, {note}" if note else product
    if rule is Rule.DEFAULT and layer_decay.rate is not None:
        rule, option, place = Rule.LAYER_DECAY, LAYER_RATE, layer_decay.place
    return Verdict(
        rule=rule,
        option=option,
        key=lr.key,
        mult=mult * scale,
        value=value * scale,
        place=place,
        note=note,
    )


def layer_reason(layer_decay: LayerDecay, layer: Layer) -> str:
    """Return which layer it is, and how its scale comes about."""
    left_over = "" if layer.in_pattern else f"{LEFT_OVER}: "
    power = layer.layers - 1 - layer.number
    return (
        f"{left_over}layer {layer.number} of 0–{layer.layers - 1}, {layer_decay.rate:.6g} ^ {power}"
    )


def with_layer(
    decision: Decision, facts: ParameterFacts, options: Options, candidates: list[Candidate] | None
) -> Decision:
    """Return the same with the lr multiplied by the scale of the layer, unless a key sets the lr itself."""
    layer_decay, layer = options.layer_decay, layer_of(facts)
    if layer_decay is None or layer is None:
        return decision
    base_lr = layers_need(options, facts)
    own, scale = decision.lr, layer_scale(layer_decay, layer)
    is_set = own.mult is None
    lr = own if is_set else scaled(own, decision.key, base_lr, layer_decay, layer)
    if candidates is not None and layer_decay.rate is not None:
        candidates.append(_candidate(layer_decay, layer, base_lr, own))
    decay = options.base_weight_decay
    return Decision(
        lr=lr,
        weight_decay=decision.weight_decay,
        entries={
            **({} if decay is None else {"weight_decay": decay}),
            **decision.entries,
            "lr": lr.value,
            "lr_scale": 1.0 if is_set else scale,
            "layer_id": layer.number,
        },
        key=decision.key,
        name=facts.walked_name,
    )


def _candidate(layer_decay: LayerDecay, layer: Layer, base_lr: float, own: Verdict) -> Candidate:
    """Return what the layer does to the lr, or would have done."""
    alone = scaled(Verdict(rule=Rule.DEFAULT), None, base_lr, layer_decay, layer)
    reason = layer_reason(layer_decay, layer)
    if own.mult is None:
        outcome = Outcome.LOST
        reason = f"{reason}, would have given {value_text(alone)}, but the key sets the lr itself"
    else:
        outcome = Outcome.WON
        if own.rule is not Rule.DEFAULT:
            reason = f"{reason}, multiplies what {own.option or 'the key'} gives"
    return Candidate(setting="lr", verdict=alone, outcome=outcome, reason=reason)
