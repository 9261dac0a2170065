"""Groups by regular expressions, held against the two trainers' ways of sorting, written down anew."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import optplan
from optplan.app.planning import build_optimizers, plan_with_facts
from optplan.config.regex_groups import Pattern, RegexGroup, RegexGroups
from optplan.constructors.regex_timeout import refuse_endless
from optplan.errors import ConfigError, PlanError
from optplan.names import Matcher, Rule, Status
from optplan.plan import Plan
from optplan.plan.explanation import explain
from tests.agreement import exact
from tests.grid import Entries


class Model(nn.Module):
    """Names that one pattern matches from the beginning and another anywhere, a frozen and a tied tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(3, 2)
        self.layers = nn.ModuleList(
            nn.ModuleDict({"norm": nn.LayerNorm(2), "proj": nn.Linear(2, 2)}) for _ in range(2)
        )
        self.frozen = nn.Linear(2, 2)
        self.frozen.weight.requires_grad_(False)
        self.head = nn.Linear(2, 3, bias=False)
        self.head.weight = self.embed.weight


def torchtitan(*groups: Entries, **section: Any) -> Entries:
    return {"optimizer": {"name": "AdamW", "lr": 0.01, **section, "param_groups": list(groups)}}


def fairseq2(*groups: Entries, name: str = "adamw", **section: Any) -> Entries:
    return {"optimizer": {"name": name, "config": {"lr": 0.01, **section, "groups": list(groups)}}}


def first_of(names: list[str], patterns: list[list[str]], how: str) -> dict[str, int | None]:
    """By the first list of patterns one of which matches; the trainers' loops in one line."""
    return {
        name: next(
            (
                at
                for at, group in enumerate(patterns)
                if any(getattr(re, how)(one, name) for one in group)
            ),
            None,
        )
        for name in names
    }


def groups_of(plan: Plan) -> dict[str, int | None]:
    return {row.name: row.group for row in plan.parameters if row.group is not None}


def test_torchtitan_searches() -> None:
    config = torchtitan(
        {"pattern": "norm", "weight_decay_multiplier": 0.0},
        {"pattern": r"\.weight$", "lr_multiplier": 0.5, "weight_decay_multiplier": 2.0},
    )
    plan = optplan.make_plan(Model(), config)
    assert plan.matcher is Matcher.SEARCH
    assert groups_of(plan) == {
        "embed.weight": 2,
        "layers.0.norm.weight": 1,
        "layers.0.norm.bias": 1,
        "layers.0.proj.weight": 2,
        "layers.0.proj.bias": 0,
        "layers.1.norm.weight": 1,
        "layers.1.norm.bias": 1,
        "layers.1.proj.weight": 2,
        "layers.1.proj.bias": 0,
        "frozen.bias": 0,
    }
    rows = {row.name: row for row in plan.parameters}
    assert (rows["layers.0.norm.bias"].lr, rows["layers.0.norm.bias"].weight_decay) == (0.01, 0.0)
    assert (rows["embed.weight"].lr, rows["embed.weight"].weight_decay) == (0.005, 0.2)
    assert (rows["frozen.bias"].lr, rows["frozen.bias"].weight_decay) == (0.01, 0.1)
    assert rows["frozen.weight"].status is Status.FROZEN
    assert rows["head.weight"].status is Status.DUPLICATE
    uses = rows["embed.weight"].lr_rule, rows["layers.0.proj.bias"].lr_rule
    assert uses[0] is not None
    assert uses[1] is not None
    assert (uses[0].rule, uses[0].key, uses[0].mult) == (Rule.REGEX, r"\.weight$", 0.5)
    assert (uses[1].rule, uses[1].key) == (Rule.DEFAULT, None)


@pytest.mark.parametrize("read", [torchtitan, fairseq2])
def test_a_group_decides_the_settings_that_it_sets(read: Any) -> None:
    entries = {
        torchtitan: {"pattern": "norm", "weight_decay_multiplier": 0.0},
        fairseq2: {"params": ".*norm", "weight_decay": 0.0},
    }
    planned = plan_with_facts(Model(), read(entries[read]))
    (explanation,) = explain(planned, ["layers.0.norm.bias"])
    decided = {one.setting: (one.use.rule, one.use.key) for one in explanation.values}
    pattern = "norm" if read is torchtitan else ".*norm"
    assert decided == {"lr": (Rule.DEFAULT, None), "weight_decay": (Rule.REGEX, pattern)}
    tried = {one.setting: [c.verdict.key for c in one.candidates] for one in explanation.values}
    assert tried == {"lr": [], "weight_decay": [pattern]}


