"""Decide the weight decay as timm's optimizer factory does: facts and options in, decisions out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

from optplan.errors import quoted
from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.places import Place
from optplan.rules.decision import Candidate, Outcome
from optplan.rules.options import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TimmOptions:
    """What ``create_optimizer_v2`` is given, and what the model declares.

    Args:
        weight_decay: The weight decay; nothing is spared where there is none.
        has_layer_decay: Whether groups are made by layers.
        spares_flat: ``filter_bias_and_bn``: flat parameters get no weight decay.
        declared: Names and patterns of names that the model itself wants to be spared weight decay.
        default_lr, default_weight_decay: The verdicts where no rule decides.
        layer_decay_place: Where the layer decay is written.
    """

    weight_decay: float
    has_layer_decay: bool
    spares_flat: bool
    declared: tuple[str, ...]
    default_lr: Verdict
    default_weight_decay: Verdict
    layer_decay_place: Place | None

    def trace(self, facts: ParameterFacts) -> tuple[Candidate, ...]:
        """Return every rule that could have decided the weight decay, in the order of timm's own conditions."""
        if not self.weight_decay:
            return ()
        return tuple(_candidates(facts, self))

    def unmatched(self, facts: ParameterFacts) -> tuple[str, ...]:  # noqa: ARG002 - there are no keys
        """Return nothing: timm has no keys to match."""
        return ()


def decide_weight_decay(facts: ParameterFacts, options: TimmOptions) -> Verdict:
    """Return the rule that decides a parameter's weight decay."""
    won = (c.verdict for c in options.trace(facts) if c.outcome is Outcome.WON)
    return next(won, options.default_weight_decay)


def _candidates(facts: ParameterFacts, options: TimmOptions) -> Iterator[Candidate]:
    winner: Rule | None = None
    if options.spares_flat:
        reason = _why_flat(facts, options)
        if reason:
            winner = Rule.FLAT
            yield _candidate(Rule.FLAT, Outcome.WON, reason)
        else:
            yield _candidate(Rule.FLAT, Outcome.NOT_APPLICABLE, _why_not_flat(facts, options))
    pattern = next((p for p in options.declared if fnmatch(facts.name, p)), None)
    if pattern is not None:
        reason = f"the model's no_weight_decay() names {quoted(pattern)}"
        if winner is None:
            yield _candidate(Rule.NO_WEIGHT_DECAY, Outcome.WON, reason)
        else:
            yield _candidate(Rule.NO_WEIGHT_DECAY, Outcome.LOST, f"{reason}, {winner} comes first")
    elif options.declared:
        yield _candidate(
            Rule.NO_WEIGHT_DECAY,
            Outcome.NOT_APPLICABLE,
            "the model's no_weight_decay() does not name it",
        )


_SPARED = {
    rule: Verdict(rule=rule, option=option, mult=0.0, value=0.0)
    for rule, option in (
        (Rule.FLAT, "filter_bias_and_bn"),
        (Rule.NO_WEIGHT_DECAY, "no_weight_decay"),
    )
}


def _candidate(rule: Rule, outcome: Outcome, reason: str) -> Candidate:
    return Candidate(setting="weight_decay", verdict=_SPARED[rule], outcome=outcome, reason=reason)


def _why_flat(facts: ParameterFacts, options: TimmOptions) -> str:
    """Return why timm takes it for flat, '' where it does not."""
    if len(facts.shape) <= 1:
        return "it has one dimension" if facts.shape else "it is a single number"
    # by layers, timm asks for the dimensions alone
    if not options.has_layer_decay and facts.name.endswith(".bias"):
        return "its name ends in '.bias'"
    return ""


def _why_not_flat(facts: ParameterFacts, options: TimmOptions) -> str:
    text = f"it has {len(facts.shape)} dimensions"
    if not options.has_layer_decay:
        return f"{text}, and its name does not end in '.bias'"
    return text
