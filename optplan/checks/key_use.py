"""What each custom key does to a model: one pass over parameters and rules for all checks."""

from __future__ import annotations

from dataclasses import dataclass, field

from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.plan import Planned
from optplan.rules import Candidate, KeyRule, Outcome, Skipped, Verdict, trace


@dataclass(slots=True, kw_only=True)
class KeyUse:
    """A custom key and the parameters that have it in their names.

    Args:
        rule: The key.
        won: The parameters that it decides.
        lost: Those that another key decides, with that key.
        skipped: Those that get into no group.
        dropped: Those that it decides and that a weight-decay rule would have decided without it, with
            what that rule would have given.
    """

    rule: KeyRule
    won: list[ParameterFacts] = field(default_factory=list)
    lost: list[tuple[ParameterFacts, str]] = field(default_factory=list)
    skipped: list[ParameterFacts] = field(default_factory=list)
    dropped: list[tuple[ParameterFacts, Verdict]] = field(default_factory=list)

    @property
    def matches(self) -> bool:
        """Whether it is in any name."""
        return bool(self.won or self.lost or self.skipped)


def key_uses(planned: Planned) -> tuple[KeyUse, ...]:
    """What each key does, in the order that keys are tried."""
    inventory, options = planned.inventory, planned.options
    uses = {key.key: KeyUse(rule=key) for key in options.keys}
    if not uses:
        return ()
    for facts in inventory.parameters:
        if not facts.visited:
            continue
        in_group = inventory.carriers[facts.tensor] is not facts
        decision, candidates = trace(facts, options, in_group=in_group)
        if isinstance(decision, Skipped):
            for key, use in uses.items():
                if key in facts.match_name:
                    use.skipped.append(facts)
        elif (winner := decision.lr.key) is not None:
            _count(uses, winner, facts, candidates)
    return tuple(uses.values())


def _count(
    uses: dict[str, KeyUse],
    winner: str,
    facts: ParameterFacts,
    candidates: tuple[Candidate, ...],
) -> None:
    """Book a parameter that a key decides with all keys and rules that it competed with."""
    uses[winner].won.append(facts)
    would_have_won: Verdict | None = None
    for candidate in candidates:
        verdict = candidate.verdict
        if candidate.outcome is not Outcome.LOST:
            continue
        if verdict.rule is Rule.CUSTOM_KEY:
            if candidate.setting == "lr" and verdict.key is not None:
                uses[verdict.key].lost.append((facts, winner))
        elif candidate.setting == "weight_decay" and would_have_won is None:
            would_have_won = verdict
    if would_have_won is not None:
        uses[winner].dropped.append((facts, would_have_won))