def test_torchtitans_defaults_hold_where_nothing_is_written() -> None:
    config = {"optimizer": {"param_groups": [{"pattern": "bias", "beta2": 0.99}]}}
    optimizer = optplan.build_optimizer(Model(), config)
    assert isinstance(optimizer, torch.optim.AdamW)
    rest, biases = optimizer.param_groups
    for group in (rest, biases):
        assert (group["lr"], group["eps"], group["weight_decay"]) == (8e-4, 1e-8, 0.1)
    assert (rest["betas"], biases["betas"]) == ((0.9, 0.95), (0.9, 0.99))


def test_fairseq2_matches_from_the_beginning() -> None:
    config = fairseq2(
        {"params": "norm", "lr": 1.0},  # in the middle of names alone
        {"params": [r"layers\.0\.", "embed"], "lr": 0.5},
        {"params": ".*bias", "weight_decay": 0.25, "betas": [0.5, 0.6]},
        {"params": "frozen.weight", "lr": "default"},
    )
    plan = optplan.make_plan(Model(), config)
    assert plan.matcher is Matcher.PREFIX
    assert groups_of(plan) == {
        "embed.weight": 1,
        "layers.0.norm.weight": 1,
        "layers.0.norm.bias": 1,
        "layers.0.proj.weight": 1,
        "layers.0.proj.bias": 1,
        "layers.1.norm.weight": 4,
        "layers.1.norm.bias": 2,
        "layers.1.proj.weight": 4,
        "layers.1.proj.bias": 2,
        "frozen.weight": 3,  # frozen ones get into groups, too
        "frozen.bias": 2,
    }
    rows = {row.name: row for row in plan.parameters}
    assert (rows["layers.1.norm.bias"].lr, rows["layers.1.norm.bias"].weight_decay) == (0.01, 0.25)
    assert rows["layers.1.norm.bias"].options == {"betas": (0.5, 0.6)}
    assert (rows["layers.1.norm.weight"].lr, rows["layers.1.norm.weight"].weight_decay) == (0.01, 0)
    assert rows["frozen.weight"].status is Status.FROZEN
    optimizer = optplan.build_optimizer(Model(), config)
    assert [len(group["params"]) for group in optimizer.param_groups] == [0, 5, 3, 1, 2]


