"""Over the grid every rule wins often, every pair that can compete meets, and trace tells what decide did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import pytest

from optplan.facts import Inventory
from optplan.model import make_inventory
from optplan.names import Rule
from optplan.rules import (
    DEFAULT_RULES,
    Candidate,
    Decision,
    Options,
    Outcome,
    Skipped,
    Verdict,
    decide,
    read_options,
    trace,
)
from tests.conftest import Tell
from tests.grid import BASES, FAMILIES, PARAMWISE, Entries, family

# (winner, one that applied too): all pairs whose conditions can hold for one parameter at once
COMPETING_LR = {
    (Rule.CUSTOM_KEY, Rule.CUSTOM_KEY),
    (Rule.CUSTOM_KEY, Rule.BIAS),
    (Rule.CUSTOM_KEY, Rule.DCN_OFFSET),
}
COMPETING_WEIGHT_DECAY = {
    (Rule.CUSTOM_KEY, Rule.CUSTOM_KEY),
    (Rule.CUSTOM_KEY, Rule.NORM),
    (Rule.CUSTOM_KEY, Rule.BIAS),
    (Rule.CUSTOM_KEY, Rule.DWCONV),
    (Rule.CUSTOM_KEY, Rule.FLAT),
    (Rule.NORM, Rule.BIAS),
    (Rule.NORM, Rule.FLAT),
    (Rule.BIAS, Rule.DWCONV),
    (Rule.BIAS, Rule.FLAT),
    (Rule.DWCONV, Rule.FLAT),
}
WINNERS = {
    "lr": {Rule.CUSTOM_KEY, Rule.BIAS, Rule.DCN_OFFSET, Rule.DEFAULT},
    "weight_decay": {
        Rule.CUSTOM_KEY,
        Rule.NORM,
        Rule.BIAS,
        Rule.DWCONV,
        Rule.FLAT,
        Rule.DEFAULT,
    },
}


@dataclass
class Tally:
    """How often a rule won a setting, and how often it won against another that applied too."""

    wins: Counter[tuple[str, Rule]] = field(default_factory=Counter)
    met: Counter[tuple[str, Rule, Rule]] = field(default_factory=Counter)

    def add(self, setting: str, winner: Verdict, candidates: tuple[Candidate, ...]) -> None:
        self.wins[setting, winner.rule] += 1
        for candidate in candidates:
            if candidate.setting == setting and candidate.outcome is Outcome.LOST:
                self.met[setting, winner.rule, candidate.verdict.rule] += 1


@cache
def inventory_of(family_name: str) -> Inventory:
    return make_inventory(family(family_name))


@cache
def options_of(paramwise_name: str, base_name: str) -> Options:
    base: Entries = BASES[base_name]
    return read_options(
        DEFAULT_RULES, base["lr"], base["weight_decay"], PARAMWISE[paramwise_name], base
    )


def test_every_rule_wins_and_every_pair_meets(tell: Tell) -> None:
    tally = Tally()
    for family_name in FAMILIES:
        for paramwise_name in PARAMWISE:
            options = options_of(paramwise_name, "adamw")
            for facts in inventory_of(family_name).parameters:
                decision, candidates = trace(facts, options)
                assert isinstance(decision, Decision)
                tally.add("lr", decision.lr, candidates)
                tally.add("weight_decay", decision.weight_decay, candidates)
    for setting, rules in WINNERS.items():
        wins = ", ".join(f"{r} {n}" for (s, r), n in sorted(tally.wins.items()) if s == setting)
        tell(f"{setting} over the grid is decided by {wins}")
        assert {rule for s, rule in tally.wins if s == setting} == rules
        assert {rule: n for (_, rule), n in tally.wins.items() if n < 50} == {}
    met = {(winner, loser) for setting, winner, loser in tally.met if setting == "lr"}
    assert met == COMPETING_LR
    met = {(winner, loser) for setting, winner, loser in tally.met if setting == "weight_decay"}
    assert met == COMPETING_WEIGHT_DECAY
    assert {pair: n for pair, n in tally.met.items() if n < 20} == {}


@pytest.mark.parametrize("family_name", FAMILIES)
def test_trace_reports_the_winner_of_decide(family_name: str) -> None:
    for paramwise_name in PARAMWISE:
        options = options_of(paramwise_name, "sgd")
        for facts in inventory_of(family_name).parameters:
            decision = decide(facts, options)
            traced, candidates = trace(facts, options)
            assert traced == decision
            assert isinstance(decision, Decision)
            assert won("lr", candidates) == but_default(decision.lr)
            assert won("weight_decay", candidates) == but_default(decision.weight_decay)


def won(setting: str, candidates: tuple[Candidate, ...]) -> list[Verdict]:
    """What the candidates that are said to have won give."""
    return [
        candidate.verdict
        for candidate in candidates
        if candidate.setting == setting and candidate.outcome is Outcome.WON
    ]


def but_default(verdict: Verdict) -> list[Verdict]:
    """The verdict, or nothing where no rule decided: the default is no candidate."""
    return [] if verdict.rule is Rule.DEFAULT else [verdict]


def test_what_is_skipped_has_no_candidates() -> None:
    options = options_of("all_options", "sgd")
    for facts in inventory_of("resnet18").parameters:
        frozen = facts._replace(requires_grad=False)
        assert trace(frozen, options) == (Skipped.FROZEN, ())
        assert trace(frozen, options, in_group=True) == (Skipped.DUPLICATE, ())
