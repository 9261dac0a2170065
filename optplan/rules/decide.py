"""Which rule owns a parameter: the one place that knows.

``decide`` and ``trace`` are one function body; the second also writes down every candidate that
was tried, and goes on past the winner to tell what the others would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from optplan.errors import PlanError
from optplan.facts import ParameterFacts
from optplan.rules.options import KeyRule, Options, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a parameter gets.

    Args:
        lr: The verdict on its lr.
        weight_decay: The verdict on its weight decay.
        entries: What its param group holds besides ``params``.
    """

    lr: Verdict
    weight_decay: Verdict
    entries: Mapping[str, Any]


class Skipped(StrEnum):
    """Why a parameter gets into no group."""

    DUPLICATE = "duplicate"
    FROZEN = "frozen"


class Outcome(StrEnum):
    """How a candidate fared."""

    WON = "won"
    LOST = "lost"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One rule that was tried for the lr or the weight decay of one parameter.

    Args:
        setting: ``lr`` or ``weight_decay``.
        verdict: What it gives, or would have given.
        outcome: Whether it won.
        reason: Why it did not apply or who beat it; '' for a winner.
    """

    setting: str
    verdict: Verdict
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A fact that a rule asks for, and what to say where it does not hold."""

    holds: Callable[[ParameterFacts], bool]
    otherwise: Callable[[ParameterFacts], str]


_IS_BIAS = _Condition(
    lambda facts: facts.local == "bias",
    lambda facts: f"its own name is {facts.local!r}, not 'bias'",
)
_OWNER_IS_NORM = _Condition(
    lambda facts: facts.owner_is_norm,
    lambda facts: f"{facts.owner_class} is not one of the classes that norm_decay_mult knows",
)
_OWNER_IS_NO_NORM = _Condition(
    lambda facts: not facts.owner_is_norm,
    lambda facts: f"bias_lr_mult leaves norms out, and {facts.owner_class} is one",
)
_PARENT_IS_DCN = _Condition(
    lambda facts: facts.parent_is_dcn,
    lambda _: "its module does not stand in a deformable convolution",
)
_PARENT_IS_NO_DCN = _Condition(
    lambda facts: not facts.parent_is_dcn,
    lambda _: "its module stands in a deformable convolution",
)
_IN_CONV_OFFSET = _Condition(
    lambda facts: "conv_offset" in facts.prefix,
    lambda facts: f"'conv_offset' is not in {facts.prefix!r}",
)
_OWNER_IS_CONV2D = _Condition(
    lambda facts: facts.owner_is_conv2d,
    lambda facts: f"{facts.owner_class} is not a Conv2d",
)
_OWNER_IS_DEPTHWISE = _Condition(
    lambda facts: facts.owner_is_depthwise,
    lambda facts: f"its {facts.owner_class} is not a Conv2d with in_channels == groups",
)
_IS_FLAT = _Condition(
    lambda facts: len(facts.shape) == 1,
    lambda facts: f"it has {len(facts.shape)} dimensions, not 1",
)

# The first rule of each table that is switched on and whose conditions all hold decides.
_LR_RULES: Mapping[str, tuple[_Condition, ...]] = MappingProxyType(
    {
        "dcn_offset_lr_mult": (_PARENT_IS_DCN, _IN_CONV_OFFSET, _OWNER_IS_CONV2D),
        "bias_lr_mult": (_IS_BIAS, _OWNER_IS_NO_NORM, _PARENT_IS_NO_DCN),
    },
)
_WEIGHT_DECAY_RULES: Mapping[str, tuple[_Condition, ...]] = MappingProxyType(
    {
        "norm_decay_mult": (_OWNER_IS_NORM,),
        "bias_decay_mult": (_IS_BIAS, _PARENT_IS_NO_DCN),
        "dwconv_decay_mult": (_OWNER_IS_DEPTHWISE,),
        "flat_decay_mult": (_IS_FLAT, _PARENT_IS_NO_DCN),
    },
)


def decide(
    facts: ParameterFacts, options: Options, *, in_group: bool = False
) -> Decision | Skipped:
    """Find the rules that decide a parameter.

    Args:
        facts: The parameter.
        options: The optimizer's base values and ``paramwise_cfg``.
        in_group: Whether its tensor is in a group already.

    Raises:
        PlanError: A rule has to multiply a base lr that is not set.
    """
    return _decide(facts, options, in_group, None)


