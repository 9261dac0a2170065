"""Functions of the user's own in the place of a config, as the command line names them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke
from tests.schema import validate

FUNCTIONS = """\
import copy, functools
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Linear(4, 3)
        self.norm = nn.LayerNorm(3)
        self.head = nn.Linear(3, 2)


def by_hand(model):
    print("made by hand")
    return [
        {'params': model.backbone.parameters()},
        {'params': model.head.parameters(), 'lr': 1e-3, 'momentum': 0.5},
    ]


def optimizer(model):
    flat = [p for p in model.parameters() if p.ndim == 1]
    rest = [p for p in model.parameters() if p.ndim > 1]
    groups = [{'params': rest}, {'params': flat, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1)


class Wrapper:
    def __init__(self, optimizer):
        self.optimizer = optimizer


def wrapped(model):
    return Wrapper(optimizer(model))


def several(model):
    flat = [p for p in model.parameters() if p.ndim == 1]
    rest = [p for p in model.parameters() if p.ndim > 1]
    return {'muon': torch.optim.Muon(rest, lr=0.02), 'adamw': torch.optim.AdamW(flat, lr=0.003)}


def a_list(model):
    return list(several(model).values())


def twice(model):
    return [torch.optim.SGD(model.parameters(), 0.1), torch.optim.SGD(model.head.parameters(), 0.1)]


def generator(model):
    for p in model.parameters():
        yield {'params': [p], 'lr': 0.25}


def parameters(model):
    return model.head.parameters()


def named(model):
    return model.named_parameters()


def one_group(model):
    return {'params': model.parameters(), 'lr': 0.5}


def group_of_names(model):
    return [{'params': list(model.named_parameters()), 'lr': 0.5}]


def with_names(model):
    names, params = zip(*model.named_parameters())
    return [{'params': list(params), 'param_names': list(names), 'lr': 0.5}]


def freezes(model):
    model.backbone.requires_grad_(False)
    model.train(False)
    return torch.optim.SGD(model.head.parameters(), lr=1.0)


def replaces(model):
    model.head = nn.Linear(3, 5)
    return torch.optim.SGD(model.parameters(), lr=1.0)


def another(model):
    loss = nn.Linear(2, 2)
    return torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=1.0)


def nothing(model):
    pass


def empty(model):
    return []


def numbers(model):
    return [1, 2]


def no_params(model):
    return [{'lr': 1}]


def doubled(model):
    return [{'params': model.head.parameters()}, {'params': [model.head.bias]}]


def raises(model):
    return model.neck.parameters()


def raises_later(model):
    yield {'params': model.head.parameters()}
    raise ValueError('too late')


def negative(model):
    return [{'params': model.parameters(), 'lr': -1.0}]


def of_optimizers(model):
    yield optimizer(model)


def of_a_copy(model):
    return optimizer(copy.deepcopy(model))


def of_another_model(model):
    return [{'params': nn.Linear(2, 2).parameters()}]


async def later(model):
    return optimizer(model)


def not_awaited(model):
    return later(model)


def without_params(model):
    made = optimizer(model)
    del made.param_groups[0]['params']
    return made


def with_a_text(model):
    made = optimizer(model)
    made.param_groups[1]['lr'] = 'high'
    return made


def with_two_lrs(model):
    return [{'params': model.parameters(), 'lr': torch.tensor([0.1, 0.2])}]


class Stops(BaseException):
    pass


def stops(model):
    raise Stops('enough')


class Endless:
    def __getattr__(self, name):
        return Endless()


def endless(model):
    return Endless()


def in_itself(model):
    made = []
    made.append(made)
    return made


def scheduler_in_a_dict(model):
    return {'lr_scheduler': torch.optim.lr_scheduler.StepLR(optimizer(model), 3)}


class Method:
    def __call__(self, model):
        return 3

    def make(self, model):
        return optimizer(model)


method = Method()
wrong = functools.partial(no_params)


CONSTANT = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(FUNCTIONS)
    return tmp_path


