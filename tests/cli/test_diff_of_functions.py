"""``optplan diff`` of functions, with one another, with configs and with saved plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Invoke

# Each makes the same plan as `plain`: what differs is no option of an optimizer.
FUNCTIONS = """\
import types

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, StepLR
from torch.optim.swa_utils import AveragedModel


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 2)


def plain(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def clip(largest):
    def clip_gradients(optimizer, args, kwargs):
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group['params'], largest)
    return clip_gradients


def clips(model, largest=1.0):
    made = plain(model)
    made.register_step_pre_hook(clip(largest))
    return made


def clips_more(model):
    return clips(model, 2.0)


def hook_after(model):
    made = plain(model)
    made.register_step_post_hook(clip(1.0))
    return made


def hooks_of_gradients(model):
    for parameter in model.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-1, 1))
    return plain(model)


def other_hooks_of_gradients(model):
    for parameter in model.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-2, 2))
    return plain(model)


def hooks_after_accumulation(model):
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(lambda parameter: None)
    return plain(model)


def hooks_of_modules(model):
    model.head.register_full_backward_hook(lambda module, inputs, outputs: None)
    return plain(model)


class Lookahead:
    def __init__(self, optimizer, k=5):
        self.optimizer, self.k = optimizer, k

    def step(self):
        self.optimizer.step()


def wrapped(model):
    return Lookahead(plain(model))


def wrapped_otherwise(model):
    return Lookahead(plain(model), k=6)


class Sharing(torch.optim.Optimizer):
    def __init__(self, optimizer, k=5):
        self.optimizer, self.k = optimizer, k
        self.param_groups, self.defaults, self.state = optimizer.param_groups, optimizer.defaults, {}

    def step(self, closure=None):
        return self.optimizer.step(closure)


def sharing(model):
    return Sharing(plain(model))


def sharing_otherwise(model):
    return Sharing(plain(model), k=6)


def averaged(model):
    return plain(model), AveragedModel(model)


def step_of_its_own(model):
    made = plain(model)
    made.step = types.MethodType(lambda self, closure=None: None, made)
    return made


def step_of_its_own_and_scheduler(model):
    made = step_of_its_own(model)
    StepLR(made, 10)
    return made


class Own(torch.optim.SGD):
    def __init__(self, params, lr, rho=0.05):
        super().__init__(params, lr)
        self.rho = rho


def own(model):
    return Own(model.parameters(), lr=0.1)


def own_otherwise(model):
    return Own(model.parameters(), lr=0.1, rho=0.1)


def attribute(model):
    made = plain(model)
    made.clip = 1.0
    return made


def beside(model):
    return [plain(model), {'clip': 1.0}]


def beside_otherwise(model):
    return [plain(model), {'clip': 2.0}]


def seldom(model):
    return {'optimizer': plain(model), 'frequency': 5}


def values(model):
    nn.init.zeros_(model.head.weight)
    return plain(model)


def cosine(model):
    made = plain(model)
    return made, CosineAnnealingLR(made, 100)


def cosine_by_step(model):
    made, scheduler = cosine(model)
    return [made], [{'scheduler': scheduler, 'interval': 'step'}]


def scheduled(model):
    made = plain(model)
    StepLR(made, 10)
    return made
"""
MODEL = ("--model", "f.py:Net")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The functions and their model."""
    (tmp_path / "f.py").write_text(FUNCTIONS)
    return tmp_path


def diff(invoke: Invoke, folder: Path, first: str, second: str) -> tuple[int, list[str]]:
    """The difference of two functions of one name: the status, and the lines below the head."""
    for side, name in (("a", first), ("b", second)):
        code = f"import f\n\n\ndef build(model):\n    return f.{name}(model)\n"
        (folder / f"{side}_{name}.py").write_text(code)
    done = invoke("diff", f"a_{first}.py:build", f"b_{second}.py:build", *MODEL, cwd=folder)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


