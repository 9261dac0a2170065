"""Parameters of one kind of which some are decayed and others are not: OPT201 and OPT202."""

from __future__ import annotations

from collections.abc import Callable

from optplan.checks.facts.context import Context
from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.plan import PlannedParameter
from optplan.rules import Verdict
from optplan.rules.uses import KeyUse

_NO_NORMS = ("normed", "normaliz", "weightnorm", "normlinear", "normconv")


def is_norm_like(facts: ParameterFacts) -> bool:
    """Return whether a parameter is a norm's scale or shift, as its class and shape look: one of many names."""
    owner = facts.owner_class.lower()
    looks_like = facts.owner_is_norm or (
        "norm" in owner and not any(word in owner for word in _NO_NORMS)
    )
    return looks_like and facts.elements == max(facts.shape, default=1)


def decayed_unlike_others(
    context: Context, kind: Callable[[ParameterFacts], bool]
) -> tuple[list[PlannedParameter], int]:
    """Return the decayed parameters of a kind of module, where other modules of the kind are not decayed at all.

    Left out are those that a custom key with a ``decay_mult`` of its own decided, which is meant, and
    those that OPT108 tells of.

    Returns:
        The decayed ones, and how many parameters the modules without any decay have.
    """
    modules: dict[str, list[PlannedParameter]] = {}
    for row, facts in context.pairs:
        if row.weight_decay is not None and row.effective_lr != 0 and kind(facts):
            modules.setdefault(facts.prefix, []).append(row)
    not_decayed = sum(
        len(rows) for rows in modules.values() if not any(row.weight_decay for row in rows)
    )
    if not not_decayed:
        return [], 0
    told = {facts.name for use in context.key_uses for facts, _ in dropped_by(use)}
    asked = {use.rule.key for use in context.key_uses if use.rule.sets_decay}
    found = [
        row
        for rows in modules.values()
        for row in rows
        if is_decayed(row) and row.name not in told and not _is_asked(row, asked)
    ]
    return found, not_decayed


def is_decayed(row: PlannedParameter) -> bool:
    """Return whether a parameter really is decayed: with a weight decay, and an lr to apply it."""
    return bool(row.weight_decay) and row.effective_lr != 0 and row.requires_grad


def _is_asked(row: PlannedParameter, asked: set[str]) -> bool:
    use = row.weight_decay_rule
    return use is not None and use.rule is Rule.CUSTOM_KEY and use.key in asked


def dropped_by(use: KeyUse) -> list[tuple[ParameterFacts, Verdict]]:
    """Return the parameters that a rule would have given another weight decay, where the key does not ask for it."""
    if use.rule.sets_decay or use.rule.lr.value == 0:  # without an lr nothing decays
        return []
    given = use.rule.weight_decay.value
    return [(facts, verdict) for facts, verdict in use.dropped if verdict.value != given]
