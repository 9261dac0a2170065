"""What code returns: Lightning's forms, schedulers beside optimizers, wrappers of other libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from optplan import Plan, assert_matches
from optplan.constructors.returned_optimizers import read_return
from optplan.errors import PlanError
from tests.conftest import Invoke
from tests.schema import validate

FUNCTIONS = """\
import torch
from torch import nn
from torch.optim.lr_scheduler import *


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.head = nn.Linear(4, 2)

    def configure_optimizers(self):
        made = adamw(self)
        return [made], [{'scheduler': ExponentialLR(made, 0.5), 'interval': 'step', 'frequency': 2}]


def adamw(model):
    return torch.optim.AdamW(model.parameters(), lr=1.0)


def pair(model):
    made = adamw(model)
    return made, ExponentialLR(made, 0.5)


def two_lists(model):
    made, scheduler = pair(model)
    return [made], [scheduler]


def as_dict(model):
    made, scheduler = pair(model)
    return {'optimizer': made, 'lr_scheduler': scheduler}


def nested(model):
    made, scheduler = pair(model)
    return {'optimizer': made, 'lr_scheduler': {'scheduler': scheduler, 'interval': 'epoch', 'frequency': 3}}


def several(model):
    body, head = torch.optim.AdamW(model.body.parameters()), torch.optim.SGD(model.head.parameters(), lr=0.1)
    return ({'optimizer': body, 'lr_scheduler': {'scheduler': ExponentialLR(body, 0.5)}}, {'optimizer': head})


def attached(model):
    made = adamw(model)
    LambdaLR(made, lambda step: min(1.0, (step + 1) / 4))
    return made


def in_turn(model):
    made = adamw(model)
    first, second = ConstantLR(made, 0.25, total_iters=2), ExponentialLR(made, 0.5)
    return {'optimizer': made, 'lr_scheduler': SequentialLR(made, [first, second], [2])}


def by_group(model):
    made = torch.optim.SGD([{'params': model.body.parameters()}, {'params': model.head.parameters()}], lr=1.0)
    LambdaLR(made, [lambda step: 1.0, lambda step: 0.5**step])
    return made


def on_metric(model):
    made = adamw(model)
    return {'optimizer': made, 'lr_scheduler': ReduceLROnPlateau(made, patience=3), 'monitor': 'loss'}


class Odd:
    def __init__(self, optimizer):
        self.optimizer, self.base_lrs = optimizer, [1.0]

    def step(self):
        pass


def odd(model):
    made = adamw(model)
    return [made], [Odd(made)]


def slower(model):
    made = adamw(model)
    return made, ExponentialLR(made, 0.75)


def late(model):
    made = adamw(model)
    return made, LambdaLR(made, lambda step: 1.0 if step < 900000 else 0.1)


def later(model):
    made = adamw(model)
    return made, LambdaLR(made, lambda step: 1.0 if step < 950000 else 0.1)


def by_epochs_of_timm(model):
    from timm.scheduler import CosineLRScheduler
    made = adamw(model)
    return made, CosineLRScheduler(made, t_initial=10)


def alone(model):
    return pair(model)[1]


class Raises:
    @property
    def optimizer(self):
        raise RuntimeError('closed')


def raises(model):
    return Raises()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f.py").write_text(FUNCTIONS)
    return tmp_path


MODEL = ("--model", "f.py:Net")


