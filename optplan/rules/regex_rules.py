"""Decide which group takes a parameter by regular expressions: the first that matches."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from optplan.config.regex_groups import RegexGroup, RegexGroups
from optplan.errors import quoted
from optplan.facts import ParameterFacts
from optplan.names import Matcher, Rule
from optplan.places import Place
from optplan.rules.decision import Candidate, Decision, Outcome, Skipped
from optplan.rules.options import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    """A pattern, with what it gives to a parameter that it takes."""

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
        candidates: list[Candidate] = []
        _decide(facts, self, candidates)
        return tuple(candidates)

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
    return _decide(facts, options, None)


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


def _decide(
    facts: ParameterFacts, options: RegexOptions, candidates: list[Candidate] | None
) -> Taken | Skipped | None:
    if not facts.requires_grad and not options.takes_frozen:
        return Skipped.FROZEN
    taken: Taken | None = None
    winner: PatternRule | None = None
    for index, group in enumerate(options.groups):
        for pattern in group.patterns:
            if not matches(pattern, facts.name, options.matcher):
                continue
            if taken is None:
                winner = pattern
                taken = Taken(group=index, decision=_decision(group, pattern))
                if candidates is None:
                    return taken
            candidates = candidates if candidates is not None else []
            candidates.extend(_candidates(pattern, winner, len(options.groups) > 1))
    if taken is None and options.has_rest:
        rest = Decision(
            lr=options.default_lr, weight_decay=options.default_weight_decay, entries={}
        )
        return Taken(group=None, decision=rest)
    return taken


def _decision(group: GroupRule, pattern: PatternRule) -> Decision:
    return Decision(lr=pattern.lr, weight_decay=pattern.weight_decay, entries=group.entries)


def _candidates(
    pattern: PatternRule, winner: PatternRule | None, has_others: bool
) -> Iterator[Candidate]:
    if pattern is winner:
        outcome = Outcome.WON
        reason = "the first pattern that matches" if has_others else "it matches"
    else:
        outcome = Outcome.LOST
        reason = f"matches too, but {quoted(winner.text if winner else '')} comes first"
    for setting, verdict in (("lr", pattern.lr), ("weight_decay", pattern.weight_decay)):
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
    default_lr = Verdict(rule=Rule.DEFAULT, place=lr_place)
    default_weight_decay = Verdict(rule=Rule.DEFAULT, place=weight_decay_place)
    return RegexOptions(
        matcher=groups.matcher,
        groups=tuple(_group_rule(g, base_lr, base_weight_decay) for g in groups.groups),
        default_lr=default_lr,
        default_weight_decay=default_weight_decay,
        takes_frozen=groups.takes_frozen,
        has_rest=groups.has_rest,
    )


def _group_rule(
    group: RegexGroup, base_lr: float | None, base_weight_decay: float | None
) -> GroupRule:
    entries = dict(group.entries)
    for name, base, mult in (
        ("lr", base_lr, group.lr_mult),
        ("weight_decay", base_weight_decay, group.decay_mult),
    ):
        if mult is not None and base is not None and name not in entries:
            entries[name] = base * mult
    return GroupRule(
        patterns=tuple(
            PatternRule(
                text=pattern.text,
                place=pattern.place,
                compiled=_compiled(pattern.text),
                lr=_verdict(group, pattern.text, "lr", group.lr_mult, entries, pattern.place),
                weight_decay=_verdict(
                    group, pattern.text, "weight_decay", group.decay_mult, entries, pattern.place
                ),
            )
            for pattern in group.patterns
        ),
        entries=entries,
    )


def _verdict(
    group: RegexGroup,
    text: str,
    name: str,
    mult: float | None,
    entries: Mapping[str, Any],
    place: Place | None,
) -> Verdict:
    """Return what a pattern gives to one value; a group that does not set it keeps the optimizer's own."""
    written = name in group.entries
    return Verdict(
        rule=Rule.REGEX,
        key=text,
        mult=None if written else (1.0 if mult is None else mult),
        value=entries.get(name),
        place=group.places.get(name) or place,
    )


def _compiled(text: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what may mean something else in a later Python
        return re.compile(text)
