"""Word why each candidate won, lost or did not apply: the reasons that ``explain`` shows.

``decide`` finds who wins and asks here for the words. ``conditions`` words what a rule asks of a parameter,
``layer_decay``, ``regex_rules`` and ``timm_groups`` word their own reasons.
"""

from __future__ import annotations

from collections.abc import Sequence

from optplan.errors import quoted
from optplan.facts import ParameterFacts
from optplan.names import LR_OPTIONS, WEIGHT_DECAY_OPTIONS
from optplan.rules.conditions import Condition
from optplan.rules.decision import Candidate, Outcome
from optplan.rules.options import KeyRule, Options, Verdict


def key_candidates(key: KeyRule, winner: KeyRule | None) -> list[Candidate]:
    """Return the candidates of a key that is in the name, with why it won or lost against ``winner``."""
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
    verdicts = {"weight_decay": key.weight_decay}
    if key.decides_lr:
        verdicts = {"lr": key.lr, **verdicts}
    return [
        Candidate(setting=setting, verdict=verdict, outcome=outcome, reason=reason)
        for setting, verdict in verdicts.items()
    ]


def rule_candidate(
    setting: str,
    verdict: Verdict,
    conditions: Sequence[Condition],
    missing: Condition | None,
    facts: ParameterFacts,
    winner: Verdict | None,
    key: KeyRule | None,
) -> Candidate:
    """Return the candidate of a rule that is switched on, with why it won, lost or did not apply."""
    if missing is not None:
        outcome, reason = Outcome.NOT_APPLICABLE, missing.otherwise(facts)
    elif key is not None or winner is not None:
        rival = "a custom key cancels it" if winner is None else f"{winner.option} comes first"
        given = f"{verdict.option} would have given {value_text(verdict)}"
        outcome, reason = Outcome.LOST, f"{given}, {rival}"
    else:
        words = [word for condition in conditions if (word := condition.because(facts))]
        outcome, reason = Outcome.WON, ", ".join(words)
    return Candidate(setting=setting, verdict=verdict, outcome=outcome, reason=reason)


def idle_candidates(setting: str, option: str, options: Options) -> list[Candidate]:
    """Return the candidate of a rule that would apply if it were switched on, or if there were a decay to multiply."""
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


def value_text(verdict: Verdict) -> str:
    """Return the value that a verdict gives, as text."""
    return "nothing" if verdict.value is None else f"{verdict.value:.6g}"
