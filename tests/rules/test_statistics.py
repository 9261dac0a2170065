"""What each option and key did, counted; each count derived a second way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from optplan.config.placed import place_of
from optplan.names import Rule
from optplan.plan import Planned
from optplan.rules.statistics import EntryName, EntryStatistics, entry_statistics, words_hit
from tests.views import Transformer, on_meta, planned


def statistics(made: Planned, among: frozenset[str] | None = None) -> dict[str, EntryStatistics]:
    """The statistics by name."""
    raw = made.section.paramwise
    places = {name: place_of(raw, name) for name in raw if name != "custom_keys"}
    assert made.options is not None
    entries = entry_statistics(made.inventory, made.options, places, among)
    return {entry.name.text: entry for entry in entries}


def transformer(paramwise: Mapping[str, Any], **optimizer: Any) -> Planned:
    return planned(on_meta(Transformer), paramwise, **optimizer)


def key(text: str) -> EntryName:
    return EntryName(text, is_key=True)


KEYS = {
    "norm_decay_mult": 0.0,
    "custom_keys": {
        "head": {"lr_mult": 10.0},
        "blocks.1": {"lr_mult": 0.1},
        "mlp": {"decay_mult": 0.0},
        "attn": {"lr_mult": 2.0},
        "nothing": {"lr_mult": 2.0},
    },
}


def test_counts() -> None:
    found = statistics(transformer(KEYS))
    assert {name: (e.matched, e.won, e.lost) for name, e in found.items()} == {
        "blocks.1": (10, 10, ()),
        "nothing": (0, 0, ()),
        "attn": (6, 4, ((key("blocks.1"), 2),)),
        "head": (8, 2, ((key("attn"), 4), (key("blocks.1"), 2))),
        "mlp": (12, 8, ((key("blocks.1"), 4),)),
        "norm_decay_mult": (12, 8, ((key("blocks.1"), 4),)),
    }
    assert list(found)[-1] == "norm_decay_mult"  # keys are tried first


def test_words() -> None:
    found = statistics(transformer(KEYS))
    assert {name: e.words for name, e in found.items()} == {
        "blocks.1": ("blocks.1",),
        "nothing": (),
        "attn": ("multihead_attn",),
        "head": ("multihead_attn", "head"),
        "mlp": ("mlp",),
        "norm_decay_mult": (),
    }


def test_rule_that_comes_first_takes_from_the_next() -> None:
    found = statistics(transformer({"norm_decay_mult": 0.0, "bias_decay_mult": 0.0}))
    norm = EntryName("norm_decay_mult", is_key=False)
    assert (found["norm_decay_mult"].matched, found["norm_decay_mult"].won) == (12, 12)
    assert found["bias_decay_mult"].matched == 16
    assert found["bias_decay_mult"].won == 10
    assert found["bias_decay_mult"].lost == ((norm, 6),)


def test_option_that_nothing_reads() -> None:
    found = statistics(transformer({"norm_decay_mul": 0.0, "bias_lr_mult": 2.0}))
    assert not found["norm_decay_mul"].is_read
    assert found["bias_lr_mult"].is_read


def test_frozen_parameters_are_told_apart() -> None:
    made = planned("PartlyFrozen", {"custom_keys": {"": {"lr_mult": 2.0}}})
    frozen = [row for row in made.plan.parameters if row.status == "frozen"]
    everything = statistics(made)[""]
    assert everything.skipped == len(frozen) > 0
    assert everything.matched == everything.won == len(made.plan.parameters) - len(frozen)


def test_left_out_names_count_for_bypass_duplicate() -> None:
    made = planned("TiedAcrossParents", {"bypass_duplicate": True})
    found = statistics(made)["bypass_duplicate"]
    assert (found.matched, found.won) == (1, 1)


def test_frozen_parameter_needs_no_lr() -> None:
    """A key that hits frozen parameters alone is no mistake where the optimizer sets no lr."""
    made = planned("PartlyFrozen", {"custom_keys": {"nothing": {}}})
    assert statistics(made)["nothing"].matched == 0


def test_among_some_names() -> None:
    made = transformer(KEYS)
    among = frozenset(row.name for row in made.plan.parameters if row.name.startswith("blocks.0"))
    found = statistics(made, among)
    assert (found["head"].matched, found["head"].won) == (2, 0)
    assert found["blocks.1"].matched == 0


def test_an_empty_paramwise_has_no_entries() -> None:
    assert statistics(transformer({})) == {}


@pytest.mark.parametrize("paramwise", [KEYS, {"bias_lr_mult": 2.0, "flat_decay_mult": 0.0}])
def test_won_agrees_with_the_plan(paramwise: dict[str, Any]) -> None:
    made = transformer(paramwise)
    for name, entry in statistics(made).items():
        assert entry.matched == entry.won + sum(count for _, count in entry.lost)
        uses = [(row.lr_rule, row.weight_decay_rule) for row in made.plan.parameters]
        decided = sum(
            any(
                use and use.rule is not Rule.DEFAULT and name in (use.option, use.key)
                for use in two
            )
            for two in uses
        )
        assert entry.won == decided


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("head", "decoder.multihead_attn.weight", ["multihead_attn"]),
        ("head", "head.head.bias", ["head", "head"]),
        ("blocks.1", "blocks.10.norm.weight", ["blocks.10"]),
        ("s.1.n", "blocks.1.norm.weight", ["blocks.1.norm"]),
        (".cls", ".cls_token", ["cls_token"]),
        ("norm.", "layer.norm.weight", ["norm"]),
        (".", "a.b", []),
        ("aa", "aaa.b", ["aaa", "aaa"]),
        ("x", "a.b", []),
    ],
)
def test_words_hit(text: str, name: str, words: list[str]) -> None:
    assert list(words_hit(text, name)) == words
