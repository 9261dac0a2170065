"""Decide which group takes a parameter by regular expressions: the first that matches."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from optplan.config.regex_groups import Pattern, RegexGroup, RegexGroups
from optplan.errors import quoted
from optplan.facts import ParameterFacts
from optplan.names import Matcher, Rule
from optplan.places import Place
from optplan.rules.decision import Candidate, Decision, Outcome, Skipped
from optplan.rules.options import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    """A pattern, with what it gives to a parameter that it takes.

    Its group may set the lr or the weight decay alone: the other one then has the verdict of the default.
    """

    text: str
    place: Place | None
    compiled: re.Pattern[str]
    lr: Verdict
    weight_decay: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """A group: its patterns, of which one is enough, and the entries of its param group."""

    patterns: tuple[PatternRule, ...]
    entries: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexOptions:
    """The groups in the order that they are tried, and what the rest gets.

    Args:
        matcher: How a pattern is held against a name.
        groups: The groups.
        default_lr, default_weight_decay: The verdicts on what no pattern matches.
        takes_frozen: Parameters that are not trainable are looked at too.
        has_rest: What no pattern matches has a group of its own.
    """

    matcher: Matcher
    groups: tuple[GroupRule, ...]
    default_lr: Verdict
    default_weight_decay: Verdict
    takes_frozen: bool
    has_rest: bool

    def trace(self, facts: ParameterFacts) -> tuple[Candidate, ...]:
        """Return every pattern that matches, the one that wins first."""
        matched = [pattern for _, pattern in self.matching(facts)]
        return tuple(
            candidate
            for pattern in matched
            for candidate in _candidates(pattern, matched[0], len(self.groups) > 1)
        )

    def matching(self, facts: ParameterFacts) -> Iterator[tuple[int, PatternRule]]:
        """Yield every pattern that matches with the index of its group, the one that wins first."""
        if facts.requires_grad or self.takes_frozen:
            for index, group in enumerate(self.groups):
                for pattern in group.patterns:
                    if matches(pattern, facts.name, self.matcher):
                        yield index, pattern

    def unmatched(self, facts: ParameterFacts) -> tuple[str, ...]:
        """Return the patterns that do not match a name."""
        return tuple(
            pattern.text
            for group in self.groups
            for pattern in group.patterns
            if not matches(pattern, facts.name, self.matcher)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The group that takes a parameter, by its index; None is the group of the rest."""

    group: int | None
    decision: Decision


def decide_group(facts: ParameterFacts, options: RegexOptions) -> Taken | Skipped | None:
    """Return the first group that takes a parameter.

    Args:
        facts: The parameter, under the first name of its tensor.
        options: The groups.

    Returns:
        None where no pattern matches, and the rest has no group.
    """
    if not facts.requires_grad and not options.takes_frozen:
        return Skipped.FROZEN
    for index, pattern in options.matching(facts):
        entries = options.groups[index].entries
        decision = Decision(lr=pattern.lr, weight_decay=pattern.weight_decay, entries=entries)
        return Taken(group=index, decision=decision)
    if not options.has_rest:
        return None
    rest = Decision(lr=options.default_lr, weight_decay=options.default_weight_decay, entries={})
    return Taken(group=None, decision=rest)


def matches(pattern: PatternRule, name: str, matcher: Matcher) -> bool:
    """Return whether a pattern matches a name."""
    match matcher:
        case Matcher.SEARCH:
            return pattern.compiled.search(name) is not None
        case Matcher.PREFIX:
            # a name itself is a pattern of its own, though its dots may be meant for any character
            return name == pattern.text or pattern.compiled.match(name) is not None
        case Matcher.FULL:
            return pattern.compiled.fullmatch(name) is not None
        case _:
            assert_never(matcher)


def _candidates(pattern: PatternRule, winner: PatternRule, has_others: bool) -> Iterator[Candidate]:
    if pattern is winner:
        outcome = Outcome.WON
        reason = "the first pattern that matches" if has_others else "it matches"
    else:
        outcome = Outcome.LOST
        reason = f"matches too, but {quoted(winner.text)} comes first"
    for setting, verdict in (("lr", pattern.lr), ("weight_decay", pattern.weight_decay)):
        if verdict.rule is Rule.REGEX:
            yield Candidate(setting=setting, verdict=verdict, outcome=outcome, reason=reason)


def make_regex_options(
    groups: RegexGroups,
    *,
    base_lr: float | None,
    base_weight_decay: float | None,
    lr_place: Place | None = None,
    weight_decay_place: Place | None = None,
) -> RegexOptions:
    """Work out every product once.

    Args:
        groups: The groups as they are written.
        base_lr: The optimizer's lr; None where entries name optimizers of their own.
        base_weight_decay: The same for the weight decay.
        lr_place: Where the lr is written.
        weight_decay_place: Where the weight decay is written.
    """
    defaults = {
        "lr": Verdict(rule=Rule.DEFAULT, place=lr_place),
        "weight_decay": Verdict(rule=Rule.DEFAULT, place=weight_decay_place),
    }
    bases = {"lr": base_lr, "weight_decay": base_weight_decay}
    return RegexOptions(
        matcher=groups.matcher,
        groups=tuple(_group_rule(group, bases, defaults) for group in groups.groups),
        default_lr=defaults["lr"],
        default_weight_decay=defaults["weight_decay"],
        takes_frozen=groups.takes_frozen,
        has_rest=groups.has_rest,
    )


def _group_rule(
    group: RegexGroup, bases: Mapping[str, float | None], defaults: Mapping[str, Verdict]
) -> GroupRule:
    entries = dict(group.entries)
    mults = {"lr": group.lr_mult, "weight_decay": group.decay_mult}
    is_set = {
        # a trainer's own factor of 1 stands nowhere
        name: name in entries or (mult is not None and (mult != 1 or bool(group.places.get(name))))
        for name, mult in mults.items()
    }
    for name, mult in mults.items():
        base = bases[name]
        if mult is not None and base is not None:
            entries.setdefault(name, base * mult)

    def verdict(name: str, pattern: Pattern) -> Verdict:
        if not is_set[name] and any(is_set.values()):
            return defaults[name]
        mult = mults[name]
        return Verdict(
            rule=Rule.REGEX,
            key=pattern.text,
            mult=None if name in group.entries else (1.0 if mult is None else mult),
            value=entries.get(name),
            place=group.places.get(name) or pattern.place,
        )

    patterns = tuple(
        PatternRule(
            text=pattern.text,
            place=pattern.place,
            compiled=_compiled(pattern.text),
            lr=verdict("lr", pattern),
            weight_decay=verdict("weight_decay", pattern),
        )
        for pattern in group.patterns
    )
    return GroupRule(patterns=patterns, entries=entries)


def _compiled(text: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what may mean something else in a later Python
        return re.compile(text)
