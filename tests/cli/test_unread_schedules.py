"""What moves the lr and is not read is named, and never called constant or the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Invoke, Run
from tests.schema import validate

NET = """\
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)
"""
WRAPPER = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
TRAIN = "train_cfg = dict(by_epoch=True, max_epochs=10)\n"
MODEL = ("--model", "net.py:Net")

# A config, what it becomes when it trains otherwise, and what is named of it with its place.
CASES = {
    "the hook of another type": (
        "default_hooks = dict(param_scheduler=dict(type='MyLrHook', lr_factor=0.01))\n",
        "default_hooks = dict(param_scheduler=dict(type='MyLrHook', lr_factor=0.1))\n",
        "default_hooks.param_scheduler MyLrHook (a.py:3:22)",
    ),
    "no hook at all": (
        "default_hooks = dict(param_scheduler=None)\n",
        "",
        "default_hooks.param_scheduler, None: no hook steps the schedulers (a.py:3:22)",
    ),
    "a hook with lr in its type": (
        "custom_hooks = [dict(type='EMAHook'), dict(type='LRWarmUp', n=5)]\n",
        "custom_hooks = [dict(type='EMAHook'), dict(type='LRWarmUp', n=6)]\n",
        "custom_hooks[1] LRWarmUp (a.py:3:39)",
    ),
    "a hook with lr among its arguments": (
        "custom_hooks = [dict(type='SimSiamHook', fix_pred_lr=True, lr=0.05)]\n",
        "custom_hooks = [dict(type='SimSiamHook', fix_pred_lr=True, lr=0.1)]\n",
        "custom_hooks[0] SimSiamHook (a.py:3:17)",
    ),
    "the older format": (
        "lr_config = dict(policy='step', step=[8, 11])\n",
        "lr_config = dict(policy='step', step=[8, 10])\n",
        "lr_config (a.py:3:1)",
    ),
    "momentum of the older format": (
        "momentum_config = dict(policy='cyclic')\n",
        "momentum_config = dict(policy='step')\n",
        "momentum_config (a.py:3:1)",
    ),
    "a section of another trainer": (
        "lr_scheduler = dict(name='cosine', warmup_steps=5)\n",
        "lr_scheduler = dict(name='cosine', warmup_steps=6)\n",
        "lr_scheduler (a.py:3:1)",
    ),
    "a section that is misspelt": (
        "param_schedulers = [dict(type='PolyLR')]\n",
        "param_schedulers = [dict(type='PolyLR', power=2)]\n",
        "param_schedulers (a.py:3:1)",
    ),
    "a section of a trainer that is not known": (
        "lr_updater = dict(policy='step', step=[8, 11])\n",
        "lr_updater = dict(policy='step', step=[8, 10])\n",
        "lr_updater (a.py:3:1)",
    ),
    "a warm-up that is a number": (
        "warmup_epochs = 5\n",
        "warmup_epochs = 6\n",
        "warmup_epochs (a.py:3:1)",
    ),
    "a section within another": (
        "training = dict(lr_scheduler_type='cosine')\n",
        "training = dict(lr_scheduler_type='linear')\n",
        "training.lr_scheduler_type (a.py:3:17)",
    ),
    "a hook named for the lr": (
        "default_hooks = dict(lr=dict(type='Updater', by=2))\n",
        "default_hooks = dict(lr=dict(type='Updater', by=3))\n",
        "default_hooks.lr Updater (a.py:3:22)",
    ),
    "DeepSpeed's scheduler": (
        "strategy = dict(type='DeepSpeedStrategy', config=dict(scheduler=dict(type='WarmupLR')))\n",
        "strategy = dict(type='DeepSpeedStrategy', config=dict(scheduler=dict(type='OneCycle')))\n",
        "strategy.config.scheduler (a.py:3:55)",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_each_kind(case: str, folder: Path, invoke: Invoke) -> None:
    first, second, named = CASES[case]
    for name, text in (("a.py", first), ("b.py", second)):
        (folder / name).write_text(f"{WRAPPER}{TRAIN}{text}")
    done = invoke("schedule", "a.py", *MODEL, cwd=folder)
    assert f"not read, may move the lr: {named}" in done.stdout
    assert "keeps its values" not in done.stdout
    differs = invoke("diff", "a.py", "b.py", *MODEL, cwd=folder)
    assert differs.returncode == 1
    assert f"not read, and written differently: {named.rpartition(':')[0]}" in differs.stdout
    alike = invoke("diff", "a.py", "a.py", *MODEL, cwd=folder)
    assert alike.returncode == 0
    assert f"not read, but written alike: {named}" in alike.stdout
    assert "no difference in what was read" in alike.stdout


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "error: how long is the training? the config has no train_cfg"),
        ("train_cfg = 5\n", "error: a.py:3:1: train_cfg must be a dict, got int 5"),
        (f"{TRAIN}param_scheduler = 5\n", "error: a.py:4:1: param_scheduler must be a dict"),
        (f"{TRAIN}param_scheduler = dict(type='Nope')\n", "error: a.py:4:24: there is no scheduler 'Nope'"),
        (f"{TRAIN}param_scheduler = dict(type='PolyLR', gama=1)\n", "error: a.py:4:39: PolyLR takes no"),
        (f"{TRAIN}param_scheduler = dict(type='OneCycleLR', total_steps=1)\n", "error: a.py:4:24: OneCycleLR"),
    ],
)  # fmt: skip
def test_it_is_named_whatever_else_is_wrong(
    text: str, error: str, folder: Path, invoke: Invoke, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "a.py").write_text(f"{WRAPPER}lr_config = dict(policy='step')\n{text}")
    done = invoke("schedule", "a.py", *MODEL, cwd=folder)
    assert (done.returncode, done.stderr[: len(error)]) == (2, error)
    assert caplog.messages == ["not read, may move the lr: lr_config (a.py:2:1)"]


def test_every_format(folder: Path, invoke: Invoke, run: Run) -> None:
    for name, epoch in (("a.py", 11), ("b.py", 10)):
        text = f"lr_config = dict(policy='step', step=[8, {epoch}])\n"
        (folder / name).write_text(f"{WRAPPER}{TRAIN}{text}")
    data = json.loads(invoke("schedule", "a.py", *MODEL, "-f", "json", cwd=folder).stdout)
    validate(data, "schedule-1.0")
    origin = {"file": "a.py", "line": 3, "column": 1}
    assert data["unread"] == [{"name": "lr_config", "origin": origin}]
    note = "not read, may move the lr: lr_config (a.py:3:1)"
    assert note in invoke("schedule", "a.py", *MODEL, "-f", "html", cwd=folder).stdout
    assert run("schedule", "a.py", *MODEL, "-f", "csv", cwd=folder).stderr == f"optplan: {note}\n"
    data = json.loads(invoke("diff", "a.py", "b.py", *MODEL, "-f", "json", cwd=folder).stdout)
    validate(data, "diff-1.0")
    assert data["same"] is False
    assert data["schedule"]["unread"] == [
        {"name": "lr_config (a.py:3:1, b.py:3:1)", "alike": False}
    ]
    note = (
        "not read, and written differently: lr_config (a.py:3:1, b.py:3:1), which may move the lr"
    )
    assert note in run("diff", "a.py", "b.py", *MODEL, "-f", "csv", cwd=folder).stderr
    markdown = invoke("diff", "a.py", "b.py", *MODEL, "-f", "md", cwd=folder).stdout
    assert "and written differently&#58; lr&#95;config" in markdown


@pytest.mark.parametrize(
    "text",
    [
        "custom_hooks = [dict(type='EMAHook', momentum=0.1), dict(type='SwitchRecipeHook', schedule=[])]",
        "default_hooks = dict(param_scheduler=dict(type='ParamSchedulerHook'), timer=dict(type='IterTimerHook'))",
        "lr_config = None",
        "param_groups = [dict(type='x')]",
        "warmup_epochs = 0",
        "diffusion_scheduler = dict(type='DDIMScheduler')",
        "model = dict(type='A', scheduler=dict(type='DDIMScheduler'))",
    ],
)
def test_nothing_is_named_of_others(text: str, folder: Path, invoke: Invoke) -> None:
    (folder / "a.py").write_text(f"{WRAPPER}{TRAIN}{text}\n")
    done = invoke("schedule", "a.py", *MODEL, cwd=folder)
    assert "no scheduler: every setting keeps its values" in done.stdout


TOML = """\
[optimizer]
[[optimizer.param_groups]]
pattern = ".*"
optimizer_name = "AdamW"
[optimizer.param_groups.optimizer_kwargs]
lr = 0.001
"""


def test_torchtitans_scheduler_is_there_by_default(folder: Path, invoke: Invoke) -> None:
    (folder / "a.toml").write_text(TOML)
    done = invoke("schedule", "a.toml", *MODEL, "--iters", "10", cwd=folder)
    assert "not read, may move the lr: torchtitan's lr_scheduler" in done.stdout
    (folder / "b.toml").write_text(TOML + "[lr_scheduler]\nwarmup_steps = 5\n")
    done = invoke("diff", "a.toml", "b.toml", *MODEL, cwd=folder)
    assert done.returncode == 1


OWN = """\
from mmengine.optim.scheduler import ConstantLR as Theirs
from mmengine.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module(force=True)
class ConstantLR(Theirs):
    def __init__(self, optimizer, *, factor, begin=0, end=10**9, **kw):
        super().__init__(optimizer, factor=1., begin=begin, end=end, **kw)
        self.factor = factor

    def _get_value(self):
        scale = self.factor if self.last_step == 0 else 1.
        return [g[self.param_name] * scale for g in self.optimizer.param_groups]
"""


def test_the_users_class_stands_for_mmengines(folder: Path, invoke: Invoke, run: Run) -> None:
    (folder / "own.py").write_text(OWN)
    text = "param_scheduler = [dict(type='ConstantLR', factor=0.5, begin=4, end=9)]\n"
    (folder / "a.py").write_text(f"{WRAPPER}{TRAIN}{text}")
    words = ("schedule", "a.py", *MODEL, "-f", "json", "--every", "1")
    theirs = json.loads(invoke(*words, cwd=folder).stdout)["settings"][0]["values"]["lr"]
    assert theirs == [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.1, 0.1]
    # in a process of its own: the class stays registered
    own = json.loads(run(*words, "--import", "own.py", cwd=folder).stdout)
    assert own["settings"][0]["values"]["lr"] == [0.1] * 4 + [0.05] * 6
    assert own["schedulers"][0]["run_for_real"] is True