ELSE = "  not compared: what else the code of a function does"


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("plain", "clips", "hooks before a step of SGD"),
        ("clips", "clips_more", "hooks before a step of SGD"),
        ("plain", "hook_after", "hooks after a step of SGD"),
        ("plain", "hooks_of_gradients", "hooks on the model"),
        ("hooks_of_gradients", "other_hooks_of_gradients", "hooks on the model"),
        ("plain", "hooks_after_accumulation", "hooks on the model"),
        ("plain", "hooks_of_modules", "hooks on the model"),
        ("plain", "wrapped", "the wrapper Lookahead"),
        ("wrapped", "wrapped_otherwise", "the wrapper Lookahead"),
        ("sharing", "sharing_otherwise", "the wrapper Sharing"),
        ("plain", "averaged", "AveragedModel, which is returned"),
        ("plain", "step_of_its_own", "the own step of this SGD"),
        ("scheduled", "step_of_its_own_and_scheduler", "the own step of this SGD"),
        ("own", "own_otherwise", "the steps of Own"),
        ("plain", "attribute", "the steps of SGD"),
        ("beside", "beside_otherwise", "clip, which is returned"),
        ("plain", "seldom", "frequency, which is returned"),
    ],
)
def test_what_is_no_option(
    first: str, second: str, what: str, invoke: Invoke, folder: Path
) -> None:
    status, lines = diff(invoke, folder, first, second)
    assert status == 1
    assert lines[0].endswith("· the same as far as it was read")
    assert lines[1:] == [
        " schedule",
        f"  not read, and written differently: {what}, which may change the training",
        ELSE,
    ]
    status, lines = diff(invoke, folder, second, second)
    assert (status, lines[0].endswith("· no difference in what was read")) == (0, True)


def test_what_nobody_sees_is_not_called_the_same(invoke: Invoke, folder: Path) -> None:
    status, lines = diff(invoke, folder, "plain", "values")
    assert (status, lines[1:]) == (0, [" schedule", ELSE])
    assert lines[0].endswith("· no difference in what was read")


def test_schedule_names_what_runs_at_each_step(invoke: Invoke, folder: Path) -> None:
    for function, what in (
        ("hook_after", "hooks after a step of SGD"),
        ("step_of_its_own_and_scheduler", "the own step of this SGD"),
    ):
        done = invoke("schedule", f"f.py:{function}", *MODEL, "--iters", "9", cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert what in done.stdout
        assert "not read, may move the lr: " in done.stdout


CONFIG = """\
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
param_scheduler = [dict(type='CosineAnnealingLR', T_max={}, by_epoch={})]
train_cfg = dict({})
"""
ITERS = "by_epoch=False, max_iters=100"


@pytest.mark.parametrize(
    ("arguments", "function", "text"),
    [
        ((100, False, ITERS), "cosine_by_step", "by which nothing parts that starts alike"),
        ((100, False, ITERS), "cosine", "taken to be stepped once an iteration: CosineAnnealingLR"),
        ((50, False, ITERS), "cosine", "lr from iteration 1 on  0.0999013  →  0.0999753"),
        ((100, True, "max_epochs=100"), "cosine", "taken to be stepped once an epoch: Cosine"),
        ((100, True, "max_epochs=9"), "cosine_by_step", "how many iterations has one?"),
        (
            (100, False, ""),
            "cosine",
            "train_cfg has no max_epochs",
        ),
        ((100, False, ITERS), "plain", "one side alone has a scheduler: CosineAnnealingLR"),
    ],
)
def test_a_config(
    arguments: tuple[object, ...], function: str, text: str, invoke: Invoke, folder: Path
) -> None:
    (folder / "c.py").write_text(CONFIG.format(*arguments))
    done = invoke("diff", "c.py", f"f.py:{function}", *MODEL, cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert text in done.stdout
    assert ELSE in done.stdout
    turned = invoke("diff", f"f.py:{function}", "c.py", *MODEL, cwd=folder)
    assert text.replace("0.0999013  →  0.0999753", "0.0999753  →  0.0999013") in turned.stdout


def test_a_hook_of_a_config(invoke: Invoke, folder: Path) -> None:
    (folder / "c.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
        "custom_hooks = [dict(type='MyLrHook')]\n"
    )
    done = invoke("diff", "c.py", "f.py:plain", *MODEL, cwd=folder)
    assert "written differently: custom_hooks[0] MyLrHook (c.py:2:17)" in done.stdout


@pytest.mark.parametrize("function", ["cosine", "plain"])
def test_a_saved_plan(function: str, invoke: Invoke, folder: Path) -> None:
    word = f"f.py:{function}"
    invoke("show", word, *MODEL, "--format", "json", "-o", "p.json", cwd=folder)
    done = invoke("diff", "p.json", word, *MODEL, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"p.json → {word} · f.py:Net · no difference in what was read",
        " schedule",
        "  not compared: schedules and hooks, which a saved plan does not keep",
    ]
