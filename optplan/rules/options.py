"""Prepare the options of a constructor: sort its custom keys, and multiply each base value once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optplan.config.layer_decay_options import (
    LAYER_RATE,
    LAYERS,
    LayerDecay,
    LayerList,
    parse_layers,
    rate_problems,
)
from optplan.config.paramwise import (
    FIELDS,
    FIELDS_OF_MMCV1,
    CustomKey,
    Multiplier,
    Paramwise,
    parse_paramwise,
)
from optplan.config.placed import place_of
from optplan.errors import ConfigError
from optplan.names import LR_OPTIONS, WEIGHT_DECAY_OPTIONS, Rule
from optplan.places import Place
from optplan.rules.rule_sets import BYPASS, DEFAULT_RULES, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule gives to the lr or to the weight decay.

    Args:
        rule: The rule.
        option: The ``paramwise_cfg`` entry it reads, if it is not a custom key.
        key: The custom key.
        mult: What the base value is multiplied by; ``None`` where the value is set outright, and where a config
            for mmcv 1.x has None in the place of a number.
        value: The value for the param group; ``None`` leaves it to the optimizer.
        place: Where the option, the key or the base value is written; for what code decided, the code.
        constructor: The name of the class or function whose own code decided.
        note: What else there is to say, in words.
    """

    rule: Rule
    option: str | None = None
    key: str | None = None
    mult: float | None = 1.0
    value: float | None = None
    place: Place | None = None
    constructor: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """A custom key with all that it does to a parameter that it wins.

    Args:
        key: The substring that it looks for.
        lr: Its verdict on the lr.
        weight_decay: Its verdict on the weight decay.
        entries: What it puts into the param group.
        missing_lr: It would have to multiply a base lr that is not set.
        nones: Its fields that are None where mmcv 1.x multiplies by them.
        decides_lr: It has a say in the lr. The default constructor takes the lr from the key in any
            case; with layer decay a key that sets none leaves it to the layer.
        sets_decay: It says itself what the weight decay is to be.
    """

    key: str
    lr: Verdict
    weight_decay: Verdict
    entries: Mapping[str, Any]
    missing_lr: bool
    nones: tuple[str, ...]
    decides_lr: bool
    sets_decay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The base values, the rules that are switched on and the keys in the order they are tried.

    Args:
        base_lr: The optimizer's lr; ``None`` where the config sets none.
        base_weight_decay: The same for the weight decay: no decay rule runs without it.
        is_empty: ``paramwise_cfg`` is empty: one group, no rule.
        keys: Custom keys, the longest first, those of one length in alphabetical order.
        multipliers: Verdicts by option name, lr and decay options alike.
        default_lr: The verdict where no rule decides.
        default_weight_decay: The same for the weight decay.
        bypass_duplicate: Leave out a tensor that is in a group already.
        rules: What the constructor makes of all this.
        layer_decay: Given where the constructor goes by layers.
        layers: The layers, where the config lists them.
    """

    base_lr: float | None
    base_weight_decay: float | None
    is_empty: bool
    keys: tuple[KeyRule, ...]
    multipliers: Mapping[str, Verdict]
    default_lr: Verdict
    default_weight_decay: Verdict
    bypass_duplicate: bool
    rules: RuleSet = DEFAULT_RULES
    layer_decay: LayerDecay | None = None
    layers: LayerList | None = None


def make_options(
    paramwise: Paramwise,
    *,
    base_lr: float | None,
    base_weight_decay: float | None,
    lr_place: Place | None = None,
    weight_decay_place: Place | None = None,
    rules: RuleSet = DEFAULT_RULES,
    layer_decay: LayerDecay | None = None,
    layers: LayerList | None = None,
) -> Options:
    """Work out every product once, so that a decision only has to find its rule.

    Args:
        paramwise: The valid ``paramwise_cfg``.
        base_lr: The optimizer's lr, ``None`` where the config sets none.
        base_weight_decay: The optimizer's weight decay, ``None`` where the config sets none.
        lr_place: Where the lr is written.
        weight_decay_place: Where the weight decay is written.
        rules: The constructor's rules.
        layer_decay: The rate by which it goes from layer to layer, if it does.
        layers: The layers, if the config lists them.
    """
    ordered = sorted(paramwise.custom_keys, key=lambda custom: key_order(custom.key))
    default_weight_decay = Verdict(rule=Rule.DEFAULT, place=weight_decay_place)
    return Options(
        base_lr=base_lr,
        base_weight_decay=base_weight_decay,
        is_empty=paramwise.is_empty,
        keys=tuple(
            _key_rule(custom, base_lr, base_weight_decay, default_weight_decay, rules)
            for custom in ordered
        ),
        multipliers={
            option: _multiplier_verdict(option, multiplier, base_lr, base_weight_decay)
            for option, multiplier in paramwise.multipliers.items()
        },
        default_lr=Verdict(rule=Rule.DEFAULT, place=lr_place),
        default_weight_decay=default_weight_decay,
        bypass_duplicate=paramwise.bypass_duplicate and BYPASS in rules.others,
        rules=rules,
        layer_decay=layer_decay,
        layers=layers,
    )


def key_order(key: str) -> tuple[int, str]:
    """Return what sorts custom keys in the order they are tried: most characters first, then by alphabet."""
    return -len(key), key


def _product(base: float | None, mult: float | None) -> float | None:
    return None if base is None or mult is None else base * mult


def _multiplier_verdict(
    option: str, multiplier: Multiplier, base_lr: float | None, base_weight_decay: float | None
) -> Verdict:
    for_lr = option in LR_OPTIONS
    return Verdict(
        rule=LR_OPTIONS[option] if for_lr else WEIGHT_DECAY_OPTIONS[option],
        option=option,
        mult=multiplier.value,
        value=_product(base_lr if for_lr else base_weight_decay, multiplier.value),
        place=multiplier.place,
    )


def _key_rule(
    custom: CustomKey,
    base_lr: float | None,
    base_weight_decay: float | None,
    default_weight_decay: Verdict,
    rules: RuleSet,
) -> KeyRule:
    """Return what a key does: it sets both products, then copies every field; its own ``lr`` comes first."""
    fields = {name: v for name, v in custom.fields.items() if _is_read(name, rules)}
    mult = fields.get("lr_mult", 1.0) if rules.keys_set_lr else 1.0
    lr = _key_verdict(custom, fields.get("lr"), mult, base_lr)
    weight_decay = _key_verdict(
        custom, fields.get("weight_decay"), fields.get("decay_mult", 1.0), base_weight_decay
    )
    if weight_decay.value is None:
        weight_decay = default_weight_decay
    entries = {"lr": lr.value, "weight_decay": weight_decay.value}
    copied = {
        name: value
        for name, value in fields.items()
        if rules.copies_fields and (rules.keeps_decay_mult or name != "decay_mult")
    }
    return KeyRule(
        key=custom.key,
        lr=lr,
        weight_decay=weight_decay,
        entries={k: v for k, v in entries.items() if v is not None} | copied,
        missing_lr=base_lr is None,
        nones=() if rules.copies_fields else _nones(fields, base_weight_decay),
        decides_lr=not rules.has_layers or lr.mult != 1,
        sets_decay=not fields.keys().isdisjoint(("decay_mult", "weight_decay")),
    )


def _nones(fields: Mapping[str, Any], base_weight_decay: float | None) -> tuple[str, ...]:
    """Return the fields by which mmcv 1.x multiplies though they are None."""
    asked = ("lr_mult",) if base_weight_decay is None else ("lr_mult", "decay_mult")
    return tuple(name for name in asked if fields.get(name, 1.0) is None)


def _is_read(field: str, rules: RuleSet) -> bool:
    """Return whether a constructor reads a field of a custom key."""
    if not rules.copies_fields:
        return field in ("lr_mult", "decay_mult")
    return rules.keys_set_lr or field != "lr"


def _key_verdict(
    custom: CustomKey, value: float | None, mult: float | None, base: float | None
) -> Verdict:
    """Return the product, unless the key gives the value itself."""
    rule, key, place = Rule.CUSTOM_KEY, custom.key, custom.place
    if value is not None:
        return Verdict(rule=rule, key=key, mult=None, value=value, place=place)
    return Verdict(rule=rule, key=key, mult=mult, value=_product(base, mult), place=place)


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