def shown(invoke: Invoke, folder: Path, function: str, *more: str) -> tuple[dict[str, Any], str]:
    done = invoke(
        "show",
        f"train.py:{function}",
        "--model",
        "train.py:Net",
        "--format",
        "json",
        *more,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    validate(plan, "plan-1.0")
    return plan, done.stderr


def values(plan: dict[str, Any]) -> list[Any]:
    return [
        (row["name"], row["lr"], row["weight_decay"], row["optimizer"], row["group"])
        for row in plan["parameters"]
    ]


NAMES = ("backbone.weight", "backbone.bias", "norm.weight", "norm.bias", "head.weight", "head.bias")


def test_groups_by_hand(invoke: Invoke, folder: Path) -> None:
    plan, stderr = shown(invoke, folder, "by_hand")
    assert stderr == "made by hand\n"
    assert values(plan) == [
        ("backbone.weight", None, None, 0, 0),
        ("backbone.bias", None, None, 0, 0),
        ("norm.weight", None, None, None, None),
        ("norm.bias", None, None, None, None),
        ("head.weight", 0.001, None, 0, 1),
        ("head.bias", 0.001, None, 0, 1),
    ]
    assert plan["parameters"][2]["status"] == "uncovered"
    assert plan["parameters"][4]["options"] == {"momentum": 0.5}
    assert plan["constructor"] == "by_hand"
    assert plan["optimizers"][0]["type"] == "param groups"
    assert plan["parameters"][4]["lr_rule"] == {
        "rule": "set",
        "option": None,
        "key": None,
        "mult": None,
        "origin": {"file": "train.py", "line": 14, "column": 1},
        "constructor": "by_hand",
    }
    assert plan["parameters"][0]["lr_rule"]["rule"] == "default"


def test_groups_for_an_optimizer_of_the_command_line(invoke: Invoke, folder: Path) -> None:
    setting = ["--set", "optimizer.type=SGD", "--set", "optimizer.lr=0.1"]
    plan, _ = shown(invoke, folder, "by_hand", *setting)
    assert [row[1] for row in values(plan)] == [0.1, 0.1, None, None, 0.001, 0.001]
    assert plan["optimizers"][0]["class"] == "torch.optim.sgd.SGD"
    assert plan["parameters"][4]["lr_rule"]["mult"] is None


@pytest.mark.parametrize("function", ["optimizer", "wrapped"])
def test_an_optimizer(invoke: Invoke, folder: Path, function: str) -> None:
    plan, _ = shown(invoke, folder, function)
    assert values(plan) == [
        ("backbone.weight", 0.01, 0.1, 0, 0),
        ("backbone.bias", 0.01, 0.0, 0, 1),
        ("norm.weight", 0.01, 0.0, 0, 1),
        ("norm.bias", 0.01, 0.0, 0, 1),
        ("head.weight", 0.01, 0.1, 0, 0),
        ("head.bias", 0.01, 0.0, 0, 1),
    ]


@pytest.mark.parametrize(
    ("function", "names"), [("several", ["muon", "adamw"]), ("a_list", [None] * 2)]
)
def test_several_optimizers(
    invoke: Invoke, folder: Path, function: str, names: list[str | None]
) -> None:
    plan, _ = shown(invoke, folder, function)
    assert [one["name"] for one in plan["optimizers"]] == names
    assert [one["type"] for one in plan["optimizers"]] == ["Muon", "AdamW"]
    assert [(row[1], row[3], row[4]) for row in values(plan)] == [
        (0.02, 0, 0),
        (0.003, 1, 0),
        (0.003, 1, 0),
        (0.003, 1, 0),
        (0.02, 0, 0),
        (0.003, 1, 0),
    ]
    assert [(s["optimizer"], s["parameters"]) for s in plan["settings"]] == [(0, 2), (1, 4)]


@pytest.mark.parametrize(
    ("function", "lrs"),
    [
        ("generator", [0.25] * 6),
        ("parameters", [None] * 6),
        ("named", [None] * 6),
        ("one_group", [0.5] * 6),
        ("group_of_names", [0.5] * 6),
        ("with_names", [0.5] * 6),
    ],
)
def test_other_forms(invoke: Invoke, folder: Path, function: str, lrs: list[float | None]) -> None:
    plan, stderr = shown(invoke, folder, function)
    assert ([row[1] for row in values(plan)], stderr) == (lrs, "")
    covered = [row["name"] for row in plan["parameters"] if row["group"] is not None]
    assert covered == list(NAMES[4:] if function == "parameters" else NAMES)
    assert all(row["extra"] == {} for row in plan["parameters"])


def test_one_that_freezes(invoke: Invoke, folder: Path) -> None:
    plan, _ = shown(invoke, folder, "freezes")
    assert [row["status"] for row in plan["parameters"]] == [
        *["frozen"] * 2,
        *["uncovered"] * 2,
        *["optimized"] * 2,
    ]
    done = invoke("check", "train.py:freezes", "--model", "train.py:Net", cwd=folder)
    assert done.returncode == 1
    assert "OPT408 warning: the constructor froze 2 parameters" in done.stdout
    assert "OPT401" in done.stdout


def test_tensors_besides_the_models(
    invoke: Invoke, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan, _ = shown(invoke, folder, "another")
    assert [row[1] for row in values(plan)] == [1.0] * 6
    assert caplog.messages == ["2 tensors in the groups are no parameters of the model"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "train.py:nothing returned nothing"),
        ("empty", "train.py:empty returned an empty list"),
        ("numbers", "train.py:numbers returned a list with int in it"),
        ("no_params", "train.py:no_params returned a list with a dict without 'params' in it"),
        ("doubled", "some parameters appear in more than one parameter group"),
        ("raises", "train.py:raises raises AttributeError: 'Net' object has no attribute 'neck'"),
        ("raises_later", "train.py:raises_later raises ValueError: too late"),
        ("negative", "lr would be -1.0 for backbone.weight"),
        ("twice", "puts parameters into several groups: head.weight, head.bias"),
        ("replaces", "the model is changed while the groups are made: head.weight, head.bias"),
        ("missing", "'train.py:missing': there is no 'missing'"),
        ("of_optimizers", "train.py:of_optimizers returned a generator of optimizers"),
        ("of_a_copy", "of_a_copy makes an optimizer of another model: none of its tensors is"),
        ("of_another_model", "of_another_model makes an optimizer of another model"),
        ("not_awaited", "returned a coroutine, which makes nothing until it is awaited"),
        ("without_params", "returned an optimizer (AdamW) that is damaged"),
        ("with_a_text", "with_a_text: group 1 has the lr 'high', which is no number"),
        ("with_two_lrs", "with_two_lrs: group 0 has the lr 'tensor([0.1000, 0.2000])', which is"),
        ("stops", "train.py:stops raises Stops: enough"),
        ("endless", "train.py:endless returned a value of type Endless"),
        ("in_itself", "train.py:in_itself returned a list with list in it"),
        ("scheduler_in_a_dict", "returned a scheduler alone (StepLR)"),
        ("method", "train.py:method returned a value of type int"),
        ("Method.make", "hint: it is a method: name it as that of an object"),
        ("wrong", "train.py:wrong returned a list with a dict without 'params' in it"),
        ("CONSTANT", "'train.py:CONSTANT' is a int, not a function that takes the model"),
        ("Net", "'train.py:Net' is a type, not a function that takes the model"),
    ],
)
def test_refused(invoke: Invoke, folder: Path, function: str, message: str) -> None:
    done = invoke("show", f"train.py:{function}", "--model", "train.py:Net", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    if function not in ("missing", "CONSTANT", "Net"):
        assert re.search(r"^error: train\.py:\d+:\d+: ", done.stderr, re.MULTILINE)


def test_explain(invoke: Invoke, folder: Path) -> None:
    words = ["explain", "train.py:optimizer", "--model", "train.py:Net", "norm.weight"]
    done = invoke(*words, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "norm.weight   3   LayerNorm",
        "  in group 1 of 2, 4 parameters: *.bias, norm.*",
        "  lr            0.01    default of the optimizer, group 1 sets none",
        "  weight_decay  0       set by optimizer, group 1                    train.py:22:1",
        "     22 │ def optimizer(model):",
    ]
    done = invoke(*words, "--format", "json", cwd=folder)
    validate(json.loads(done.stdout), "explain-1.0")


def test_diff(invoke: Invoke, folder: Path) -> None:
    words = ["train.py:optimizer", "train.py:wrapped", "--model", "train.py:Net"]
    done = invoke("diff", *words, cwd=folder)
    assert done.returncode == 1
    words = ["train.py:optimizer", "train.py:optimizer", "--model", "train.py:Net"]
    assert invoke("diff", *words, cwd=folder).returncode == 0


def test_check(invoke: Invoke, folder: Path) -> None:
    done = invoke("check", "train.py:optimizer", "--model", "train.py:Net", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    done = invoke("check", "train.py:by_hand", "--model", "train.py:Net", cwd=folder)
    assert done.returncode == 1
    assert "OPT401 2 parameters are in no group" in done.stdout or "OPT401" in done.stdout
