"""Whatever is wrong with the input: one message, exit status 2, no traceback, nothing written."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke, Run

FINE = "optimizer = dict(type='SGD', lr=0.1, weight_decay=0.1)\n"

# name of the config, its bytes, and the messages' lines
CONFIGS: list[tuple[str, bytes, str]] = [
    (
        "empty.py",
        b"",
        "error: empty.py: no optimizer: the config defines neither 'optim_wrapper' nor 'optimizer'\n"
        "  hint: give it one, such as optimizer = dict(type='SGD', lr=0.1)\n",
    ),
    (
        "typo.py",
        b"optimiser = dict(type='SGD')\n",
        "error: typo.py: no optimizer: the config defines neither 'optim_wrapper' nor 'optimizer'\n"
        "  hint: rename 'optimiser' to 'optimizer'\n",
    ),
    ("binary.py", b"\x00\x01\x02\xff", "error: binary.py: it is a binary file, not a config\n"),
    (
        "latin.py",
        b"name = '\xe9'\n",
        "error: latin.py: it is not in UTF-8: line 1 has the byte 0xe9\n  hint: save it as UTF-8\n",
    ),
    (
        "circle.py",
        b"_base_ = 'circle.py'\n",
        "error: circle.py:1:10: the bases form a circle: circle.py \u2192 circle.py\n"
        "    1 \u2502 _base_ = 'circle.py'\n"
        "      \u2502          ^\n",
    ),
    (
        "section.py",
        b"optimizer = 'SGD'\n",
        "error: section.py:1:1: 'optimizer' must be a dict, got str 'SGD'\n"
        "    1 \u2502 optimizer = 'SGD'\n"
        "      \u2502 ^\n"
        "  hint: write dict(type='SGD', lr=...)\n",
    ),
    (
        "no_type.py",
        b"optimizer = dict(typ='SGD')\n",
        "error: no_type.py:1:18: the optimizer has no 'type'\n"
        "    1 \u2502 optimizer = dict(typ='SGD')\n"
        "      \u2502                  ^\n"
        "  hint: rename 'typ' to 'type'\n",
    ),
    (
        "no_optimizer.py",
        b"optim_wrapper = dict(type='OptimWrapper')\n",
        "error: no_optimizer.py:1:1: 'optim_wrapper' has no 'optimizer'\n"
        "    1 \u2502 optim_wrapper = dict(type='OptimWrapper')\n"
        "      \u2502 ^\n"
        "  hint: write optimizer=dict(type=..., lr=...) in it\n",
    ),
    (
        "paramwise.py",
        b"optimizer = dict(type='SGD', lr=0.1, paramwise_cfg=[1])\n",
        "error: paramwise.py:1:38: paramwise_cfg must be a dict, got list [1]\n"
        "    1 \u2502 optimizer = dict(type='SGD', lr=0.1, paramwise_cfg=[1])\n"
        "      \u2502                                      ^\n",
    ),
    (
        "wrong_section.py",
        b"optim_wrapper = dict(optimizer=dict(type='SGD', paramwise_cfg=dict()))\n",
        "error: wrong_section.py:1:49: 'paramwise_cfg' inside 'optim_wrapper.optimizer' reaches the "
        "optimizer class as an argument\n"
        "    1 \u2502 optim_wrapper = dict(optimizer=dict(type='SGD', paramwise_cfg=dict()))\n"
        "      \u2502                                                 ^\n"
        "  hint: put it beside 'optimizer', inside 'optim_wrapper'\n",
    ),
    (
        "rates.yaml",
        b"optimizer:\n  type: SGD\n  lr: 1e-3\n  weight_decay: -1\n",
        "error: rates.yaml:3:3: lr must be a number, got the string '1e-3'\n"
        "    3 \u2502 lr: 1e-3\n"
        "      \u2502 ^\n"
        "  hint: write 1.0e-3\n"
        "error: rates.yaml:4:3: weight_decay must not be negative, got -1\n"
        "    4 \u2502 weight_decay: -1\n"
        "      \u2502 ^\n",
    ),
    (
        "every_mistake.py",
        b"optimizer = dict(type='SGD', lr=float('nan'), paramwise_cfg=dict(\n"
        b"    norm_decay_mult='0',\n"
        b"    bias_lr_mult=float('inf'),\n"
        b"    custom_keys={'a': 3, 2: dict(), 'b': dict(lr_mult=None, decay_mult=0)}))\n",
        "error: every_mistake.py:1:30: lr must be finite, got nan\n"
        "    1 \u2502 optimizer = dict(type='SGD', lr=float('nan'), paramwise_cfg=dict(\n"
        "      \u2502                              ^\n"
        "error: every_mistake.py:2:5: norm_decay_mult must be a number, got the string '0'\n"
        "    2 \u2502 norm_decay_mult='0',\n"
        "      \u2502 ^\n"
        "  hint: write 0.0, without quotes\n"
        "error: every_mistake.py:3:5: bias_lr_mult must be finite, got inf\n"
        "    3 \u2502 bias_lr_mult=float('inf'),\n"
        "      \u2502 ^\n"
        "error: every_mistake.py:4:18: custom key 'a' must hold a dict, got int 3\n"
        "    4 \u2502 custom_keys={'a': 3, 2: dict(), 'b': dict(lr_mult=None, decay_mult=0)}))\n"
        "      \u2502              ^\n"
        "  hint: write dict(lr_mult=..., decay_mult=...)\n"
        "error: every_mistake.py:4:26: a custom key must be a string, got int 2\n"
        "    4 \u2502 custom_keys={'a': 3, 2: dict(), 'b': dict(lr_mult=None, decay_mult=0)}))\n"
        "      \u2502                      ^\n"
        "error: every_mistake.py:4:47: custom key 'b': lr_mult must be a number, got NoneType None\n"
        "    4 \u2502 custom_keys={'a': 3, 2: dict(), 'b': dict(lr_mult=None, decay_mult=0)}))\n"
        "      \u2502                                           ^\n"
        "error: every_mistake.py:4:61: decay_mult of custom key 'b' multiplies a base weight_decay, but "
        "the optimizer sets none\n"
        "    4 \u2502 custom_keys={'a': 3, 2: dict(), 'b': dict(lr_mult=None, decay_mult=0)}))\n"
        "      \u2502                                                         ^\n"
        "  hint: set weight_decay in the optimizer\n",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), CONFIGS, ids=[case[0] for case in CONFIGS])
def test_bad_config(
    name: str, content: bytes, message: str, invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    done = invoke("show", name, "--model", "resnet18", "-o", "out.txt", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == message
    assert os.listdir(tmp_path) == [name]


MODELS = """
import socket
import torch
from torch import nn

