"""Which rule owns a parameter: the one place that knows.

``decide`` and ``trace`` are one function body; the second also writes down every candidate that
was tried, and goes on past the winner to tell what the others would have done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from optplan.errors import PlanError, Problem, quoted
from optplan.facts import ParameterFacts
from optplan.names import Mistake
from optplan.rules.conditions import LR_RULES, WEIGHT_DECAY_RULES, Condition
from optplan.rules.options import LR_OPTIONS, WEIGHT_DECAY_OPTIONS, KeyRule, Options, Verdict


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
        reason: Why it won, who beat it, or why it did not apply.
    """

    setting: str
    verdict: Verdict
    outcome: Outcome
    reason: str


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
    lr = _choose("lr", facts, options, key, notes)
    weight_decay = _choose("weight_decay", facts, options, key, notes)
    if key is not None:
        _require_lr(key.missing_lr, f"custom key {quoted(key.key)}", key.lr, facts)
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
        outcome, reason = Outcome.WON, "the longest key in the name"
    elif len(winner.key) > len(key.key):
        outcome, reason = (
            Outcome.LOST,
            f"{quoted(key.key)} matches too, but {quoted(winner.key)} is longer",
        )
    else:
        outcome = Outcome.LOST
        reason = (
            f"{quoted(key.key)} is as long as {quoted(winner.key)}, "
            "which comes first in the alphabet"
        )
    return [
        Candidate(setting="lr", verdict=key.lr, outcome=outcome, reason=reason),
        Candidate(setting="weight_decay", verdict=key.weight_decay, outcome=outcome, reason=reason),
    ]


def _choose(
    setting: str,
    facts: ParameterFacts,
    options: Options,
    key: KeyRule | None,
    notes: list[Candidate] | None,
) -> Verdict | None:
    """The first rule that is switched on and applies; none where a custom key decides alone."""
    if key is not None and notes is None:
        return None
    winner: Verdict | None = None
    idle: list[Candidate] = []
    for option, conditions in (LR_RULES if setting == "lr" else WEIGHT_DECAY_RULES).items():
        verdict = _switched_on(option, setting, options)
        if verdict is None and notes is None:
            continue
        missing = next((c for c in conditions if not c.holds(facts)), None)
        if notes is not None:
            if verdict is not None:
                notes.append(_note(setting, verdict, conditions, missing, facts, winner, key))
            elif missing is None:
                idle.extend(_idle(setting, option, options))
        if verdict is not None and missing is None and winner is None and key is None:
            winner = verdict
            if notes is None:
                break
    if notes is not None and winner is None and key is None:
        notes.extend(idle)
    return winner


def _switched_on(option: str, setting: str, options: Options) -> Verdict | None:
    """What an option gives; nothing where it is not set, or has no base weight decay to multiply."""
    if setting == "weight_decay" and options.base_weight_decay is None:
        return None
    return options.multipliers.get(option)


def _note(
    setting: str,
    verdict: Verdict,
    conditions: Sequence[Condition],
    missing: Condition | None,
    facts: ParameterFacts,
    winner: Verdict | None,
    key: KeyRule | None,
) -> Candidate:
    """How a rule fared that is switched on."""
    if missing is not None:
        outcome, reason = Outcome.NOT_APPLICABLE, missing.otherwise(facts)
    elif key is not None or winner is not None:
        rival = "a custom key cancels it" if winner is None else f"{winner.option} comes first"
        given = f"{verdict.option} would have given {_value(verdict)}"
        outcome, reason = Outcome.LOST, f"{given}, {rival}"
    else:
        words = [word for condition in conditions if (word := condition.because(facts))]
        outcome, reason = Outcome.WON, ", ".join(words)
    return Candidate(setting=setting, verdict=verdict, outcome=outcome, reason=reason)


def _idle(setting: str, option: str, options: Options) -> list[Candidate]:
    """A rule that would apply if it were switched on, or if there were a decay to multiply."""
    verdict = options.multipliers.get(option)
    if setting == "weight_decay" and options.base_weight_decay is None:
        if verdict is None:
            return []
        reason = f"{option} does nothing: the optimizer sets no weight_decay"
    else:
        reason = f"{option} is not set"
    rule = LR_OPTIONS[option] if setting == "lr" else WEIGHT_DECAY_OPTIONS[option]
    return [
        Candidate(
            setting=setting,
            verdict=verdict or Verdict(rule=rule, option=option, mult=None),
            outcome=Outcome.NOT_APPLICABLE,
            reason=reason,
        )
    ]


def _value(verdict: Verdict) -> str:
    return "nothing" if verdict.value is None else f"{verdict.value:.6g}"


def _require_lr(is_missing: bool, who: str, verdict: Verdict, facts: ParameterFacts) -> None:
    if is_missing:
        raise PlanError(
            [
                Problem(
                    message=f"{who} multiplies a base lr for {facts.name!r}, but the optimizer sets no lr",
                    place=verdict.place,
                    hint="set lr in the optimizer",
                    kind=Mistake.NO_BASE_VALUE,
                    parameters=(facts.name,),
                )
            ]
        )