def test_a_name_itself_matches_in_fairseq2() -> None:
    class Plus(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_parameter("a+", nn.Parameter(torch.zeros(2)))
            self.b = nn.Parameter(torch.zeros(2))

    plan = optplan.make_plan(
        Plus(), fairseq2({"params": "a+", "lr": 0.5}, {"params": "b", "lr": 2.0})
    )
    assert [row.lr for row in plan.parameters] == [0.5, 2.0]


def test_adafactor_is_torchs() -> None:
    config = fairseq2({"params": ".*bias", "d": 0.5}, name="adafactor", eps=[None, 0.01])
    optimizer = optplan.build_optimizer(nn.Linear(2, 2), config)
    assert type(optimizer).__name__ == "Adafactor"
    assert [group["d"] for group in optimizer.param_groups] == [0.5, 1.0]
    assert {group["eps"] for group in optimizer.param_groups} == {(None, 0.01)}
    assert {group["beta2_decay"] for group in optimizer.param_groups} == {-0.8}


def test_without_groups_all_keep_the_sections_values() -> None:
    for config in (torchtitan(), {"optimizer": {"name": "adamw", "config": {"lr": 0.01}}}):
        plan = optplan.make_plan(nn.Linear(2, 2), config)
        assert {(row.lr, row.group) for row in plan.parameters} == {(0.01, 0)}


def test_groups_with_optimizers_of_their_own() -> None:
    config = {
        "optimizer": {
            "param_groups": [
                {
                    "pattern": r"(proj|frozen)\.weight",
                    "optimizer_name": "SGD",
                    "optimizer_kwargs": {"lr": 0.1, "momentum": 0.9},
                },
                {
                    "pattern": "bias$",
                    "optimizer_name": "AdamW",
                    "optimizer_kwargs": {"lr": 0.02, "weight_decay": 0.0},
                },
                {
                    "pattern": ".*",
                    "optimizer_name": "AdamW",
                    "optimizer_kwargs": {"lr": 0.02, "betas": [0.8, 0.9]},
                },
            ]
        }
    }
    plan = optplan.make_plan(Model(), config)
    assert [(one.name, one.type) for one in plan.optimizers] == [("SGD", "SGD"), ("AdamW", "AdamW")]
    got: dict[str, Any] = {
        row.name: (row.optimizer, row.group, row.lr, row.weight_decay) for row in plan.parameters
    }
    assert got["layers.0.proj.weight"] == (0, 0, 0.1, 0)
    assert got["layers.0.norm.bias"] == (1, 0, 0.02, 0.0)
    assert got["embed.weight"] == (1, 1, 0.02, 0.01)
    assert got["frozen.weight"] == (None, None, None, None)
    assert Plan.from_json(plan.to_json()) == plan
    made = build_optimizers(Model(), config)
    assert [type(one) for _, one in made] == [torch.optim.SGD, torch.optim.AdamW]
    with pytest.raises(PlanError, match="2 optimizers"):
        optplan.build_optimizer(Model(), config)


def test_what_torchtitan_refuses_with_own_optimizers() -> None:
    own = {"optimizer_name": "SGD", "optimizer_kwargs": {"lr": 0.1}}
    config = {
        "optimizer": {"param_groups": [{"pattern": "bias", **own}, {"pattern": "biased", **own}]}
    }
    with pytest.raises(PlanError) as raised:
        optplan.make_plan(Model(), config)
    first, second = (str(problem) for problem in raised.value.problems)
    assert first == "the pattern 'biased' takes no parameter (torchtitan refuses that)"
    assert second.startswith("no pattern matches embed.weight, layers.0.norm.weight")
    assert second.endswith("(torchtitan refuses that: end the list with the pattern '.*')")


NAMES = list(dict(Model().named_parameters()))
TRAINABLE = [name for name, p in Model().named_parameters() if p.requires_grad]
PIECES = st.sampled_from(
    [
        "norm",
        "bias",
        "^layers",
        r"\.0\.",
        "weight$",
        ".*",
        "proj|head",
        r"\d",
        "e.*d",
        "[ab]",
        "frozen.+t",
    ]
)


@given(st.lists(PIECES, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_the_first_that_matches_takes_it(patterns: list[str]) -> None:
    groups = [{"pattern": text, "lr_multiplier": float(at + 2)} for at, text in enumerate(patterns)]
    plan = optplan.make_plan(Model(), torchtitan(*groups, lr=1.0))
    expected = first_of(TRAINABLE, [[text] for text in patterns], "search")
    got = {row.name: row.lr for row in plan.parameters if row.group is not None}
    assert got == {name: 1.0 if at is None else at + 2.0 for name, at in expected.items()}


@given(st.lists(st.lists(PIECES, min_size=1, max_size=2), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_first_that_matches_from_the_beginning_takes_it(patterns: list[list[str]]) -> None:
    groups = [{"params": texts, "lr": float(at + 2)} for at, texts in enumerate(patterns)]
    plan = optplan.make_plan(Model(), fairseq2(*groups, lr=1.0))
    expected = first_of(NAMES, patterns, "match")
    got = {row.name: row.lr for row in plan.parameters if row.group is not None}
    assert got == {name: 1.0 if at is None else at + 2.0 for name, at in expected.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "optimizer:\n  lr: 0.1\n  param_groups:\n  - pattern: '(a'\n",
            "4:5: '(a' is no regular expression: missing ), unterminated subpattern at position 0",
        ),
        (
            "optimizer:\n  lr: 0.1\n  param_groups:\n  - lr_multiplier: 2\n",
            "4:5: a pattern must be a text, got NoneType None",
        ),
        (
            "optimizer:\n  lr: 0.1\n  param_groups:\n  - pattern: a\n    lr_multiplyer: 2\n",
            "5:5: a group has no entry 'lr_multiplyer' (did you mean 'lr_multiplier'",
        ),
        (
            "optimizer:\n  lr: 1e-3\n  param_groups: []\n",
            "2:3: lr must be a number, got the string '1e-3' (write 1.0e-3)",
        ),
        (
            "optimizer:\n  param_groups: 3\n",
            "2:3: param_groups must be a list of groups, got int 3",
        ),
        ("optimizer:\n  param_groups: [a]\n", "2:18: a group must be a mapping, got str 'a'"),
        (
            "optimizer:\n  param_groups: []\n  weight_deacy: 1\n",
            "3:3: torchtitan's optimizer has no entry 'weight_deacy' (did you mean 'weight_decay'",
        ),
        (
            "optimizer:\n  name: AdamWW\n  param_groups: []\n",
            "2:3: there is no optimizer 'AdamWW' (did you mean 'AdamW'",
        ),
        (
            "optimizer:\n  param_groups:\n  - pattern: a\n    optimizer_kwargs: {lr: 1e-3}\n",
            "3:5: the group has no optimizer_name",
        ),
        (
            "optimizer:\n  name: adam\n  config: {groups: []}\n",
            "2:3: there is no optimizer 'adam' in fairseq2 (did you mean 'adamw'?)",
        ),
        (
            "optimizer:\n  name: adamw\n  config:\n    groups:\n    - params: ['a', '*']\n      lr: 1\n",
            "5:21: '*' is no regular expression: nothing to repeat at position 0",
        ),
        (
            "optimizer:\n  name: adamw\n  config:\n    groups:\n    - params: a\n      lr: big\n",
            "6:7: lr must be a number, got the string 'big'",
        ),
        (
            "optimizer:\n  name: adamw\n  config:\n    betas: [0.9, x]\n    groups: []\n",
            "4:18: betas must be a number, got the string 'x'",
        ),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises((ConfigError, PlanError)) as raised:
        optplan.make_plan(Model(), optplan.load_config(tmp_path / "a.yaml"))
    assert str(raised.value).startswith(f"{tmp_path}/a.yaml:{message}")


def test_a_pattern_may_not_be_endless() -> None:
    with pytest.raises(ConfigError, match="the pattern has 3000 characters, more than 2000"):
        optplan.make_plan(Model(), torchtitan({"pattern": "a" * 3000}))


ENDLESS = (
    r"^(\w+\.?)+$",
    r"^(a|b|ab)*c",
    "a?" * 40 + "[bc]",
    "(.|..)" * 40 + "x",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
)


@pytest.mark.parametrize("text", ENDLESS)
def test_a_pattern_that_takes_forever_is_refused(text: str) -> None:
    groups = RegexGroups(
        dialect="torchtitan",
        matcher=Matcher.SEARCH,
        groups=(
            RegexGroup(
                patterns=(Pattern(text="fine", place=None), Pattern(text=text, place=None)),
                place=None,
                entries={},
                places={},
            ),
        ),
        optimizers=(),
        place=None,
    )
    names = ["layer", "ab" * 40 + "-", "a" * 39, "a" * 60 + "!"]
    begin = time.monotonic()
    with pytest.raises(PlanError, match=r"takes more than 0\.5 seconds over the 4 names") as raised:
        refuse_endless(groups, names, seconds=0.5)
    assert time.monotonic() - begin < 20
    assert text in str(raised.value)


def test_patterns_that_look_so_and_are_not_are_taken() -> None:
    config = torchtitan(
        {"pattern": r"^(layers\.\d+\.)+(norm|proj)\.(weight|bias)$", "lr_multiplier": 2.0}
    )
    plan = optplan.make_plan(Model(), config)
    assert sum(row.lr == 0.02 for row in plan.parameters) == 8


def test_the_three_matchers() -> None:
    config = torchtitan({"pattern": "layers.*norm", "lr_multiplier": 2.0})
    for matcher, count in ((None, 4), ("search", 4), ("prefix-anchored", 4), ("full", 0)):
        if matcher is not None:
            config["optimizer"]["matcher"] = matcher
        plan = optplan.make_plan(Model(), config)
        assert plan.matcher is Matcher(matcher or "search")
        assert sum(row.lr == 0.02 for row in plan.parameters) == count
    config["optimizer"]["matcher"] = "fulll"
    with pytest.raises(ConfigError, match="matcher must be search, prefix-anchored or full"):
        optplan.make_plan(Model(), config)


def test_equal_numbers_keep_their_bits() -> None:
    config = torchtitan(
        {"pattern": "bias", "lr_multiplier": 0.3, "weight_decay_multiplier": 0.7}, lr=0.1
    )
    plan = optplan.make_plan(nn.Linear(2, 2), config)
    assert exact(plan.parameters[1].lr) == exact(0.1 * 0.3)
    assert exact(plan.parameters[1].weight_decay) == exact(0.1 * 0.7)
