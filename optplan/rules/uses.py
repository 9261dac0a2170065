"""Find the parameters that each custom key or pattern matches, and who decides them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from optplan.facts import Inventory, ParameterFacts
from optplan.names import Rule
from optplan.rules.decide import decide
from optplan.rules.decision import Decision, Skipped
from optplan.rules.options import KeyRule, Options, Verdict
from optplan.rules.regex_rules import PatternRule, RegexOptions

_Rule = TypeVar("_Rule", KeyRule, PatternRule)


@dataclass(slots=True, kw_only=True)
class Use(Generic[_Rule]):
    """A custom key or a pattern and the parameters that it matches.

    Args:
        rule: The key or the pattern.
        text: Its text.
        hits: What it matches, each with the text that decides it; None for what gets into no group, or is
            decided by the constructor's own code.
        dropped: The parameters that it decides and that a weight-decay rule would have decided without it,
            with what that rule would have given.
    """

    rule: _Rule
    text: str
    hits: list[tuple[ParameterFacts, str | None]] = field(default_factory=list)
    dropped: list[tuple[ParameterFacts, Verdict]] = field(default_factory=list)

    @property
    def won(self) -> list[ParameterFacts]:
        """The parameters that it decides."""
        return [facts for facts, winner in self.hits if winner == self.text]

    @property
    def lost(self) -> list[tuple[ParameterFacts, str]]:
        """Those that another one decides, with its text."""
        return [
            (facts, text) for facts, text in self.hits if text not in (None, self.text) and text
        ]

    @property
    def matches(self) -> bool:
        """Whether it matches any name."""
        return bool(self.hits)


KeyUse = Use[KeyRule]
PatternUse = Use[PatternRule]


def key_uses(
    inventory: Inventory, options: Options, by_code: Collection[str] = ()
) -> tuple[KeyUse, ...]:
    """Return what each key does, in the order that keys are tried.

    Args:
        inventory: The model's parameters.
        options: What the rules work with.
        by_code: The names that the constructor's own code decided.
    """
    uses = {key.key: Use(rule=key, text=key.key) for key in options.keys}
    for visit in visits(inventory, options, every_name=False):
        add_visit(uses, visit, visit.facts.name not in by_code)
    return tuple(uses.values())


def add_visit(uses: dict[str, KeyUse], visit: Visit, is_by_rules: bool = True) -> None:
    """Add a parameter to the uses of the keys that are in its name."""
    if not visit.keys:
        return
    winner = visit.keys[0].key
    is_won = is_by_rules and isinstance(visit.rest, Decision)
    for key in visit.keys:
        uses[key.key].hits.append((visit.facts, winner if is_won else None))
    if is_won and isinstance(visit.rest, Decision):
        verdict = visit.rest.weight_decay
        if verdict.rule is not Rule.DEFAULT:
            uses[winner].dropped.append((visit.facts, verdict))


class Visit(NamedTuple):
    """A parameter that a constructor comes by.

    Args:
        facts: The parameter.
        keys: The keys that are in its name, in the order that they are tried.
        rest: What the other rules decide; or why it gets into no group. A frozen one that is put into a
            group as it is counts as frozen.
    """

    facts: ParameterFacts
    keys: Sequence[KeyRule]
    rest: Decision | Skipped


def visits(inventory: Inventory, options: Options, *, every_name: bool) -> Iterator[Visit]:
    """Yield the parameters that a constructor visits.

    Args:
        inventory: The model's parameters.
        options: What the rules work with.
        every_name: Yield those too that no key is in.
    """
    visited = [facts for facts in inventory.parameters if facts.visited and not options.is_empty]
    without_keys = replace(options, keys=())
    for facts, keys in zip(visited, _matching_keys(visited, options), strict=True):
        if keys or every_name:
            in_group = inventory.primary_names[facts.tensor] is not facts
            rest = decide(facts, without_keys, in_group=in_group)
            yield Visit(facts, keys, rest if facts.requires_grad else Skipped.FROZEN)


def _matching_keys(parameters: Sequence[ParameterFacts], options: Options) -> list[list[KeyRule]]:
    """Return for each parameter the keys that are in its name, in their order.

    Each key is looked for in one text of all names, as a look into each name by itself takes far longer.
    """
    names = [options.rules.match_name(facts) for facts in parameters]
    starts = list(accumulate((len(name) + 1 for name in names), initial=0))
    text = "\n".join(names)
    found: list[list[KeyRule]] = [[] for _ in names]
    for key in options.keys if names else ():
        at = text.find(key.key)
        while at >= 0:
            index = bisect_right(starts, at) - 1
            if key.key in names[index]:  # not so where it runs over the end of a name
                found[index].append(key)
            at = text.find(key.key, starts[index + 1]) if index + 1 < len(names) else -1
    return found


def pattern_uses(
    inventory: Inventory, options: RegexOptions, among: Collection[str] | None = None
) -> tuple[PatternUse, ...]:
    """Return what each pattern does, in the order that they are tried.

    Args:
        inventory: The model's parameters.
        options: The patterns.
        among: The names to count, None for all.
    """
    rules = [rule for group in options.groups for rule in group.patterns]
    uses = {id(rule): Use(rule=rule, text=rule.text) for rule in rules}
    for facts in inventory.parameters:
        is_first = inventory.names_by_tensor[facts.tensor][0] == facts.name
        if not is_first or (among is not None and facts.name not in among):
            continue
        matched = [pattern for _, pattern in options.matching(facts)]
        for pattern in matched:
            uses[id(pattern)].hits.append((facts, matched[0].text))
    return tuple(uses.values())
