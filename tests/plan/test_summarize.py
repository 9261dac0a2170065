from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from optplan.plan.names.patterns import matcher, matching
from optplan.plan.names.summarize import Summarizer

FAMILIES = (
    "resnet18",
    "resnet50",
    "regnety_002",
    "mobilenetv3_small_100",
    "efficientnet_b0",
    "convnext_atto",
    "vit_base_patch16_224",
    "deit_tiny_distilled_patch16_224",
    "beit_base_patch16_224",
    "swin_tiny_patch4_window7_224",
    "mixer_s32_224",
    "cait_xxs24_224",
    "xcit_nano_12_p16_224",
    "densenet121",
    "coat_tiny",
    "maxvit_pico_rw_256",
)
KEYS = ("layer1", "layer1.0.b", "blocks.1", "stages.2", "head", "attn", "norm", "0.", "mlp", "fc")
NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


@cache
def kinds(model: str) -> dict[str, list[str]]:
    """For a timm model its parameter names, by what they are."""
    with torch.device("meta"):
        module = timm.create_model(model)
    found: dict[str, list[str]] = {kind: [] for kind in ("all", "norm", "dwconv", "bias", "1-D")}
    for path, owner in module.named_modules():
        for leaf, parameter in owner.named_parameters(recurse=False):
            name = f"{path}.{leaf}" if path else leaf
            found["all"].append(name)
            if isinstance(owner, NORMS):
                found["norm"].append(name)
            if isinstance(owner, nn.Conv2d) and owner.groups == owner.in_channels > 1:
                found["dwconv"].append(name)
            if leaf == "bias":
                found["bias"].append(name)
            if parameter.ndim <= 1:
                found["1-D"].append(name)
    return found


def names_of(model: str) -> list[str]:
    return kinds(model)["all"]


def pick(model: str, *wanted: str) -> list[str]:
    """Names of all these kinds; ``-norm`` is what is no norm, any other word a part of the name."""
    known = kinds(model)
    return [
        name
        for name in names_of(model)
        if all(
            (name in known[kind] if kind in known else kind in name) != word.startswith("-")
            for word in wanted
            for kind in [word.removeprefix("-")]
        )
    ]


def rules() -> Iterator[tuple[str, ...]]:
    """What the rules of a config give to a model: each kind, key and difference of these."""
    yield from (("norm",), ("bias",), ("1-D",), ("dwconv",), ("dwconv", "weight"))
    yield from (("norm", "weight"), ("bias", "-norm"), ("1-D", "-norm"), ("1-D", "-norm", "-bias"))
    yield from (("-1-D",), ("-1-D", "-dwconv"), ("-norm", "-bias"), ("-norm", "-bias", "-dwconv"))
    for key in KEYS:
        yield from ((key,), (f"-{key}",), (key, "-norm"), ("norm", f"-{key}"))
        yield from (("-1-D", f"-{key}"), ("bias", "-norm", f"-{key}"), (key, "bias", "-norm"))
    yield from (("norm", "weight", "-stages.2"), ("norm", "weight", "-layer2"))


def matched(patterns: tuple[str, ...], among: list[str]) -> set[str]:
    return {name for pattern in patterns for name in among if matcher(pattern)(name)}


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        ("vit_base_patch16_224", ["norm"], ("*norm*",)),
        ("vit_base_patch16_224", ["bias"], ("*.bias",)),
        ("vit_base_patch16_224", ["bias", "-norm"], ("*.{fc1,fc2,proj,qkv}.bias", "head.bias")),
        ("vit_base_patch16_224", ["blocks.1"], ("blocks.{1,10,11}.*",)),
        ("vit_base_patch16_224", ["norm", "-blocks.1"], ("blocks.{0,2-9}.norm*", "norm.*")),
        (
            "vit_base_patch16_224",
            ["-head"],
            ("{cls_token,pos_embed}", "{blocks,norm,patch_embed}.*"),
        ),
        ("resnet50", ["norm"], ("*bn*", "*.downsample.1.*")),
        ("resnet50", ["norm", "weight"], ("*bn*.weight", "*.downsample.1.weight")),
        ("resnet50", ["-1-D"], ("*conv*", "*.downsample.0.*", "fc.weight")),
        (
            "resnet50",
            ["norm", "-layer1"],
            ("bn1.*", "layer{2-4}.*.bn{1-3}.*", "layer{2-4}.*.downsample.1.*"),
        ),
        ("resnet50", ["layer1.0.b"], ("layer1.0.bn{1-3}.*",)),
        (
            "resnet18",
            ["norm", "weight", "-layer2"],
            ("{bn1,layer{1,3,4}.*.bn{1,2},layer{3,4}.*.downsample.1}.weight",),
        ),
        ("convnext_atto", ["norm"], ("stem.1.*", "*.norm.*", "*.downsample.0.*")),
        ("convnext_atto", ["norm", "weight"], ("{stem.1,*.norm,*.downsample.0}.weight",)),
        ("convnext_atto", ["stages.2", "dwconv"], ("stages.2.*.conv_dw.*",)),
        ("swin_tiny_patch4_window7_224", ["norm"], ("*norm*",)),
        ("swin_tiny_patch4_window7_224", ["attn"], ("*.attn.*",)),
    ],
    ids=str,
)
def test_real_sets_read_well(model: str, wanted: list[str], expected: tuple[str, ...]) -> None:
    assert Summarizer(names_of(model)).patterns(pick(model, *wanted)) == expected


