"""What to do about arguments that are inherited by another class, and about a ``_delete_`` without effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Invoke

BASE = (
    "optim_wrapper = dict(optimizer=dict(type='SGD', lr=.1, momentum=.9))\n"
    "param_scheduler = dict(type='MultiStepLR', milestones=[3, 5], by_epoch=True)\n"
    "train_cfg = dict(by_epoch=True, max_epochs=10)\n"
)
PURE_BASE = "from torch.optim import SGD\noptim_wrapper = dict(optimizer=dict(type=SGD, lr=.1, momentum=.9))\n"
READ = (
    "from mmengine.config import read_base\nfrom torch.optim import AdamW\n"
    "with read_base():\n    from .pure_base import *\n"
)
TAKES = "takes no argument"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "pure_base.py").write_text(PURE_BASE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        (
            "child.py",
            "_base_ = 'base.py'\noptim_wrapper = dict(\n    optimizer=dict(type='AdamW', lr=1e-3))\n",
            "it is inherited: give _delete_=True in child.py:3",
        ),
        (
            "child.yaml",
            "_base_: base.py\noptim_wrapper:\n  optimizer: {type: AdamW, lr: 0.1}\n",
            "it is inherited: give _delete_: true in child.yaml:3",
        ),
        (
            "child.json",
            '{"_base_": "base.py",\n"optim_wrapper": {"optimizer": {"type": "AdamW"}}}',
            'it is inherited: give "_delete_": true in child.json:2',
        ),
        (
            "child.toml",
            "_base_ = 'base.py'\n[optim_wrapper.optimizer]\ntype = 'AdamW'\n",
            "it is inherited: give _delete_ = true in child.toml:3",
        ),
        (
            "pure.py",
            READ + "optim_wrapper.optimizer.update(dict(type=AdamW, lr=1e-3))\n",
            "it is inherited: assign the whole dict in pure.py:5, and do not update it",
        ),
    ],
)
@pytest.mark.parametrize("model", [(), ("--model", "tests.checks.models:Net")])
def test_an_inherited_argument(
    name: str, text: str, hint: str, model: tuple[str, ...], invoke: Invoke, folder: Path
) -> None:
    (folder / name).write_text(text)
    done = invoke("check", name, *model, "--select", "OPT003", cwd=folder)
    assert done.returncode == 1
    assert f"AdamW {TAKES} 'momentum'\n" in done.stdout
    assert f"  hint: {hint}\n" in done.stdout


def test_the_way_out_works(invoke: Invoke, folder: Path) -> None:
    text = "_base_ = 'base.py'\noptim_wrapper = dict(optimizer=dict({}type='AdamW', lr=1e-3))\n"
    (folder / "a.py").write_text(text.format("_delete_=True, "))
    done = invoke("check", "a.py", "--model", "tests.checks.models:Net", cwd=folder)
    assert TAKES not in done.stdout


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3))\n",
            "there is nothing to delete: no base config has this dict; leave _delete_ out",
        ),
        (
            "import os\noptim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3))\n",
            "there is nothing to delete: no base config has this dict; leave _delete_ out",
        ),
        (
            "from torch.optim import AdamW\n"
            "optim_wrapper = dict(optimizer=dict(_delete_=True, type=AdamW, lr=1e-3))\n",
            "there is nothing to delete: in the pure-Python style an assignment replaces the whole dict; use"
            " .update to keep what it had",
        ),
        (
            READ + "optim_wrapper = dict(optimizer=dict(_delete_=True, type=AdamW, lr=1e-3))\n",
            "there is nothing to delete: in the pure-Python style an assignment replaces the whole dict; use"
            " .update to keep what it had",
        ),
    ],
)
def test_nothing_to_delete(text: str, hint: str, invoke: Invoke, folder: Path) -> None:
    (folder / "a.py").write_text(text)
    for model in ((), ("--model", "tests.checks.models:Net")):
        done = invoke("check", "a.py", *model, cwd=folder)
        assert f"AdamW {TAKES} '_delete_'\n" in done.stdout
        assert f"  hint: {hint}\n" in done.stdout


def test_a_scheduler(invoke: Invoke, folder: Path) -> None:
    (folder / "a.py").write_text(
        "_base_ = 'base.py'\nparam_scheduler = dict(type='PolyLR', eta_min=0)\n"
    )
    done = invoke("schedule", "a.py", "--model", "tests.checks.models:Net", cwd=folder)
    assert f"base.py:2:44: PolyLR {TAKES} 'milestones'\n" in done.stderr
    assert "  hint: it is inherited: give _delete_=True in a.py:2\n" in done.stderr


def test_a_word_of_the_same_file_is_misspelt(invoke: Invoke, folder: Path) -> None:
    (folder / "a.py").write_text("optimizer = dict(type='SGD', lr=0.1, momentun=0.9)\n")
    assert "'momentun', did you mean 'momentum'?\n" in invoke("check", "a.py", cwd=folder).stdout
    override = ("--set", "optim_wrapper.optimizer.type=AdamW")
    done = invoke("check", "base.py", *override, cwd=folder)
    assert f"AdamW {TAKES} 'momentum'\n" in done.stdout
    assert "inherited" not in done.stdout