class Raises(nn.Module):
    def __init__(self):
        super().__init__()
        raise ValueError('no such width')

class Downloads(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        socket.create_connection(('weights.example', 443))

class Empty(nn.Module):
    pass

class Frozen(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        self.requires_grad_(False)

class Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.inner.outer = self

class OddModule(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        self.module = 'a name'

class RaisingModule(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)

    @property
    def module(self):
        raise RuntimeError('not ready')

class Mute(Exception):
    def __str__(self):
        raise RuntimeError('no words')

def mute():
    raise Mute

def deep():
    net = nn.Linear(2, 2)
    for _ in range(1500):
        net = nn.Sequential(net)
    return net

def number():
    return 3

def leaves():
    raise SystemExit('bye')

lazy = nn.LazyLinear(3)
instance = nn.Linear(2, 2)
"""

MODEL_ERRORS = [
    ("resnet5O", (), "error: timm has no model 'resnet5O'\n  hint: did you mean 'resnet50', "),
    (
        "resnet50.a1_in2k",
        (),
        "error: timm has no tag 'a1_in2k' for 'resnet50'\n  hint: did you mean ",
    ),
    ("timm:nothing_like_this", (), "error: timm has no model 'nothing_like_this'\n"),
    ("hf_hub:timm/resnet50", (), "error: 'hf_hub:timm/resnet50' would have to be fetched\n"),
    ("resnet18", ("pretrained=True",), "error: pretrained weights are never downloaded\n"),
    (
        "resnet18",
        ("widht=3",),
        "error: the timm model 'resnet18' raises while it is built: TypeError",
    ),
    (
        "m.py:Raises",
        (),
        "error: 'm.py:Raises' raises while it is built: ValueError: no such width (",
    ),
    (
        "m.py:Downloads",
        (),
        "error: 'm.py:Downloads' tries to download (from weights.example) while",
    ),
    ("m.py:Empty", (), "error: the model m.Empty has no parameters\n"),
    ("m.py:Frozen", (), "error: every parameter is frozen, the optimizer would get none\n"),
    ("m.py:Loop", (), "error: the module 'inner.outer' contains itself\n"),
    (
        "m.py:OddModule",
        (),
        "error: the model's attribute 'module' is a str: optimizer constructors",
    ),
    ("m.py:RaisingModule", (), "error: the model's attribute 'module' raises RuntimeError, and"),
    ("m.py:mute", (), "error: 'm.py:mute' raises while it is built: Mute ("),
    ("m.py:deep", (), "error: the model's modules are nested too deeply to be walked\n"),
    ("m.py:number", (), "error: 'm.py:number' made no nn.Module but a value of type int\n"),
    ("m.py:leaves", (), "error: 'm.py:leaves' raises while it is built: SystemExit: bye ("),
    (
        "m.py:lazy",
        (),
        "error: the parameter weight is lazy: it has no shape before the first forward\n",
    ),
    ("m.py:instance", ("a=1",), "error: 'm.py:instance' is an instance and takes no arguments\n"),
    ("m.py:Fro", (), "error: 'm.py:Fro': there is no 'Fro'\n  hint: did you mean 'Frozen'?\n"),
    ("m.py:MODELS.x", (), "error: 'm.py:MODELS.x': there is no 'MODELS'\n"),
    (
        "m.py",
        (),
        "error: 'm.py' is a file: name what to build of it\n  hint: m.py:Raises, m.py:Down",
    ),
    ("n.py:A", (), "error: there is no file 'n.py'\n  hint: the folder has "),
    ("no_such_package:A", (), "error: 'no_such_package' cannot be imported: there is no module"),
    ("broken.py:A", (), "error: 'broken.py' raises on import: SyntaxError: "),
    (":A", (), "error: ':A' names no model\n"),
]


@pytest.mark.parametrize(
    ("spec", "arguments", "message"), MODEL_ERRORS, ids=[f"{c[0]}{c[1]}" for c in MODEL_ERRORS]
)
def test_bad_model(
    spec: str, arguments: tuple[str, ...], message: str, invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1, paramwise_cfg=dict(bias_lr_mult=2))"
    )
    (tmp_path / "m.py").write_text(MODELS)
    (tmp_path / "broken.py").write_text("class A(:\n")
    options = [word for argument in arguments for word in ("-k", argument)]
    done = invoke("show", "a.py", "--model", spec, *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


# the optimizer section, and how the message starts; the model is sample_configs/models.py's Segmentor
OPTIMIZERS = [
    ("type='SGDD', lr=0.1", "error: a.py:1:18: there is no optimizer 'SGDD'\n"),
    ("type='Lion', lr=0.1", "error: a.py:1:18: there is no optimizer 'Lion'\n"),
    ("type='os.system'", "error: a.py:1:18: 'os.system' is not an optimizer class\n"),
    ("type='torch.nn.Linear'", "error: a.py:1:18: 'torch.nn.Linear' is not an optimizer class\n"),
    (
        "type='beside.Optimizer'",
        "error: a.py:1:18: there is no optimizer 'beside.Optimizer': no installed",
    ),
    ("type='SGD', momentun=0.9", "error: a.py:1:30: SGD takes no argument 'momentun'\n"),
    (
        "type='SGD', lr=0.1, momentum=-1",
        "error: a.py:1:18: SGD refuses this: Invalid momentum value: -1\n",
    ),
    (
        "type='Muon', lr=0.1",
        "error: a.py:1:18: Muon refuses this: Muon only supports 2D parameters whereas we found a "
        "parameter with size: torch.Size([16, 3, 3, 3]); refused are backbone.layer0.0.weight, "
        "backbone.layer0.0.bias, ",
    ),
    (
        "type='LBFGS', lr=0.1, paramwise_cfg=dict(bias_lr_mult=1)",
        "error: a.py:1:18: LBFGS refuses this: LBFGS doesn't support per-parameter options",
    ),
    (
        "type='SGD', lr=0.1, paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=-1)))",
        "error: a.py:1:74: lr would be -0.1 for decode_head.weight, decode_head.bias (custom key "
        "'head'): it must be finite and not negative\n",
    ),
    (
        "type='SGD', lr=1e300, paramwise_cfg=dict(bias_lr_mult=1e300)",
        "error: a.py:1:59: lr would be inf for backbone.layer0.0.bias, backbone.layer1.0.bias, "
        "backbone.layer2.0.bias, decode_head.bias (bias_lr_mult): it must be finite",
    ),
    (
        "type='SGD', paramwise_cfg=dict(custom_keys=dict(head=dict(decay_mult=1))), weight_decay=1",
        "error: a.py:1:66: custom key 'head' multiplies a base lr for 'decode_head.weight', but the "
        "optimizer sets no lr\n",
    ),
    (
        "type='SGD', lr=0.1, constructor='LayerWise'",
        "error: a.py:1:38: there is no optimizer constructor 'LayerWise'\n",
    ),
    (
        "type='ZeroRedundancyOptimizer', lr=0.1",
        "error: a.py:1:18: ZeroRedundancyOptimizer needs the inner",
    ),
    (
        "type='ZeroRedundancyOptimizer', optimizer_type=['SGD'], lr=0.1",
        "error: a.py:1:50: optimizer_type must be an optimizer's name, got list ['SGD']\n",
    ),
]


@pytest.mark.parametrize(("section", "message"), OPTIMIZERS, ids=[case[0] for case in OPTIMIZERS])
def test_bad_optimizer(section: str, message: str, invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"optimizer = dict({section})\n")
    (tmp_path / "beside.py").write_text("raise SystemExit('this must not be imported')\n")
    model = Path(__file__).parents[2] / "sample_configs" / "models.py"
    done = invoke("show", "a.py", "--model", f"{model}:Segmentor", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


COMMANDS = [
    (("show", "a.py"), "error: which model?\n  hint: name one: --model resnet50\n"),
    (("show", "nope.py", "-m", "resnet18"), "error: nope.py: there is no such file\n"),
    (("show", ".", "-m", "resnet18"), "error: .: it is a directory, not a config file\n"),
    (("show", "a.py", "-m", "resnet18", "-k", "x"), "error: -k x: write name=value\n"),
    (
        ("show", "a.py", "-m", "resnet18", "-k", "x=[1"),
        "error: -k x=[1: '[1' is no Python literal\n",
    ),
    (("show", "old.json"), "error: the saved plan has format 2.0, this optplan reads 1.0\n"),
    (("show", "cut.json"), "error: the saved plan is damaged: "),
    (
        (
            "show",
            "a.py",
            "-m",
            "torch.nn:Linear",
            "-k",
            "in_features=2",
            "-k",
            "out_features=3",
            "--param",
            "wieght",
        ),
        "error: 'wieght' matches no parameter\n  hint: did you mean 'weight'?\n",
    ),
    (
        (
            "show",
            "a.py",
            "-m",
            "torch.nn:Linear",
            "-k",
            "in_features=2",
            "-k",
            "out_features=3",
            "-o",
            "no/x",
        ),
        "error: cannot write 'no/x': No such file or directory\n",
    ),
]


@pytest.mark.parametrize(
    ("words", "message"), COMMANDS, ids=[" ".join(case[0]) for case in COMMANDS]
)
def test_bad_command(words: tuple[str, ...], message: str, invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FINE)
    (tmp_path / "old.json").write_text('{"format_version": "2.0"}')
    (tmp_path / "cut.json").write_text('{"format_version": "1.0", "versions": {}}')
    before = sorted(os.listdir(tmp_path))
    done = invoke(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert sorted(os.listdir(tmp_path)) == before


def test_usage_error(run: Run) -> None:
    for words in ((), ("show",), ("show", "a.py", "--nope"), ("show", "a.py", "--rule", "nope")):
        done = run(*words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("show", "nope.py", "--debug", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("error: nope.py: there is no such file\n")


def test_a_bug_is_status_3(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("optplan.app.sources.load_config_file", broken)
    done = invoke("show", "a.py", "-m", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "a bug in optplan: ZeroDivisionError: oh\nplease report it with what --debug prints\n"
    )


def test_interrupt_is_status_130(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("optplan.app.sources.load_config_file", interrupted)
    done = invoke("show", "a.py", "-m", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_unreadable(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(FINE)
    opened = os.open

    def refused(path: Any, *arguments: Any, **named: Any) -> int:
        if str(path).endswith("a.py"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path, *arguments, **named)

    # root may read everything, so that taking the permission away shows nothing
    monkeypatch.setattr(os, "open", refused)
    done = invoke("show", "a.py", "-m", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("show", "a.py", "--param"), ("explain", "a.py")])
def test_a_pattern_that_is_too_large(
    words: tuple[str, ...], invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(FINE)
    pattern = "{" + ",".join(["0-999999999999999999"] * 800) + "}"
    model = ("-m", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke(*words, pattern, *model, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: the pattern '{0-999999999999999999,0-9999999999999999...' (16,801 characters) is too"
        " large: it has more than 28,000 states\n"
        "  hint: divide it into several patterns, or use fewer ranges and alternatives\n"
    )


def test_a_layer_that_is_too_large(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1), paramwise_cfg=dict(\n"
        "    layer_decay_rate=0.5,\n"
        f"    layers=['{'x*' * 20_000}', '*']), constructor='LayerDecayOptimizerConstructor')\n"
    )
    model = ("-m", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("show", "a.py", *model, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is too large: it has more than 28,000 states" in done.stderr
