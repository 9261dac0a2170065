"""What each pattern of a list of groups, and each rule of a recipe, does to a model."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.plan.planned import Planned
from optplan.rules import Outcome, Verdict
from optplan.rules.regex_rules import PatternRule, RegexOptions
from optplan.rules.statistics import EntryName, EntryStatistics


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


def pattern_uses(planned: Planned, among: Collection[str] | None = None) -> tuple[PatternUse, ...]:
    """What each pattern does, in the order that they are tried; nothing where there are none.

    Args:
        planned: The plan.
        among: The names to count, None for all.
    """
    options = planned.tracer
    if not isinstance(options, RegexOptions):
        return ()
    uses = {id(rule.lr): PatternUse(rule=rule) for rule in _rules(options)}
    for facts in planned.inventory.parameters:
        is_first = planned.inventory.names_by_tensor[facts.tensor][0] == facts.name
        if not is_first or (among is not None and facts.name not in among):
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


def recipe_entries(planned: Planned, among: Collection[str]) -> tuple[EntryStatistics, ...]:
    """The patterns of a list of groups, or the rules of a recipe, as the entries of other configs.

    Args:
        planned: A plan with a tracer.
        among: The names to count.
    """
    if isinstance(planned.tracer, RegexOptions):
        return tuple(_of_pattern(use) for use in pattern_uses(planned, among))
    return tuple(_of_rules(planned, among))


def _of_pattern(use: PatternUse) -> EntryStatistics:
    lost: dict[EntryName, int] = {}
    for _, winner in use.lost:
        name = EntryName(winner, is_key=True)
        lost[name] = lost.get(name, 0) + 1
    return EntryStatistics(
        name=EntryName(use.rule.text, is_key=True),
        place=use.rule.place,
        lr=use.rule.lr,
        weight_decay=use.rule.weight_decay,
        matched=len(use.won) + len(use.lost),
        won=len(use.won),
        lost=tuple(sorted(lost.items(), key=lambda rival: -rival[1])),
    )


def _of_rules(planned: Planned, among: Collection[str]) -> Iterator[EntryStatistics]:
    """What the rules of a recipe decide, by the option that switches each on."""
    found: dict[str, tuple[str, Verdict, int]] = {}
    rows = {row.name: row for row in planned.plan.parameters}
    for facts in planned.inventory.parameters:
        row = rows[facts.name]
        if row.name not in among or row.group is None:
            continue
        one = planned.assignments[facts.tensor]
        verdicts = (("lr", one.lr_verdict), ("weight_decay", one.weight_decay_verdict))
        for setting, verdict in verdicts:
            if verdict.option is not None:
                _, first, count = found.get(verdict.option, (setting, verdict, 0))
                found[verdict.option] = setting, first, count + 1
    for option, (setting, verdict, count) in found.items():
        falls = verdict.rule is Rule.LAYER_DECAY  # a factor for each layer, which are not told here
        yield EntryStatistics(
            name=EntryName(option, is_key=False),
            place=verdict.place,
            lr=verdict if setting == "lr" and not falls else None,
            weight_decay=verdict if setting == "weight_decay" else None,
            matched=count,
            won=count,
        )
