"""Findings as they come together: what one tells, no other tells again or contradicts; each stands where it is decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke
from tests.constructors.registering import restored_registries

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


OWN = """
from optplan import OPTIM_WRAPPER_CONSTRUCTORS

@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class OwnHeadConstructor:
    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        self.cfg, self.options = dict(optim_wrapper_cfg), paramwise_cfg

    def __call__(self, model):
        import torch
        lr = self.options["head_mult"] * 0.1
        groups = [{"params": [p], "lr": lr} for p in model.parameters()]
        return torch.optim.SGD(groups, lr=0.1, weight_decay=0.1)
"""


def test_a_hint_names_no_option_that_is_told_to_be_unread(find: Find, write: Write) -> None:
    write("own_head.py", OWN)
    write(
        "a.py",
        "optim_wrapper = dict(\n"
        "    optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1),\n"
        "    constructor='OwnHeadConstructor',\n"
        "    paramwise_cfg=dict(head_mult=2., custom_keys={'head': dict(decay_mult=0.)}))\n",
    )
    with restored_registries():
        found = find("a.py", "--model", "tests.checks.models:Declaring", "--import", "own_head.py")
    by_code = {one["code"]: one for one in found}
    assert "'custom_keys' in paramwise_cfg does nothing" in by_code["OPT105"]["message"]
    assert by_code["OPT203"]["parameters"]
    assert by_code["OPT203"]["hint"] is None


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
        ("lr-at-end = 0.5", "type='LinearLR', start_factor=1."),
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
        "    dict(type='LinearLR', start_factor=1., end_factor=0., begin=5, end=50, by_epoch=False)]\n",
    )
    (found,) = find("a.py", "--model", NET, "--select", "OPT801")
    assert found["source"][found["column"] - 1 :].startswith(decider), found["source"]
