"""How functions are named on the command line, given arguments, and run on a model without memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from optplan.dialects.function.source_functions import optimizer_functions
from tests.conftest import Invoke, Run

FUNCTIONS = """\
import asyncio

import numpy
import torch
from torch import nn
from torch.optim import SGD


class Net(nn.Module):
    class Inner(nn.Linear):
        pass

    def __init__(self, width=4):
        super().__init__()
        self.fc = nn.Linear(width, width)
        self.norm = nn.BatchNorm1d(width)


class Lit(Net):
    def configure_optimizers(self, lr=0.5):
        return SGD(self.parameters(), lr=lr)


def needs(model, lr, weight_decay=0.0, momentum=0.0):
    return SGD(model.parameters(), lr=lr, weight_decay=weight_decay, momentum=momentum)


def model_last(config, net, *, lr):
    return SGD(net.parameters(), lr=lr * config['scale'])


def any_name(parameters_of, **options):
    return SGD(parameters_of.parameters(), **options)


def positional(model, lr, /, weight_decay=0.0):
    return SGD(model.parameters(), lr=lr, weight_decay=weight_decay)


def variadic(*models, lr=1.0):
    return SGD([p for model in models for p in model.parameters()], lr=lr)


def keyword(*, model, lr=1.0):
    return SGD(model.parameters(), lr=lr)


def without_model():
    return SGD([torch.zeros(1)], lr=1.0)


async def later(model):
    return SGD(model.parameters(), lr=1.0)


async def later_groups(model):
    yield {'params': model.parameters()}


def coroutine(model):
    return later(model)


def moves(model):
    before = list(model.parameters())
    model = model.to('cpu').cuda().to('cuda:0').to(0).cpu().to(device='cuda').to(torch.zeros(1))
    model.to_empty(device='cuda')
    assert [id(p) for p in model.parameters()] == [id(p) for p in before]
    return SGD(model.parameters(), lr=1.0)


def moves_and_converts(model):
    model = model.to('cuda', torch.float16)
    assert model.fc.weight.dtype is torch.float16
    model.type('torch.cuda.FloatTensor')
    assert model.fc.weight.dtype is torch.float32
    model.to(device='cpu', dtype=torch.float64, non_blocking=True).to(torch.zeros(1, dtype=torch.bfloat16))
    assert model.norm.running_mean.dtype is model.fc.bias.dtype is torch.bfloat16
    copied = model.fc.weight.to('cuda', torch.bfloat16, False, True)
    assert copied is not model.fc.weight and copied.dtype is torch.bfloat16
    return SGD(model.parameters(), lr=1.0)


def moves_real_tensors(model):
    assert torch.ones(2).cuda().to('cuda:1').to('meta').sum().item() == 2
    return SGD(model.parameters(), lr=1.0)


def item(model):
    return SGD(model.parameters(), lr=1.0 if model.fc.weight.std().item() > 0 else 2.0)


def condition(model):
    return SGD([p for p in model.parameters() if (p == p).all()], lr=1.0)


def as_array(model):
    return SGD([p for p in model.parameters() if numpy.asarray(p.detach()).size], lr=1.0)


def asserts_a_device(model):
    assert model.fc.weight.device.type == 'cpu'
    return SGD(model.parameters(), lr=1.0)


def raises(model):
    raise ValueError('never')
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fns.py").write_text(FUNCTIONS)
    return tmp_path


