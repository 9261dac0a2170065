"""What each custom key does to a model: one pass over parameters and rules for all checks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.plan import Planned
from optplan.rules import KeyRule, Options, Skipped, Verdict, decide


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
    """What each key does, in the order that keys are tried.

    A parameter that the constructor's own code decided counts as skipped, and so does a frozen one that is in
    a group as it is: no key won it.
    """
    inventory, options = planned.inventory, planned.options
    if options is None:
        return ()
    by_code = {
        row.name
        for row in planned.plan.parameters
        if row.lr_rule is not None and row.lr_rule.rule is Rule.CONSTRUCTOR
    }
    uses = {key.key: KeyUse(rule=key) for key in options.keys}
    narrowed: dict[tuple[str, ...], Options] = {}
    without_keys = replace(options, keys=())
    visited = [facts for facts in inventory.parameters if facts.visited]
    for facts, keys in zip(visited, _matching_keys(visited, options), strict=True):
        if not keys:
            continue
        in_group = inventory.primary_names[facts.tensor] is not facts
        # the rules for a name are the same without the keys that are not in it, and found much faster
        names = tuple(key.key for key in keys)
        if names not in narrowed:
            narrowed[names] = replace(options, keys=tuple(keys))
        decision = decide(facts, narrowed[names], in_group=in_group)
        if isinstance(decision, Skipped) or facts.name in by_code or decision.key is None:
            for key in keys:
                uses[key.key].skipped.append(facts)
            continue
        winner = uses[str(decision.key)]
        winner.won.append(facts)
        for key in keys:
            if key is not winner.rule:
                uses[key.key].lost.append((facts, winner.rule.key))
        otherwise = decide(facts, without_keys)
        if not isinstance(otherwise, Skipped) and otherwise.weight_decay.rule is not Rule.DEFAULT:
            winner.dropped.append((facts, otherwise.weight_decay))
    return tuple(uses.values())


def _matching_keys(parameters: Sequence[ParameterFacts], options: Options) -> list[list[KeyRule]]:
    """For each parameter the keys that are in its name, in their order.

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
