"""Optimizers by all the names that configs give them, held against what makes them elsewhere."""

from __future__ import annotations

import re
import site
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers
from torch import nn

import optplan
from optplan.config import Symbol
from optplan.constructors import optimizers
from optplan.constructors.optimizers import optimizer_class
from optplan.errors import PlanError
from tests.agreement import exact
from tests.conftest import Invoke
from tests.grid import Entries


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2, bias=False))


def names_of_timm() -> list[str]:
    """Those that need neither CUDA nor another package."""
    needing = {"kron", "kronw", "kronc"}  # opt_einsum
    found = [n for n in list_optimizers() if not isinstance(get_optimizer_info(n).opt_class, str)]
    return [name for name in found if name not in needing]


@pytest.mark.parametrize("name", [*names_of_timm(), "lookahead_adamw", "Lamb"])
def test_timms_names_make_what_timm_makes(name: str) -> None:
    for arguments in ({"lr": 0.1}, {"lr": 0.01, "weight_decay": 0.25}):
        module = model()
        ours = optplan.build_optimizer(module, {"optimizer": {"type": f"timm:{name}", **arguments}})
        theirs = create_optimizer_v2(list(module.parameters()), opt=name, **arguments)
        assert type(ours) is type(theirs)
        assert exact(entries(ours)) == exact(entries(theirs))
        assert [p for g in ours.param_groups for p in g["params"]] == list(module.parameters())
        plan = optplan.make_plan(module, {"optimizer": {"type": f"timm:{name}", **arguments}})
        assert exact(plan.parameters[0].lr) == exact(theirs.param_groups[0]["lr"])
        assert exact(plan.parameters[0].weight_decay) == exact(
            theirs.param_groups[0]["weight_decay"]
        )
        assert plan.optimizers[0].type == f"timm:{name}"


def entries(optimizer: torch.optim.Optimizer) -> list[Entries]:
    return [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]


def test_there_are_many_of_them() -> None:
    assert len(names_of_timm()) >= 60


def test_timms_optimizers_take_groups_and_arguments() -> None:
    section = {
        "type": "timm:lamb",
        "lr": 0.1,
        "weight_decay": 0.05,
        "betas": (0.8, 0.9),
        "max_grad_norm": None,
        "paramwise_cfg": {"bias_decay_mult": 0.0, "custom_keys": {"1.": {"lr_mult": 0.5}}},
    }
    optimizer = optplan.build_optimizer(model(), {"optimizer": section})
    got = [(g["lr"], g["weight_decay"], g["betas"]) for g in optimizer.param_groups]
    assert got == [(0.1, 0.05, (0.8, 0.9)), (0.1, 0.0, (0.8, 0.9)), (0.05, 0.05, (0.8, 0.9))]
    assert {g["max_grad_norm"] for g in optimizer.param_groups} == {None}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("timm:lamm", "", "a.py:1:18: timm has no optimizer 'lamm' (did you mean 'lamb'"),
        ("timm:", "", "a.py:1:18: timm has no optimizer ''"),
        ("timm:foo_adam", "", "a.py:1:18: timm has no optimizer 'foo_adam'"),
        (
            "timm:bnbadam",
            "",
            "a.py:1:18: 'timm:bnbadam' cannot be had here: CUDA required for bitsandbytes",
        ),
        # timm itself passes over each of these in silence, as its factory knows them
        ("timm:sgd", "betas=(0, 1)", "a.py:2:1: timm:sgd takes no argument 'betas'"),
        ("timm:lion", "eps=1", "a.py:2:1: timm:lion takes no argument 'eps'"),
        ("timm:adamw", "layer_decay=1", "a.py:2:1: timm:adamw takes no argument 'layer_decay'"),
        ("timm:lamb", "momentum=1", "a.py:2:1: timm:lamb takes no argument 'momentum'"),
        ("timm:lamb", "opt='sgd'", "a.py:2:1: timm:lamb takes no argument 'opt'"),
    ],
)
def test_timms_names_are_refused_at_their_place(
    kind: str, arguments: str, message: str, tmp_path: Path
) -> None:
    if kind == "timm:bnbadam" and torch.cuda.is_available():
        pytest.skip("timm may have it where there is CUDA")
    (tmp_path / "a.py").write_text(f"optimizer = dict(type='{kind}', lr=0.1,\n{arguments})\n")
    config = optplan.load_config(tmp_path / "a.py")
    with pytest.raises(PlanError) as raised:
        optplan.make_plan(model(), config)
    assert str(raised.value).startswith(f"{tmp_path}/{message}")


