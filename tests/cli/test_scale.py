"""How parameters change with the width: models whose powers are known, beside the table of µP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from optplan.plan.width import WidthKind, exponent, kind_of
from tests.conftest import Invoke
from tests.plans import row
from tests.schema import validate

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=64, mup=False, deep=False):
        super().__init__()
        self.embed = nn.Embedding(50, width)
        self.stem = nn.Linear(10, width)
        self.hidden = nn.Linear(width, 4 * width, bias=False)
        self.head = nn.Linear(width, 10, bias=False)
        self.scale = nn.Parameter(torch.ones(3))
        if width > 64 and deep:
            self.more = nn.Linear(3, 3)
        if mup:
            nn.init.normal_(self.head.weight, std=1 / width)
            nn.init.zeros_(self.stem.bias)


def mup(model, lr=1e-3):
    width = model.head.in_features
    wide = [model.hidden.weight, model.head.weight]
    rest = [one for one in model.parameters() if all(one is not other for other in wide)]
    return torch.optim.AdamW([{"params": rest}, {"params": wide, "lr": lr * 64 / width}], lr=lr)


def plain(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def rooted(model):
    width = model.head.in_features
    return torch.optim.RMSprop(model.parameters(), lr=width**0.5, weight_decay=1 / width)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("net")
    (made / "net.py").write_text(NET)
    return made


def scaled(invoke: Invoke, folder: Path, function: str, *words: str) -> dict[str, Any]:
    given = ("scale", f"net.py:{function}", "--model", "net.py:Net", "--format", "json")
    done = invoke(*given, "-k", "width=64,128,256", *words, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    validate(found, "scale-1.0")
    return found


def by_kind(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {one["kind"]: one[name] for one in found["kinds"]}


def test_a_model_that_follows_mup(invoke: Invoke, folder: Path) -> None:
    found = scaled(invoke, folder, "mup", "-k", "mup=True")
    assert by_kind(found, "lr") == {
        "input": 0.0,
        "hidden": -1.0,
        "output": -1.0,
        "vector-like": 0.0,
        "fixed": 0.0,
    }
    assert all(one["differs"] == [] for one in found["kinds"])
    init = by_kind(found, "init_estimate")
    assert init["hidden"] == pytest.approx(-0.5, abs=0.03)
    assert init["output"] == pytest.approx(-1.0, abs=0.06)
    assert found["notes"][0] == "no difference from µP among 6 parameters"


def test_standard_parametrization(invoke: Invoke, folder: Path) -> None:
    """As the brackets of table 3 have it: constant lr, and variance 1/fan_in of the output."""
    found = scaled(invoke, folder, "plain")
    assert set(by_kind(found, "lr").values()) == {0.0}
    assert by_kind(found, "mup_lr") == {
        "input": 1.0,
        "hidden": 0.0,
        "output": -1.0,
        "vector-like": 1.0,
        "fixed": None,
    }
    assert by_kind(found, "differs") == {
        "input": ["lr"],
        "hidden": [],
        "output": ["lr", "init"],
        "vector-like": ["lr"],
        "fixed": [],
    }
    assert by_kind(found, "init_estimate")["output"] == pytest.approx(-0.5, abs=0.06)


def test_other_powers_and_classes(invoke: Invoke, folder: Path) -> None:
    found = scaled(invoke, folder, "rooted")
    assert set(by_kind(found, "lr").values()) == {0.5}
    assert set(by_kind(found, "weight_decay").values()) == {-1.0}
    assert set(by_kind(found, "mup_lr").values()) == {None}
    assert any("the table has no lr for RMSprop" in note for note in found["notes"])


def test_parameters_of_some_widths(invoke: Invoke, folder: Path) -> None:
    found = scaled(invoke, folder, "plain", "-k", "deep=True")
    assert "not at each width, and left out: more.weight, more.bias" in found["notes"]
    assert len(found["parameters"]) == 6


def test_for_people(invoke: Invoke, folder: Path) -> None:
    words = ("scale", "net.py:mup", "-m", "net.py:Net", "-k", "width=64,128", "-k", "mup=True")
    done = invoke(*words, cwd=folder)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "powers of width 64, 128" in lines
    assert any(line.startswith("hidden 1 -1 -1 ≈ -0.5") for line in lines)
    for form, told in (("md", "| hidden |"), ("html", "<td>hidden</td>"), ("csv", "hidden,1,")):
        assert told in invoke(*words, "-f", form, cwd=folder).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no argument of the model has several values"),
        (("-k", "width=64"), "no argument of the model has several values"),
        (("-k", "width=64,64"), "-k width needs two or more different positive numbers"),
        (("-k", "width=0,64"), "-k width needs two or more different positive numbers"),
        (("-k", "width=64,128", "-k", "mup=1,2"), "which argument varies: width, mup?"),
        (("-k", "width=64,128", "--along", "mup"), "-k mup has several values"),
    ],
)
def test_wrong_words(words: tuple[str, ...], message: str, invoke: Invoke, folder: Path) -> None:
    done = invoke("scale", "net.py:plain", "-m", "net.py:Net", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("module", "shapes", "kind"),
    [
        ("torch.nn.modules.linear.Linear", ((10, 64), (10, 128)), WidthKind.OUTPUT),
        ("torch.nn.modules.linear.Linear", ((64, 10), (128, 10)), WidthKind.INPUT),
        ("torch.nn.modules.linear.Linear", ((64, 64), (128, 128)), WidthKind.HIDDEN),
        ("torch.nn.modules.sparse.Embedding", ((50, 64), (50, 128)), WidthKind.INPUT),
        ("transformers.pytorch_utils.Conv1D", ((64, 10), (128, 10)), WidthKind.OUTPUT),
        ("torch.nn.modules.conv.Conv2d", ((64, 3, 7, 7), (128, 3, 7, 7)), WidthKind.INPUT),
        ("torch.nn.modules.conv.Conv2d", ((64, 1, 3, 3), (128, 1, 3, 3)), WidthKind.VECTOR),
        ("torch.nn.modules.normalization.LayerNorm", ((64,), (128,)), WidthKind.VECTOR),
        ("torch.nn.modules.linear.Linear", ((5, 5), (5, 5)), WidthKind.FIXED),
    ],
)
def test_kinds(module: str, shapes: tuple[tuple[int, ...], ...], kind: WidthKind) -> None:
    rows = [row("a.weight", module=module, shape=shape) for shape in shapes]
    assert kind_of(rows) is kind


def test_exponents() -> None:
    found = exponent((2, 8, 32), (3.0, 12.0, 48.0))
    assert (found.value, found.error) == (1.0, 0.0)
    assert exponent((1, 2), (0.0, 0.0)).is_zero
    assert exponent((1, 2), (0.0, 1.0)).value is None
    assert exponent((1, 2), (None, 1.0)).value is None


def test_the_error_of_an_estimate_is_that_of_many_draws() -> None:
    """As many draws of normal weights scatter, whose standard deviation falls as the root of the width."""
    widths, draws = (64, 128, 256), torch.Generator().manual_seed(3)
    found = []
    for _ in range(2000):
        weights = (torch.randn(width, generator=draws) * width**-0.5 for width in widths)
        squares = [float(one.square().mean().sqrt()) for one in weights]
        found.append(exponent(widths, squares, widths))
    values = torch.tensor([one.value for one in found])
    assert float(values.mean()) == pytest.approx(-0.5, abs=0.01)
    assert found[0].error == pytest.approx(float(values.std()), rel=0.1)