def rows(invoke: Invoke, folder: Path, word: str, *more: str) -> tuple[Any, str]:
    words = (word, "-m", "fns.py:Net", *more)
    done = invoke("show", *words, "-f", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["parameters"], done.stderr


GIVEN = [
    ("needs", ("lr=0.25",), 0.25, 0.0),
    ("needs", ("lr=1e-3", "weight_decay=0.5", "momentum=0.9"), 0.001, 0.5),
    ("model_last", ("config={'scale': 2}", "lr=0.25"), 0.5, 0.0),
    ("any_name", ("lr=0.25", "weight_decay=.5"), 0.25, 0.5),
    ("positional", ("lr=0.25", "weight_decay=0.5"), 0.25, 0.5),
    ("positional", ("weight_decay=0.5", "lr=0.25"), 0.25, 0.5),
    ("variadic", (), 1.0, 0.0),
    ("keyword", ("lr=0.25",), 0.25, 0.0),
    ("Lit.configure_optimizers", ("lr=0.25",), 0.25, 0.0),
]


@pytest.mark.parametrize(("name", "arguments", "lr", "decay"), GIVEN)
def test_arguments(
    invoke: Invoke, folder: Path, name: str, arguments: tuple[str, ...], lr: float, decay: float
) -> None:
    options = [word for argument in arguments for word in ("-a", argument)]
    found, said = rows(invoke, folder, f"fns.py:{name}", *options)
    assert said == ""
    assert {(row["lr"], row["weight_decay"]) for row in found} == {(lr, decay)}


REFUSED = [
    ("needs", (), "fns.py:24:1: fns.py:needs needs 'lr' besides the model", "give it: -a lr=VALUE"),
    (
        "model_last",
        (),
        "fns.py:28:1: fns.py:model_last needs 'config' and 'lr' besides the model",
        "give them: -a config=VALUE -a lr=VALUE",
    ),
    (
        "needs",
        ("lr=1", "weight_decy=1"),
        "takes no argument 'weight_decy'",
        "did you mean 'weight_decay'?",
    ),
    (
        "needs",
        ("lr=1", "x=1"),
        "takes no argument 'x'",
        "its arguments are model, lr, weight_decay, momentum",
    ),
    (
        "without_model",
        (),
        "fns.py:48:1: fns.py:without_model takes no model",
        "it must take the model as its first argument",
    ),
    ("needs", ("lr",), "-a lr: write name=value", None),
    ("needs", ("lr=1 +",), "-a lr=1 +: '1 +' is no Python literal", None),
    ("later", (), "fns.py:52:1: 'fns.py:later' is an async function", "name a plain function"),
    (
        "later_groups",
        (),
        "fns.py:56:1: 'fns.py:later_groups' is an async function",
        "name a plain function",
    ),
    (
        "coroutine",
        (),
        "fns.py:60:1: fns.py:coroutine returned a coroutine, which makes nothing",
        "it must return",
    ),
    (
        "Net",
        (),
        "'fns.py:Net' is a type, not a function",
        "name a function, or a class that has configure_optimizers",
    ),
    ("raises", (), "fns.py:106:1: fns.py:raises raises ValueError: never (fns.py:107)", None),
    ("need", (), "'fns.py:need': there is no 'need'", "did you mean 'needs'"),
]


@pytest.mark.parametrize(("name", "arguments", "message", "hint"), REFUSED)
def test_refused(
    invoke: Invoke,
    folder: Path,
    name: str,
    arguments: tuple[str, ...],
    message: str,
    hint: str | None,
) -> None:
    options = [word for argument in arguments for word in ("-a", argument)]
    done = invoke("show", f"fns.py:{name}", "-m", "fns.py:Net", *options, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("error: ") == 1
    assert hint is None or f"hint: {hint}" in done.stderr or hint in done.stderr


COMMANDS = {
    "explain": ("explain", "fns.py:needs", "*"),
    "schedule": ("schedule", "fns.py:needs", "--iters", "2"),
    "verify": ("verify", "fns.py:needs", "--device", "cpu", "--no-cost"),
    "check": ("check", "fns.py:needs"),
    "diff": ("diff", "fns.py:needs", "fns.py:needs"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command_takes_arguments(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    given = run(*words, "-m", "fns.py:Net", "-a", "lr=0.25", cwd=folder)
    assert given.returncode == 0, given.stdout + given.stderr
    missing = run(*words, "-m", "fns.py:Net", cwd=folder)
    assert missing.returncode == (1 if words[0] == "check" else 2)
    assert "needs 'lr' besides the model" in missing.stdout + missing.stderr


def test_diff_gives_each_side_its_own(invoke: Invoke, folder: Path) -> None:
    words = ("diff", "fns.py:needs", "fns.py:needs", "-m", "fns.py:Net", "-a", "lr=0.5")
    done = invoke(*words, "--arg-a", "weight_decay=0.1", "--arg-b", "weight_decay=0.2", cwd=folder)
    assert done.returncode == 1
    assert "weight_decay  0.1  →  0.2  4 parameters" in done.stdout


def test_diff_with_a_config_gives_them_to_the_function(invoke: Invoke, folder: Path) -> None:
    (folder / "a.py").write_text("optimizer = dict(type='SGD', lr=0.25)\n")
    done = invoke("diff", "a.py", "fns.py:needs", "-m", "fns.py:Net", "-a", "lr=0.25", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert "0 of 4 parameters change" in done.stdout


@pytest.mark.parametrize(
    "words",
    [("show", "a.py"), ("config", "a.py"), ("diff", "a.py", "a.py"), ("check", "a.py")],
    ids=lambda words: words[0],
)
def test_arguments_of_no_function(invoke: Invoke, folder: Path, words: tuple[str, ...]) -> None:
    (folder / "a.py").write_text("optimizer = dict(type='SGD', lr=0.25)\n")
    more = () if words[0] == "config" else ("-m", "fns.py:Net")
    done = invoke(*words, *more, "-a", "lr=1", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: -a gives arguments to a function, and " in done.stderr


@pytest.mark.parametrize("name", ["moves", "moves_and_converts", "moves_real_tensors"])
def test_moves_do_nothing(invoke: Invoke, folder: Path, name: str) -> None:
    found, said = rows(invoke, folder, f"fns.py:{name}")
    assert said == ""
    assert {(row["status"], row["lr"]) for row in found} == {("optimized", 1.0)}
    assert {row["dtype"] for row in found} == {"float32"}  # the model is left as it was


READING = ["item", "condition", "as_array", "asserts_a_device"]


@pytest.mark.parametrize("name", READING)
def test_values_that_are_read(invoke: Invoke, folder: Path, name: str) -> None:
    silently, said = rows(invoke, folder, f"fns.py:{name}")
    assert said == ""
    asked, _ = rows(invoke, folder, f"fns.py:{name}", "--materialize")
    plain, _ = rows(invoke, folder, "fns.py:variadic")
    for found in (silently, asked, plain):
        for row in found:
            del row["lr_rule"], row["weight_decay_rule"]
    assert silently == asked == plain


def test_values_of_a_large_model(invoke: Invoke, folder: Path) -> None:
    done = invoke("show", "fns.py:item", "-m", "fns.py:Net", "-k", "width=12000", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "  hint: it reads values of the model, which was built without memory: --materialize builds it with "
        "0.6 GB"
    )
    assert "fns.py:item raises RuntimeError: Tensor.item() cannot be called on meta" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "fns.py:item", "*"),
        ("check", "fns.py:item"),
        ("schedule", "fns.py:item", "--iters", "2"),
    ],
    ids=lambda words: words[0],
)
def test_materialize_everywhere(
    invoke: Invoke, folder: Path, monkeypatch: Any, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("optplan.app.model_planner.MOST_ELEMENTS", 10)
    done = invoke(*words, "-m", "fns.py:Net", cwd=folder)
    assert "--materialize builds it" in done.stdout + done.stderr
    done = invoke(*words, "-m", "fns.py:Net", "--materialize", cwd=folder)
    assert done.returncode == 0, done.stderr


def test_import_paths(invoke: Invoke, folder: Path) -> None:
    package = folder / "pkg" / "low"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / "pkg" / "__init__.py").touch()
    (package / "train.py").write_text(FUNCTIONS)
    for word in ("pkg.low.train:needs", "pkg/low/train.py:needs", "fns:needs"):
        found, _ = rows(invoke, folder, word, "-a", "lr=0.25")
        assert {row["lr"] for row in found} == {0.25}
        assert found[0]["lr_rule"]["origin"] is None or "train" in str(found[0])
    done = invoke(
        "verify",
        "pkg.low.train:variadic",
        "-m",
        "fns:Net",
        "--device",
        "cpu",
        "--no-cost",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pkg", "fns")]:
        sys.modules.pop(name)


def test_a_function_of_an_installed_package(invoke: Invoke, folder: Path) -> None:
    found, _ = rows(
        invoke,
        folder,
        "timm.optim:create_optimizer_v2",
        "-a",
        "opt=adamw",
        "-a",
        "lr=0.25",
        "-a",
        "weight_decay=0.5",
    )
    assert {(row["name"], row["weight_decay"]) for row in found} == {
        ("fc.weight", 0.5), ("fc.bias", 0.0), ("norm.weight", 0.0), ("norm.bias", 0.0),
    }  # fmt: skip


NOT_FOUND = [
    (("show", "fns.needs"), "fns.needs: there is no such file", "did you mean 'fns:needs'?"),
    (("show", "fns.Lit.configure_optimizers"), "there is no such file", "did you mean 'fns:Lit.configure_optimizers'?"),
    (("show", "fsn.py:needs"), "there is no file 'fsn.py'", "did you mean 'fns.py'?"),
    (("show", "no_such.train:build"), "'no_such.train' cannot be imported: there is no module 'no_such'", ""),
    (("show", "fns:need"), "'fns:need': there is no 'need'", "did you mean 'needs'"),
    (("show", "fns.py:needs", "-a", "lr=1", "-m", "torch.nn.Linear"), "timm has no model 'torch.nn.Linear'", "did you mean 'torch.nn:Linear'?"),
    (("show", "fns.py:needs", "-a", "lr=1", "-m", "fns.Net.Inner"), "timm has no model 'fns.Net.Inner'", "did you mean 'fns:Net.Inner'?"),
    (("show", "fns.py:Lit.configure_optimizers"), "which model?", "name one: --model fns.py:Lit"),
    (("config", "fns.py:variadic"), "'fns.py:variadic' is a function, which has no entries", "optplan show fns.py:variadic"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message", "hint"), NOT_FOUND)
def test_words_that_name_something_else(
    invoke: Invoke, folder: Path, words: tuple[str, ...], message: str, hint: str
) -> None:
    has_model = "-m" in words or "which" in message or words[0] == "config"
    done = invoke(*words, *(() if has_model else ("-m", "fns.py:Net")), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert hint in done.stderr


CODE = """\
import torch
import os
os.remove('never')


class Lit(torch.nn.Module):
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters())

    def forward(self, x):
        return x


def build(model):
    return torch.optim.AdamW(model.parameters())


def make_groups(model):
    return [{'params': list(model.parameters())}]


def names(model):
    return list(model.state_dict())


def main(args):
    optimizer = torch.optim.AdamW([])


main(None)
"""
FOUND = "train.py:Lit.configure_optimizers, train.py:build, train.py:make_groups"


@pytest.mark.parametrize(
    "words",
    [
        ("show", "train.py"),
        ("show", "train.py:"),
        ("explain", "train.py", "*"),
        ("schedule", "train.py"),
        ("verify", "train.py"),
        ("config", "train.py"),
        ("diff", "train.py", "train.py"),
    ],
    ids=" ".join,
)
def test_functions_of_a_file_that_is_no_config(
    invoke: Invoke, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """It is not run: that would fail."""
    (tmp_path / "train.py").write_text(CODE)
    done = invoke(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: train.py: it is code and no config: name the function in it that makes the optimizer\n"
        f"  hint: {FOUND}\n"
    )


def test_check_lists_them_too_where_the_file_is_named(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(CODE)
    (tmp_path / "a.py").write_text("optimizer = dict(type='SGD', lr=0.25)\n")
    done = invoke("check", "train.py", cwd=tmp_path)
    assert done.returncode == 1
    assert f"hint: {FOUND}" in done.stdout
    assert invoke("check", ".", cwd=tmp_path).returncode == 0


def test_a_config_with_a_function_stays_a_config(invoke: Invoke, tmp_path: Path) -> None:
    text = "optimizer = dict(type='SGD', lr=open('x'))\ndef build_optimizer(m):\n    return m\n"
    (tmp_path / "a.py").write_text(text)
    done = invoke("show", "a.py", "-m", "resnet18", cwd=tmp_path)
    assert done.returncode == 2
    assert "no config" not in done.stderr


MEANT = {
    "def f(m): return optim.SGD(m.parameters(), 1)": ["f"],
    "def f(m):\n    yield dict(params=m.parameters())": ["f"],
    "def get_param_groups(m): return m": ["get_param_groups"],
    "def _f(m): return SGD(m)": ["_f"],
    "def _f(m): return SGD(m)\ndef g(m): return bnb.optim.Adam8bit(_f(m))": ["g"],
    "class A:\n    def f(self): return AdamW(self)\n    def __init__(self): return AdamW(self)": [
        "A.f"
    ],
    "def f(m): return m.x": [],
    "def f(): return SGD(1)": [],
    "def f(m): SGD(m)": [],
    "def f(m):\n    def g(m): return SGD(m)\n    return g": [],
    "def f(m) return SGD(m)": [],
    "": [],
}


@pytest.mark.parametrize(("text", "names"), MEANT.items())
def test_functions_that_may_be_meant(text: str, names: list[str]) -> None:
    assert list(optimizer_functions(text)) == names
