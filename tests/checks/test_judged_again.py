"""Findings as they come together: what one tells, no other tells again or contradicts; each stands where it is decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke

Write = Callable[..., Path]
Find = Callable[..., list[dict[str, Any]]]
NET = "tests.checks.models:Net"
LAYER_DECAY = "LearningRateDecayOptimWrapperConstructor"
EXPECT = "[[tool.optplan.expect]]\nparameters = 'head.weight'\n{}\n"
TRAINING = "train_cfg = dict(by_epoch=False, max_iters=100)\n"


@pytest.fixture
def find(invoke: Invoke, tmp_path: Path) -> Find:
    def call(*words: str) -> list[dict[str, Any]]:
        done = invoke("check", "--format", "json", *words, cwd=tmp_path)
        found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
        return found

    return call


def test_equal_findings_of_unreadable_files_are_one(find: Find, write: Write) -> None:
    for name in ("a.py", "b.py", "c/d.py"):
        write(name, "optimizer = dict(type='SGD', lr='0.1')\n")
    write("e.py", "optimizer = dict(type='SGD', lr='0.2')\n")
    found = [one for one in find(".", "--no-model") if one["code"] == "OPT004"]
    assert [(one["file"], one["configs"]) for one in found] == [
        ("a.py", ["a.py", "b.py", "c/d.py"]),
        ("e.py", ["e.py"]),
    ] or [(one["file"], one["configs"]) for one in found] == [
        ("a.py", ["a.py", "b.py", "c/d.py", "e.py"])
    ]


def test_equal_findings_of_unknown_constructors_are_one(find: Find, write: Write) -> None:
    for name in ("a.py", "b.py"):
        write(
            name,
            "optim_wrapper = dict(constructor='OursConstructor', optimizer=dict(type='SGD', lr=0.1))\n",
        )
    found = [one for one in find(".", "--no-model") if one["code"] == "OPT005"]
    assert [(one["file"], one["configs"]) for one in found] == [("a.py", ["a.py", "b.py"])]


@pytest.mark.parametrize("constructor", [None, LAYER_DECAY])
def test_no_two_checks_tell_of_one_key(constructor: str | None, find: Find, write: Write) -> None:
    write(
        "a.py",
        "optim_wrapper = dict(\n"
        "    optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.1),\n"
        + (f"    constructor='{constructor}',\n" if constructor else "")
        + "    paramwise_cfg=dict(layer_decay_rate=0.7, decay_rate=0.7, num_layers=2, decay_type='layer_wise',\n"
        "        custom_keys={'nowhere': dict(lr_mult=0.1), 'haed': dict(lr_mul=1.), 'head': dict(lr_mult=2.)}))\n",
    )
    found = find("a.py", "--model", NET)
    assert found
    keys = [(one["line"], one["column"]) for one in found if one["line"]]
    assert len(keys) == len(set(keys)), found
    told = {one["code"] for one in found if "nowhere" in one["key"]}
    assert len(told) <= 1, told


def test_a_hint_names_no_option_that_is_told_to_be_unread(find: Find, write: Write) -> None:
    write(
        "a.py",
        "optim_wrapper = dict(\n"
        "    optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.1),\n"
        f"    constructor='{LAYER_DECAY}',\n"
        "    paramwise_cfg=dict(layer_decay_rate=0.7, norm_decay_mult=0.,\n"
        "        custom_keys={'.cls_token': dict(decay_mult=0.)}))\n",
    )
    found = find("a.py", "--model", "vit_tiny_patch16_224", "--select", "OPT1,OPT2")
    unread = {one["message"].split("'")[1] for one in found if one["code"] in {"OPT101", "OPT105"}}
    assert "norm_decay_mult" in unread
    hints = [one["hint"] or "" for one in found if one["code"].startswith("OPT2")]
    words = {"norm_decay_mult": "norm_decay_mult", "custom_keys": "custom key"}
    for name in unread & words.keys():
        assert not any(words[name] in hint for hint in hints), (name, hints)


@pytest.mark.parametrize(
    ("expectation", "paramwise", "decider"),
    [
        ("weight-decay = 0.5", "", "weight_decay=0.1"),
        ("lr = 0.5", "", "lr=0.1"),
        ("lr-mult = 0.5", "", "lr=0.1"),
        ("lr = 0.5", "custom_keys={'head': dict(lr_mult=2.)}", "'head'"),
        ("weight-decay = 0.5", "custom_keys={'head': dict(decay_mult=0.)}", "'head'"),
        ("lr-at-end = 0.5", "", "lr=0.1"),
        ("lr-at-end = 0.5", "custom_keys={'head': dict(lr_mult=2.)}", "'head'"),
        ("min-parameters = 3", "", "type='SGD'"),
    ],
)
def test_a_broken_expectation_stands_at_what_decides(
    expectation: str, paramwise: str, decider: str, find: Find, write: Write
) -> None:
    write("pyproject.toml", EXPECT.format(expectation))
    write(
        "base.py",
        "optimizer = dict(\n    type='SGD',\n    lr=0.1,\n    weight_decay=0.1,\n"
        f"    paramwise_cfg=dict(\n{paramwise}))\n",
    )
    write("a.py", "_base_ = 'base.py'\n" + TRAINING)
    (found,) = find("a.py", "--model", NET, "--select", "OPT801")
    assert found["file"] == "base.py"
    assert found["source"][found["column"] - 1 :].startswith(decider), found["source"]


@pytest.mark.parametrize(
    ("expectation", "decider"),
    [
        ("lr-at-end = 0.5", "type='CosineAnnealingLR'"),
        ("never-zero = true", "param_scheduler"),
    ],
)
def test_over_the_training_the_scheduler_decides(
    expectation: str, decider: str, find: Find, write: Write
) -> None:
    write("pyproject.toml", EXPECT.format(expectation))
    write(
        "a.py",
        f"optimizer = dict(type='SGD', lr=0.1)\n{TRAINING}param_scheduler = [\n"
        "    dict(type='LinearLR', start_factor=0.5, by_epoch=False, end=5),\n"
        "    dict(type='CosineAnnealingLR', begin=5, end=50, by_epoch=False)]\n",
    )
    (found,) = find("a.py", "--model", NET, "--select", "OPT801")
    assert found["source"][found["column"] - 1 :].startswith(decider), found["source"]
