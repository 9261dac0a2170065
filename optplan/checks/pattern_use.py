"""What each pattern of a list of groups does to a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from optplan.facts import ParameterFacts
from optplan.plan import Planned
from optplan.rules import Outcome
from optplan.rules.regex_groups import PatternRule, RegexOptions


@dataclass(slots=True, kw_only=True)
class PatternUse:
    """A pattern and the parameters that it matches.

    Args:
        rule: The pattern.
        won: The parameters that it takes.
        lost: Those that an earlier pattern takes, with that pattern.
    """

    rule: PatternRule
    won: list[ParameterFacts] = field(default_factory=list)
    lost: list[tuple[ParameterFacts, str]] = field(default_factory=list)

    @property
    def matches(self) -> bool:
        """Whether it matches any name."""
        return bool(self.won or self.lost)


def pattern_uses(planned: Planned) -> tuple[PatternUse, ...]:
    """What each pattern does, in the order that they are tried; nothing where there are none."""
    options = planned.tracer
    if not isinstance(options, RegexOptions):
        return ()
    uses = {id(rule.lr): PatternUse(rule=rule) for rule in _rules(options)}
    for facts in planned.inventory.parameters:
        if planned.inventory.names_by_tensor[facts.tensor][0] != facts.name:
            continue
        winner = ""
        for candidate in options.trace(facts):
            if candidate.setting != "lr":  # a pattern is tried for both at once
                continue
            use = uses[id(candidate.verdict)]
            if candidate.outcome is Outcome.WON:
                winner = use.rule.text
                use.won.append(facts)
            else:
                use.lost.append((facts, winner))
    return tuple(uses.values())


def _rules(options: RegexOptions) -> Iterator[PatternRule]:
    for group in options.groups:
        yield from group.patterns