@pytest.mark.parametrize(
    "function", ["pair", "two_lists", "as_dict", "nested", "attached", "Net.configure_optimizers"]
)
def test_one_optimizer(invoke: Invoke, folder: Path, function: str) -> None:
    done = invoke("show", f"f.py:{function}", *MODEL, "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    validate(plan, "plan-1.0")
    assert [one["type"] for one in plan["optimizers"]] == ["AdamW"]
    assert {(row["lr"], row["weight_decay"], row["group"]) for row in plan["parameters"]} == {
        (1, 0.01, 0)
    }
    assert all(row["extra"] == {} for row in plan["parameters"])


def lrs(
    invoke: Invoke, folder: Path, function: str, *words: str
) -> tuple[list[Any], dict[str, Any]]:
    done = invoke("schedule", f"f.py:{function}", *MODEL, "--format", "json", *words, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    validate(data, "schedule-1.0")
    return [setting["values"]["lr"] for setting in data["settings"]], data


FIVE = ("--iters", "5", "--every", "1")


@pytest.mark.parametrize(
    ("function", "words", "expected"),
    [
        ("pair", FIVE, [[1, 0.5, 0.25, 0.125, 0.0625]]),
        ("two_lists", ("--epochs", "3", "--every", "1"), [[1, 0.5, 0.25]]),
        ("as_dict", FIVE, [[1, 0.5, 0.25, 0.125, 0.0625]]),
        ("Net.configure_optimizers", FIVE, [[1, 1, 0.5, 0.5, 0.25]]),
        ("nested", ("--epochs", "7", "--every", "1"), [[1, 1, 1, 0.5, 0.5, 0.5, 0.25]]),
        ("nested", ("--iters", "8", "--iters-per-epoch", "2", "--every", "1"), [[1, 1, 1, 0.5]]),
        ("attached", FIVE, [[0.25, 0.5, 0.75, 1, 1]]),
        ("in_turn", FIVE, [[0.25, 0.25, 1, 0.5, 0.25]]),
        ("by_group", FIVE, [[1] * 5, [1, 0.5, 0.25, 0.125, 0.0625]]),
        ("on_metric", FIVE, [[1, 1, 1, 1, None]]),
        ("several", ("--iters", "2", "--every", "1"), [[1e-3, 5e-4], [0.1, 0.1]]),
    ],
)
def test_schedulers_are_stepped(
    invoke: Invoke, folder: Path, function: str, words: tuple[str, ...], expected: list[Any]
) -> None:
    assert lrs(invoke, folder, function, *words)[0] == expected


def test_how_long_is_an_epoch(invoke: Invoke, folder: Path) -> None:
    for function, scheduler in (
        ("nested", "ExponentialLR"),
        ("by_epochs_of_timm", "CosineLRScheduler"),
    ):
        done = invoke("schedule", f"f.py:{function}", *MODEL, "--iters", "8", cwd=folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{scheduler} is stepped once an epoch: how long is one?" in done.stderr


@pytest.mark.parametrize(
    ("function", "unread"),
    [
        ("odd", "Odd, which is no scheduler of torch's or timm's"),
        ("adamw", "what the training does to AdamW: no scheduler is attached to it or returned"),
        ("several", "what the training does to SGD: no scheduler is attached to it or returned"),
    ],
)
def test_what_is_not_read_is_named(
    invoke: Invoke, folder: Path, function: str, unread: str
) -> None:
    assert lrs(invoke, folder, function, *FIVE)[1]["unread"] == [{"name": unread, "origin": None}]
    done = invoke("schedule", f"f.py:{function}", *MODEL, *FIVE, cwd=folder)
    assert f"not read, may move the lr: {unread}" in done.stdout
    assert "keeps its values" not in done.stdout
    assert "constant" not in done.stdout


@pytest.mark.parametrize(
    ("first", "second", "status", "text"),
    [
        ("pair", "pair", 0, "no difference"),
        ("pair", "slower", 1, "lr from scheduler step 1 on  0.5  →  0.75"),
        ("late", "late", 0, "no difference"),
        ("late", "later", 1, "what comes later is not compared"),
        ("pair", "adamw", 1, "one side alone has a scheduler: ExponentialLR"),
        ("odd", "odd", 1, "what may move the lr is not read: Odd"),
    ],
)
def test_diff_of_schedulers(
    invoke: Invoke, folder: Path, first: str, second: str, status: int, text: str
) -> None:
    done = invoke("diff", f"f.py:{first}", f"f.py:{second}", *MODEL, cwd=folder)
    assert (done.returncode, done.stderr) == (status, "")
    assert text in done.stdout
    assert ("no difference" in done.stdout) is (status == 0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("alone", "f.py:alone returned a scheduler alone (ExponentialLR)"),
        ("raises", "f.py:raises raises RuntimeError: closed"),
    ],
)
def test_refused(invoke: Invoke, folder: Path, function: str, message: str) -> None:
    done = invoke("show", f"f.py:{function}", *MODEL, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("error: ") == 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("lr=0.1", "'f.py:adamw' is a function, which has no entry 'lr'"),
        ("optimizer.type=SGD", "--set changes nothing: f.py:adamw makes the optimizer itself"),
    ],
)
def test_settings_that_change_nothing(
    invoke: Invoke, folder: Path, setting: str, message: str
) -> None:
    done = invoke(
        "show", "f.py:adamw", *MODEL, "--set", setting, "--set", "optimizer.lr=1", cwd=folder
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


class Accelerated(Optimizer):
    """Has the attributes of accelerate.optimizer.AcceleratedOptimizer."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    @property
    def param_groups(self) -> Any:  # type: ignore[override]
        """Return those of the inner optimizer."""
        return self.optimizer.param_groups

    @property
    def defaults(self) -> Any:  # type: ignore[override]
        """Return those of the inner optimizer."""
        return self.optimizer.defaults


class OfLightning:
    """Has the attributes of lightning.pytorch.core.optimizer.LightningOptimizer."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self.__class__ = type("LightningX", (OfLightning, type(optimizer)), {})

    @property
    def optimizer(self) -> Optimizer:
        """Return the inner optimizer."""
        return self._optimizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)


class Container(Optimizer):
    """Has the attributes of torchtitan's OptimizersContainer: all parameters in a group of its own."""

    def __init__(self, optimizers: list[Optimizer]) -> None:
        self.optimizers = optimizers
        every = [p for one in optimizers for g in one.param_groups for p in g["params"]]
        super().__init__(every, {})

    def __iter__(self) -> Iterator[Optimizer]:
        return iter(self.optimizers)


class OfDeepSpeed:
    """Has the attributes of DeepSpeed's ZeRO optimizers: the inner one steps flat copies."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.bit16_groups = [list(group["params"]) for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            flat = torch.cat([p.detach().reshape(-1) for p in group["params"]])
            group["params"] = [nn.Parameter(flat)]
        self.optimizer = optimizer
        self.param_groups = optimizer.param_groups


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))


def made(model: nn.Sequential) -> Optimizer:
    groups: list[dict[str, Any]] = [
        {"params": model[0].parameters(), "lr": 0.5},
        {"params": model[1].parameters()},
    ]
    return torch.optim.AdamW(groups, lr=0.1)


@pytest.mark.parametrize(
    "wrap",
    [
        Accelerated,
        OfLightning,
        lambda one: Container([one]),
        OfDeepSpeed,
        lambda one: Accelerated(OfDeepSpeed(one)),  # type: ignore[arg-type]
    ],
    ids=["accelerate", "lightning", "torchtitan", "deepspeed", "both"],
)
def test_wrappers_of_live_optimizers(wrap: Any) -> None:
    model = net()
    plan = Plan.from_optimizer(model, made(model))
    wrapped = wrap(made(model))
    assert Plan.from_optimizer(model, wrapped) == plan
    assert_matches(plan, model, wrapped)
    assert [row.lr for row in plan.parameters] == [0.5, 0.5, 0.1, 0.1]


def test_a_class_that_steps_in_its_own_way_is_no_wrapper() -> None:
    class Lookahead(torch.optim.SGD):
        optimizer: Optimizer

    model = net()
    outer = Lookahead(model.parameters(), lr=1.0)
    outer.optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    assert read_return(outer).optimizers == [(None, outer)]


def test_a_scheduler_alone_is_no_optimizer() -> None:
    model = net()
    scheduler = torch.optim.lr_scheduler.ExponentialLR(made(model), 0.5)
    with pytest.raises(PlanError, match=r"a scheduler alone \(ExponentialLR\)"):
        Plan.from_optimizer(model, scheduler)


def test_a_checkpoint_shows_the_values_of_groups(invoke: Invoke, folder: Path) -> None:
    (folder / "g.py").write_text(GROUPS)
    model = net()
    first, second = parted(model)
    groups: list[dict[str, Any]] = [
        {"params": first, "weight_decay": 0.1},
        {"params": second, "weight_decay": 0.0},
    ]
    torch.save(torch.optim.AdamW(groups, lr=5e-5).state_dict(), folder / "old.pt")
    done = invoke("diff", "old.pt", "g.py:new", "--model", "g.py:Net", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[1].startswith("weight_decay 0.1 → 0.05 2 parameters set by new")
    assert lines[3] == "lr 5e-05 → 0.0001 4 parameters with it"
    assert lines[-1] == "changes: lr of 4 · weight_decay of 2"


def parted(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    every = list(model.parameters())
    return [p for p in every if p.ndim > 1], [p for p in every if p.ndim == 1]


GROUPS = """\
import torch


class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))