def test_timms_optimizers_on_the_command_line(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='timm:lamb', lr=0.005, weight_decay=0.02),"
        " paramwise_cfg=dict(norm_decay_mult=0.0))\n"
    )
    done = invoke("show", "a.py", "--model", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split()[-5:] == [
        "timm:lamb",
        "lr",
        "0.005",
        "weight_decay",
        "0.02",
    ]
    checked = invoke("check", "a.py", "--model", "resnet18", cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SGD", torch.optim.SGD),
        ("SparseAdam", torch.optim.SparseAdam),
        ("torch.optim.Adam", torch.optim.Adam),
        ("torch.optim.adamw.AdamW", torch.optim.AdamW),
        ("timm.optim.lion.Lion", "timm.optim.lion.Lion"),
        (Symbol("torch.optim.SGD"), torch.optim.SGD),
        (torch.optim.RMSprop, torch.optim.RMSprop),
    ],
)
def test_names_paths_symbols_and_classes(kind: Any, expected: Any) -> None:
    found: Any = optimizer_class(kind)
    assert found is expected or f"{found.__module__}.{found.__name__}" == expected


def test_the_two_adafactors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare name is that of transformers' class, as in the reference."""
    if hasattr(torch.optim, "Adafactor"):
        assert optimizer_class("TorchAdafactor") is torch.optim.Adafactor
    assert optimizer_class("Adafactor") is transformers.Adafactor
    for find in ("_registered", "_optional"):  # as where transformers is not installed
        monkeypatch.setattr(optimizers, find, lambda name: None)
    with pytest.raises(
        PlanError,
        match=re.escape(
            "there is no optimizer 'Adafactor' (it belongs to the package transformers, which is not "
            "installed; torch's own is 'TorchAdafactor')"
        ),
    ):
        optimizer_class("Adafactor")


@pytest.mark.parametrize(
    ("package", "file", "classes", "names"),
    [
        ("transformers", "transformers.py", ["Adafactor"], ["Adafactor"]),
        ("lion_pytorch", "lion_pytorch.py", ["Lion"], ["Lion"]),
        (
            "dadaptation",
            "dadaptation.py",
            ["DAdaptAdaGrad", "DAdaptAdam", "DAdaptSGD"],
            ["DAdaptAdaGrad", "DAdaptAdam", "DAdaptSGD"],
        ),
        ("Sophia", "Sophia.py", ["SophiaG"], ["SophiaG"]),
        (
            "bitsandbytes",
            "bitsandbytes/optim.py",
            ["SGD", "Adam8bit"],
            ["bnb_SGD", "Adam8bit"],  # the prefix is there on a clash alone
        ),
    ],
)
def test_optional_packages(
    package: str,
    file: str,
    classes: list[str],
    names: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = optimizers._registered  # the reference may have found the real package
    monkeypatch.setattr(optimizers, "_registered", lambda n: None if n in names else real(n))
    info = tmp_path / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{file},,\n{package}/__init__.py,,\n")
    target = tmp_path / file
    target.parent.mkdir(exist_ok=True)
    if target.parent != tmp_path:
        (target.parent / "__init__.py").write_text("")
    body = "".join(f"class {name}(torch.optim.SGD): pass\n" for name in classes)
    target.write_text(f"import torch\n{body}class Helper: pass\n")
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(tmp_path)])
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in (package, f"{package}.optim"):  # forget them again afterwards
        monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.delitem(sys.modules, module)
    for name, class_name in zip(names, classes, strict=True):
        plan = optplan.make_plan(nn.Linear(2, 2), {"optimizer": {"type": name, "lr": 0.5}})
        module = file.removesuffix(".py").replace("/", ".")
        assert plan.optimizers[0].class_name == f"{module}.{class_name}"
    assert optimizer_class("SGD") is torch.optim.SGD
    with pytest.raises(PlanError, match="there is no optimizer 'Helper'"):
        optimizer_class("Helper")


def test_a_name_of_no_optimizer() -> None:
    with pytest.raises(PlanError, match=re.escape("there is no optimizer 'AdamWW' (did you mean")):
        optimizer_class("AdamWW")
    with pytest.raises(PlanError, match=r"'os\.system' is not an optimizer class"):
        optimizer_class("os.system")
    with pytest.raises(PlanError, match=r"no installed package provides 'nowhere\.Sgd'"):
        optimizer_class("nowhere.Sgd")


class OddlyNamed(torch.optim.SGD):
    """An optimizer whose first argument is not called ``params``."""

    def __init__(self, tensors: Any, lr: float = 0.1) -> None:
        super().__init__(tensors, lr=lr)


def test_the_first_argument_has_any_name() -> None:
    optimizer = optplan.build_optimizer(model(), {"optimizer": {"type": OddlyNamed, "lr": 0.5}})
    assert [g["lr"] for g in optimizer.param_groups] == [0.5]
