"""Decide which rule gives a parameter its lr and weight decay: for built-in constructors nothing else decides it.

``decide`` and ``trace`` are one function body; the second also lists every candidate that was tried, and goes
on past the winner to tell what the others would have done. The order of keys comes from ``options.key_order``,
that of rules from ``conditions``; ``reasons`` words why a candidate won or lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optplan.errors import quoted
from optplan.facts import ParameterFacts
from optplan.rules.base_values import refuse_none, require_lr
from optplan.rules.conditions import Condition
from optplan.rules.decision import Candidate, Decision, Skipped
from optplan.rules.layer_decay import with_layer
from optplan.rules.options import KeyRule, Options, Verdict
from optplan.rules.reasons import idle_candidates, key_candidates, rule_candidate


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
    candidates: list[Candidate] = []
    return _decide(facts, options, in_group, candidates), tuple(candidates)


def _decide(
    facts: ParameterFacts, options: Options, in_group: bool, candidates: list[Candidate] | None
) -> Decision | Skipped:
    if options.is_empty:
        return Decision(
            lr=options.default_lr, weight_decay=options.default_weight_decay, entries={}
        )
    if options.rules.takes_frozen and not facts.requires_grad:
        return Decision(options.default_lr, options.default_weight_decay, {})
    if options.bypass_duplicate and in_group:
        return Skipped.DUPLICATE
    if not facts.requires_grad:
        return Skipped.FROZEN
    key = _winning_key(options.rules.match_name(facts), options.keys, candidates)
    lr = _choose("lr", facts, options, key, candidates)
    weight_decay = _choose("weight_decay", facts, options, key, candidates)
    decision = _without_layers(facts, options, key, lr, weight_decay)
    return (
        decision
        if options.layer_decay is None
        else with_layer(decision, facts, options, candidates)
    )


def _without_layers(
    facts: ParameterFacts,
    options: Options,
    key: KeyRule | None,
    lr: Verdict | None,
    weight_decay: Verdict | None,
) -> Decision:
    if key is not None:
        require_lr(key.missing_lr, f"custom key {quoted(key.key)}", key.lr, facts)
        for field in key.nones:
            refuse_none(f"{field} of custom key {quoted(key.key)}", key.lr, facts)
        return Decision(
            lr=key.lr if key.decides_lr else options.default_lr,
            weight_decay=key.weight_decay,
            entries=key.entries,
            key=key.key,
        )
    entries: dict[str, Any] = {}
    if lr is None and options.rules.multiplies_unset and options.base_lr is None:
        _require_lr_for_rules(facts, options)
    for verdict in (lr, weight_decay):
        if verdict is not None and verdict.mult is None and not options.rules.copies_fields:
            refuse_none(str(verdict.option), verdict, facts)
    if lr is not None:
        require_lr(lr.value is None, str(lr.option), lr, facts)
        entries["lr"] = lr.value
    if weight_decay is not None:
        entries["weight_decay"] = weight_decay.value
    return Decision(lr or options.default_lr, weight_decay or options.default_weight_decay, entries)


def _require_lr_for_rules(facts: ParameterFacts, options: Options) -> None:
    """Refuse a parameter that an lr rule applies to, where there is no base lr to multiply.

    Raises:
        PlanError: It is such a parameter.
    """
    for option, conditions in options.rules.lr_rules.items():
        if _unmet(conditions, facts) is None:
            require_lr(True, f"{option} (1 where it is not set)", options.default_lr, facts)


def _winning_key(
    name: str, keys: Sequence[KeyRule], candidates: list[Candidate] | None
) -> KeyRule | None:
    """Return the first key that is a part of the name; ``options.key_order`` has sorted them, the longest first."""
    winner: KeyRule | None = None
    for key in keys:
        if key.key in name:
            if candidates is None:
                return key
            candidates.extend(key_candidates(key, winner))
            winner = winner or key
    return winner


def _choose(
    setting: str,
    facts: ParameterFacts,
    options: Options,
    key: KeyRule | None,
    candidates: list[Candidate] | None,
) -> Verdict | None:
    """Return the first rule that is switched on and applies; none where a custom key decides alone."""
    if key is not None and candidates is None:
        return None
    winner: Verdict | None = None
    idle: list[Candidate] = []
    tried, verdicts = _tried(setting, options)
    for option, conditions in tried.items():
        verdict = verdicts.get(option)
        if verdict is None and candidates is None:
            continue
        missing = _unmet(conditions, facts)
        if candidates is not None:
            if verdict is not None:
                candidates.append(
                    rule_candidate(setting, verdict, conditions, missing, facts, winner, key)
                )
            elif missing is None:
                idle.extend(idle_candidates(setting, option, options))
        if verdict is not None and missing is None and winner is None and key is None:
            winner = verdict
            if candidates is None:
                break
    if candidates is not None and winner is None and key is None:
        candidates.extend(idle)
    return winner


def applicable(setting: str, facts: ParameterFacts, options: Options) -> list[str]:
    """Return the options that are switched on and apply to a parameter, in the order that they are tried."""
    tried, verdicts = _tried(setting, options)
    return [o for o, asked in tried.items() if o in verdicts and _unmet(asked, facts) is None]


def _tried(
    setting: str, options: Options
) -> tuple[Mapping[str, tuple[Condition, ...]], Mapping[str, Verdict]]:
    """Return the options in their order with what each asks, and what those that are switched on give."""
    rules = options.rules
    if setting == "lr":
        return rules.lr_rules, options.multipliers
    # without a base weight decay there is nothing to multiply
    given = {} if options.base_weight_decay is None else options.multipliers
    return rules.weight_decay_rules, given


def _unmet(conditions: Iterable[Condition], facts: ParameterFacts) -> Condition | None:
    """Return the first condition that does not hold."""
    for condition in conditions:
        if not condition.holds(facts):
            return condition
    return None