def new(model):
    matrices = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim == 1]
    groups = [{'params': matrices, 'weight_decay': 0.05}, {'params': rest, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=1e-4)


class Stacked(torch.optim.Optimizer):
    def __init__(self, groups):
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            if group['kind'] == 'plain':
                for p in group['params']:
                    compiled(p, p.grad, group['lr'] * (1 + group['weight_decay']))
                continue
            first = self.state[group['params'][0]]
            grads = torch.stack([p.grad for p in group['params']])
            mean = first.setdefault('mean', torch.zeros_like(grads))
            mean.lerp_(grads, 1 - group['momentum'])
            for p, own in zip(group['params'], mean):
                p.mul_(1 - group['lr'] * group['weight_decay']).sub_(own, alpha=group['lr'])


@torch.compile(fullgraph=True, dynamic=False)
def compiled(p, grad, lr):
    p.sub_(grad * lr)


def stacked(model):
    matrices = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim == 1]
    return Stacked([
        {'params': matrices, 'kind': 'stacked', 'lr': 0.02, 'momentum': 0.9, 'weight_decay': 0.1},
        {'params': rest, 'kind': 'plain', 'lr': 0.5, 'weight_decay': 0.0},
    ])


def attached(model):
    made = new(model)
    torch.optim.lr_scheduler.LinearLR(made, 0.01)
    return made
