"""Checkpoints that do not fit: the trainer refuses them, and ``diff`` says so with the names."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.conftest import Invoke
from tests.schema import validate

pytestmark = pytest.mark.filterwarnings("ignore")
NETS = """\
from torch import nn
import torch

class Wider(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, width)

class Renamed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.classifier = nn.Linear(4, 2)

class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Wider(2)

def build(net):
    weight = [one for name, one in net.named_parameters() if name.endswith('r.weight') or name == 'head.weight']
    rest = [one for one in net.parameters() if not any(one is other for other in weight)]
    groups = [{'params': rest, 'weight_decay': 0.0}, {'params': weight}]
    return torch.optim.AdamW(groups, lr=0.1, weight_decay=0.01, betas=(0.9, 0.99))
"""


@pytest.fixture(scope="module", params=["timm", "distributed", "torchtitan"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    trainings = import_module("tests.checkpoints.trainings")
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint, _ = getattr(trainings, request.param)(folder, trainings.OLD)
    (folder / "nets.py").write_text(NETS)
    return request.param, folder, checkpoint, trainings


def told(saved: Any, invoke: Invoke, net: str) -> dict[str, Any]:
    _, folder, checkpoint, _ = saved
    words = ("diff", "nets.py:build", str(checkpoint), "-m", f"nets.py:{net}", "-f", "json", "-q")
    done = invoke(*words, cwd=folder)
    assert done.returncode == 1, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    validate(data, "diff-1.0")
    return data


def load(saved: Any, net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the trainer load the checkpoint into another model."""
    name, folder, checkpoint, trainings = saved
    made: dict[str, Any] = {}
    exec((folder / "nets.py").read_text(), made)
    monkeypatch.setattr(trainings, "Net", made[net])
    monkeypatch.setattr(trainings, "optimizer_of", lambda model, **_: made["build"](model))
    getattr(trainings, name)(folder, trainings.OLD, resume=checkpoint)


def test_what_the_checkpoint_does_not_have(
    saved: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = told(saved, invoke, "Renamed")
    assert data["only_before"]["names"] == ["classifier.weight", "classifier.bias"]
    assert data["only_after"]["names"] == ["head.weight", "head.bias"]
    refusal = next(text for text in data["misfits"] if "refuses it" in text)
    assert "the checkpoint has no classifier.weight, classifier.bias" in refusal
    with pytest.raises(BaseException, match=r"(?is)missing key.*classifier\."):
        load(saved, "Renamed", monkeypatch)


def test_other_shapes(saved: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    data = told(saved, invoke, "Wider")
    text = "weights of other shapes: head.weight is 3×4, the saved one is 2×4, head.bias is 3, the saved one is 2"
    assert text in data["misfits"]
    with pytest.raises(BaseException, match=r"(?i)size mismatch"):
        load(saved, "Wider", monkeypatch)


def test_names_with_something_before_them(saved: Any, invoke: Invoke) -> None:
    data = told(saved, invoke, "Outer")
    assert "the names of the model begin with model., the others do not" in data["remarks"]


def test_what_wrappers_put_before_names_is_taken_away(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    names = {"module.weight": net.weight, "module._orig_mod.bias": net.bias}
    torch.save({"model": names, "optimizer": optimizer.state_dict()}, tmp_path / "a.pt")
    (tmp_path / "a.py").write_text("optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n")
    words = ("-m", "torch.nn:Linear", "-k", "in_features=4", "-k", "out_features=2")
    done = invoke("diff", "a.py", "a.pt", *words, "-f", "json", "-q", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert (data["only_before"]["names"], data["only_after"]["names"]) == ([], [])
    assert data["resumption"] == {"saved_by": "torch", "progress": {}, "overwritten": []}


def test_a_saved_plan_knows_no_buffers(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    made: dict[str, Any] = {}
    exec(NETS, made)
    net = made["Wider"]()
    state = made["build"](net).state_dict()
    torch.save({"state_dict": net.state_dict(), "optimizer": state}, tmp_path / "a.pth")
    words = ("nets.py:build", "-m", "nets.py:Wider", "-f", "json", "-o", "plan.json")
    assert invoke("show", *words, cwd=tmp_path).returncode == 0
    for sides in (("plan.json", "a.pth"), ("a.pth", "plan.json")):
        assert invoke("diff", *sides, "-q", cwd=tmp_path).returncode == 0


PAIR = """\
from torch import nn

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 3)
"""


def test_several_optimizers(tmp_path: Path, invoke: Invoke) -> None:
    """By their names, as mmengine saves them, or by their places, as Lightning does."""
    made: dict[str, Any] = {}
    exec(PAIR, made)
    (tmp_path / "lit.py").write_text(
        PAIR + "\nimport torch\ndef build(pair, lr=0.1):\n"
        "    return [torch.optim.SGD(pair.first.parameters(), lr=lr),"
        " torch.optim.SGD(pair.second.parameters(), lr=0.3)]\n"
    )
    exec((tmp_path / "lit.py").read_text(), made)
    states = [one.state_dict() for one in made["build"](made["Pair"]())]
    torch.save({"optimizer_states": states}, tmp_path / "a.ckpt")
    words = ("lit.py:build", "a.ckpt", "-m", "lit.py:Pair", "-f", "json", "-q")
    assert invoke("diff", *words, cwd=tmp_path).returncode == 0
    done = invoke("diff", *words, "-a", "lr=0.2", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert (done.returncode, data["misfits"]) == (1, [])
    assert data["parameters"]["changed"] == 2
    torch.save({"optimizer_states": states[:1]}, tmp_path / "a.ckpt")
    done = invoke("diff", *words, cwd=tmp_path)
    assert json.loads(done.stdout)["misfits"] == ["optimizers: 1 saved, 2 now"]