def trace(
    facts: ParameterFacts, options: Options, *, in_group: bool = False
) -> tuple[Decision | Skipped, tuple[Candidate, ...]]:
    """Like :func:`decide`, with every candidate in the order it was tried.

    Raises:
        PlanError: As :func:`decide`.
    """
    notes: list[Candidate] = []
    return _decide(facts, options, in_group, notes), tuple(notes)


def _decide(
    facts: ParameterFacts, options: Options, in_group: bool, notes: list[Candidate] | None
) -> Decision | Skipped:
    if options.is_empty:
        return Decision(
            lr=options.default_lr, weight_decay=options.default_weight_decay, entries={}
        )
    if options.bypass_duplicate and in_group:
        return Skipped.DUPLICATE
    if not facts.requires_grad:
        return Skipped.FROZEN
    key = _winning_key(facts, options.keys, notes)
    lr = _choose("lr", _LR_RULES, facts, options, key, notes)
    decays = _WEIGHT_DECAY_RULES if options.base_weight_decay is not None else {}
    weight_decay = _choose("weight_decay", decays, facts, options, key, notes)
    if key is not None:
        _require_lr(key.missing_lr, f"custom key {key.key!r}", key.lr, facts)
        return Decision(lr=key.lr, weight_decay=key.weight_decay, entries=key.entries)
    entries: dict[str, Any] = {}
    if lr is not None:
        _require_lr(lr.value is None, str(lr.option), lr, facts)
        entries["lr"] = lr.value
    if weight_decay is not None:
        entries["weight_decay"] = weight_decay.value
    return Decision(
        lr=lr or options.default_lr,
        weight_decay=weight_decay or options.default_weight_decay,
        entries=entries,
    )


def _winning_key(
    facts: ParameterFacts, keys: Sequence[KeyRule], notes: list[Candidate] | None
) -> KeyRule | None:
    """The first key that is a part of the name."""
    name = facts.match_name
    winner: KeyRule | None = None
    for key in keys:
        if key.key in name:
            if notes is None:
                return key
            notes.extend(_key_notes(key, winner))
            winner = winner or key
    return winner


def _key_notes(key: KeyRule, winner: KeyRule | None) -> list[Candidate]:
    if winner is None:
        outcome, reason = Outcome.WON, ""
    elif len(winner.key) > len(key.key):
        outcome, reason = Outcome.LOST, f"{key.key!r} matches too, but {winner.key!r} is longer"
    else:
        outcome = Outcome.LOST
        reason = f"{key.key!r} is as long as {winner.key!r}, which comes first in the alphabet"
    return [
        Candidate(setting="lr", verdict=key.lr, outcome=outcome, reason=reason),
        Candidate(setting="weight_decay", verdict=key.weight_decay, outcome=outcome, reason=reason),
    ]


def _choose(
    setting: str,
    rules: Mapping[str, tuple[_Condition, ...]],
    facts: ParameterFacts,
    options: Options,
    key: KeyRule | None,
    notes: list[Candidate] | None,
) -> Verdict | None:
    """The first rule that is switched on and applies; none where a custom key decides alone."""
    if key is not None and notes is None:
        return None
    winner: Verdict | None = None
    for option, conditions in rules.items():
        verdict = options.multipliers.get(option)
        if verdict is None:
            continue
        missing = next((c for c in conditions if not c.holds(facts)), None)
        applies = missing is None
        if notes is not None:
            notes.append(_note(setting, verdict, missing, facts, winner, key))
        if applies and winner is None:
            winner = verdict
            if notes is None:
                break
    return winner


def _note(
    setting: str,
    verdict: Verdict,
    missing: _Condition | None,
    facts: ParameterFacts,
    winner: Verdict | None,
    key: KeyRule | None,
) -> Candidate:
    if missing is not None:
        outcome, reason = Outcome.NOT_APPLICABLE, missing.otherwise(facts)
    elif key is not None:
        outcome = Outcome.LOST
        reason = f"{verdict.option} would have given {verdict.value}, a custom key cancels it"
    elif winner is not None:
        outcome = Outcome.LOST
        reason = f"{verdict.option} would have given {verdict.value}, {winner.option} comes first"
    else:
        outcome, reason = Outcome.WON, ""
    return Candidate(setting=setting, verdict=verdict, outcome=outcome, reason=reason)


def _require_lr(is_missing: bool, who: str, verdict: Verdict, facts: ParameterFacts) -> None:
    if is_missing:
        raise PlanError(
            f"{who} multiplies a base lr for {facts.name!r}, but the optimizer sets no lr",
            place=verdict.place,
            hint="set lr in the optimizer",
        )