"""


@pytest.mark.parametrize("function", ["stacked", "attached"])
def test_verify_where_state_is_shared_or_a_scheduler_has_begun(
    invoke: Invoke, folder: Path, function: str
) -> None:
    (folder / "g.py").write_text(GROUPS)
    words = ("--model", "g.py:Net", "--no-cost", "--device", "cpu")
    done = invoke("verify", f"g.py:{function}", *words, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    # of a class that steps equal tensors as one, nothing tells what a flat one alone should do
    ending = {
        "stacked": " matches as far as it was checked: 4 parameters could not be",
        "attached": " matches: every parameter got what the plan says",
    }
    assert ending[function] in done.stdout


WRAPPED = """\
import torch
from torch import nn

class Net(nn.Linear):
    def __init__(self):
        super().__init__(3, 2)

class EverySecond:
    def __init__(self, optimizer):
        self.optimizer, self.calls = optimizer, 0

    def step(self):
        self.calls += 1
        if self.calls % 2:
            self.optimizer.step()

def build(model):
    return EverySecond(torch.optim.SGD(model.parameters(), lr=0.1))
"""


def test_verify_does_not_vouch_for_a_wrapper(invoke: Invoke, folder: Path) -> None:
    (folder / "w.py").write_text(WRAPPED)
    words = ("verify", "w.py:build", "--model", "w.py:Net", "--no-cost", "--device", "cpu")
    done = invoke(*words, cwd=folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        " matches as far as it was checked: what EverySecond does around its optimizer could not be"
    )
    assert json.loads(invoke(*words, "-f", "json", cwd=folder).stdout)["wrappers"] == [
        "EverySecond"
    ]