@pytest.mark.parametrize(
    ("names", "among", "expected"),
    [
        ([], ["a", "b"], ()),
        ([], [], ()),
        (["b", "a"], ["a", "b"], ("*",)),
        (["a.w"], ["a.w", "b.w"], ("a.w",)),
        (["a*b{c,d}\\.w"], ["a*b{c,d}\\.w", "b.w"], (r"a\*b\{c\,d\}\\.w",)),
        (["a*"], ["a*", r"a\*"], (r"{a\*}",)),
        (["0", "1", "2", "a"], ["a", "0", "1", "2", "3"], ("{0-2,a}",)),
        (["x.0-3.w", "x.9.w"], ["x.0-3.w", "x.9.w", "x.1.w"], (r"x.{0\-3,9}.w",)),
        (["l.9.w", "l.10.w", "l.11.w"], [f"l.{i}.w" for i in range(13)], ("l.{9-11}.*",)),
        (["a.w", "a.w"], ["a.w", "a.w", "b.w"], ("a.w",)),
        (["", "."], ["", ".", "a"], ("", ".")),
    ],
)
def test_small_sets(names: list[str], among: list[str], expected: tuple[str, ...]) -> None:
    assert Summarizer(among).patterns(names) == expected


def test_a_name_that_is_not_among_all_names_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"not among all names: \['c'\]"):
        Summarizer(["a", "b"]).patterns(["a", "c"])


WORDS = (
    *("0", "1", "2", "10", "01", "0-2", "norm1", "norm2", "norm", "a_norm", "bn", "weight", "bias"),
    *("layers", "*", "{", "}", "{0-2}", "a,b", "\\", "[x]", "", "ß\n"),
)
PARTS = st.sampled_from(WORDS)
NAMES = st.lists(st.lists(PARTS, min_size=1, max_size=5).map(".".join), max_size=40, unique=True)


@settings(deadline=None)
@given(NAMES, st.data())
def test_any_set_is_matched_exactly(among: list[str], data: st.DataObject) -> None:
    chosen = {name for name in among if data.draw(st.booleans())}
    patterns = Summarizer(among).patterns(sorted(chosen))
    assert matched(patterns, among) == chosen
    assert len(patterns) <= len(chosen)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab.*{},\\-01", max_size=6), unique=True, max_size=12), st.data())
def test_any_text_is_matched_exactly(among: list[str], data: st.DataObject) -> None:
    chosen = {name for name in among if data.draw(st.booleans())}
    assert matched(Summarizer(among).patterns(sorted(chosen)), among) == chosen


@settings(deadline=None)
@given(NAMES, st.data())
def test_the_order_is_that_of_the_names(among: list[str], data: st.DataObject) -> None:
    chosen = [name for name in among if data.draw(st.booleans())]
    patterns = Summarizer(among).patterns(chosen)
    firsts = [among.index(names[0]) for names in matching(patterns, among).values()]
    assert firsts == sorted(firsts)
    assert Summarizer(among).patterns(chosen[::-1]) == patterns


@pytest.mark.parametrize("model", FAMILIES)
def test_every_rule_of_every_family_is_exact_and_short(model: str) -> None:
    among = names_of(model)
    for rule in rules():
        chosen = pick(model, *rule)
        patterns = Summarizer(among).patterns(chosen)
        fitting = matching(patterns, among)
        assert set().union(*fitting.values()) == set(chosen), rule
        if len(chosen) > 10:
            assert len(patterns) <= len(chosen) / 10, (rule, patterns)


@pytest.mark.parametrize("model", FAMILIES)
def test_random_sets_of_every_family_are_exact(model: str) -> None:
    among = names_of(model)
    chance = random.Random(model)
    for share in (0.02, 0.3, 0.9):
        chosen = {name for name in among if chance.random() < share}
        patterns = Summarizer(among).patterns(sorted(chosen))
        assert set().union(*matching(patterns, among).values()) == chosen


def test_the_norms_of_two_models_take_few_patterns() -> None:
    vit, resnet = "vit_base_patch16_224", "resnet50"
    assert len(pick(vit, "norm")) == 50
    assert len(Summarizer(names_of(vit)).patterns(pick(vit, "norm"))) <= 3
    assert len(pick(resnet, "norm")) == 106
    assert len(Summarizer(names_of(resnet)).patterns(pick(resnet, "norm"))) <= 6


def test_a_single_name_is_itself_and_all_are_a_star() -> None:
    among = names_of("resnet18")
    assert Summarizer(among).patterns(among) == ("*",)
    assert [Summarizer(among).patterns([name]) for name in among] == [(name,) for name in among]


def test_deep_names_are_matched_exactly() -> None:
    among = [".".join([*"abcdefghijklmnopqrst" * 3, end]) for end in ("x", "y", "z")]
    among += [".".join(["a.0"] * depth) for depth in range(1, 40)]
    chosen = [among[0], among[2], *among[5:30:2]]
    assert matched(Summarizer(among).patterns(chosen), among) == set(chosen)


def test_ten_thousand_names_without_a_system_are_still_exact() -> None:
    chance = random.Random(3)
    among = [f"layers.{i}.experts.{j}.w{k}" for i in range(50) for j in range(50) for k in range(4)]
    chosen = {name for name in among if chance.random() < 0.5}
    patterns = Summarizer(among).patterns(sorted(chosen))
    assert set().union(*matching(patterns, among).values()) == chosen
    assert len(patterns) < len(chosen) / 10
