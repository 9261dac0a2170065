"""The effective decay: held against torch's optimizers, stepped with gradients of nothing and at random."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from timm.optim.adan import Adan
from timm.optim.lion import Lion
from timm.optim.sgdw import SGDW
from torch import nn

from optplan.dialects import find_schedulers
from optplan.schedule import Schedule, Training, courses_of, schedule_of
from optplan.schedule.effective_decay import DecayKind, effective_decays, equilibrium_rotation
from optplan.schedule.foreign.decay_kind import decay_kind
from tests.bench.schedule import CASES, schedule
from tests.conftest import Invoke
from tests.schedule.reference import SGD, plan_of_three
from tests.schema import validate

NET = """\
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 2)
"""
CONFIG = """\
optim_wrapper = dict(
    optimizer=dict(type={kind!r}, lr=0.01, weight_decay=0.1{more}),
    paramwise_cfg=dict(norm_decay_mult=0., custom_keys={{'head': dict(lr_mult=10.0)}}))
param_scheduler = dict(type='CosineAnnealingLR', T_max=300, eta_min=1e-4, by_epoch=False)
train_cfg = dict(by_epoch=False, max_iters=300)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def asked(invoke: Invoke, folder: Path, kind: str, more: str = "", *words: str) -> Any:
    (folder / "a.py").write_text(CONFIG.format(kind=kind, more=more))
    command = ("schedule", "a.py", "--model", "net.py:Net", "--view", "decay")
    return invoke(*command, *words, cwd=folder)


def data_of(invoke: Invoke, folder: Path, kind: str, more: str = "") -> dict[str, Any]:
    done = asked(invoke, folder, kind, more, "-f", "json")
    assert (done.returncode, done.stderr) == (0, "")
    data: dict[str, Any] = json.loads(done.stdout)
    validate(data, "decay-view-1.0")
    return data


def left_of(make: Any, lr: float, steps: int = 300) -> float:
    """What a real optimizer leaves of a weight that gets no gradient, under torch's own scheduler."""
    weight = nn.Parameter(torch.ones(2, 2, dtype=torch.float64))
    optimizer = make([weight], lr=lr, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, 1e-4)
    for _ in range(steps):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        scheduler.step()
    return float(weight.detach()[0, 0])


@pytest.mark.parametrize(
    ("kind", "make"),
    [("AdamW", torch.optim.AdamW), ("timm:lion", Lion), ("timm:sgdw", SGDW), ("timm:adan", Adan)],
)
def test_what_is_left_is_what_the_real_optimizer_leaves(
    invoke: Invoke, folder: Path, kind: str, make: Any
) -> None:
    momentum = ", momentum=0., nesterov=False" if kind == "timm:sgdw" else ""
    stem, norm, head = data_of(invoke, folder, kind, momentum)["settings"]
    assert stem["left"] == pytest.approx(left_of(make, 0.01), rel=1e-12)
    assert head["left"] == pytest.approx(left_of(make, 0.1), rel=1e-12)
    assert (norm["left"], norm["decay"], norm["timescale"]) == (1.0, None, None)
    assert stem["timescale"] == pytest.approx(1000)
    assert stem["timescale_share"] == pytest.approx(1000 / 300)
    # exp(-300 / mean) is left
    assert math.exp(-300 / stem["mean_timescale"]) == pytest.approx(stem["left"])


def test_coupled_decay_has_no_share_and_the_text_says_why(invoke: Invoke, folder: Path) -> None:
    data = data_of(invoke, folder, "SGD", ", momentum=0.9")
    stem = data["settings"][0]
    assert (stem["decay"], stem["left"], stem["timescale"]) == ("coupled L2", None, None)
    assert stem["rotation_estimate"] == pytest.approx(math.sqrt(2 * 0.001 / 1.9))
    text = asked(invoke, folder, "Adam").stdout
    assert "coupled L2: Adam adds λw to the gradient" in text
    assert "do not apply" in text
    assert "arXiv:2305.17212" in text


def test_every_format_has_it(invoke: Invoke, folder: Path) -> None:
    text = asked(invoke, folder, "AdamW").stdout
    row = next(line for line in text.splitlines() if line.startswith(" lr 0.1 "))
    assert "decoupled" in row
    assert "100 steps" in row
    assert "33.33%" in row
    rows = asked(invoke, folder, "AdamW", "", "-f", "csv").stdout.splitlines()
    assert rows[0].startswith("setting,optimizer,lr,weight_decay,parameters,decay,left,timescale")
    assert len(rows) == 4
    page = asked(invoke, folder, "AdamW", "", "-f", "html").stdout
    assert "left at the end" in page
    assert "arXiv:2405.13698" in page
    table = asked(invoke, folder, "AdamW", "", "-f", "md").stdout
    assert "| lr 0.1" in table.replace("`", "")
    few = asked(invoke, folder, "AdamW", "", "--param", "head.*").stdout
    assert "1 setting shown: --param head.*" in few
    refused = asked(invoke, folder, "AdamW", "", "--at", "3")
    assert refused.returncode == 2
    assert "--at and --every are for --view values" in refused.stderr


def test_epochs_need_their_iterations(invoke: Invoke, folder: Path) -> None:
    text = CONFIG.format(kind="AdamW", more="").replace("by_epoch=False", "by_epoch=True")
    (folder / "b.py").write_text(text.replace("max_iters", "max_epochs"))
    words = ("schedule", "b.py", "--model", "net.py:Net", "--view", "decay", "-f", "json")
    stem = json.loads(invoke(*words, cwd=folder).stdout)["settings"][0]
    assert (stem["left"], stem["decay"]) == (None, "decoupled")
    data = json.loads(invoke(*words, "--iters-per-epoch", "7", cwd=folder).stdout)
    assert data["iterations"] == 2100
    assert data["settings"][0]["left"] == pytest.approx(left_of(torch.optim.AdamW, 0.01) ** 7)


def stepwise(one: Schedule, place: int) -> float:
    found = courses_of(one, range(one.length)).values
    left = 1.0
    for lr, decay in zip(found["lr"][place], found["weight_decay"][place], strict=True):
        assert lr is not None
        assert decay is not None
        left *= 1 - lr * decay
    return left


@pytest.mark.parametrize("title", CASES)
def test_the_product_is_that_of_every_step(title: str) -> None:
    one = schedule(CASES[title], 5000)
    found = effective_decays(one, [DecayKind.DECOUPLED] * len(one.settings))
    for place in (0, 20, 39):
        effect = found[place]
        assert effect is not None
        assert effect.left == pytest.approx(stepwise(one, place), rel=1e-12)


def test_a_moved_weight_decay_and_epochs_within_iterations() -> None:
    moved: Any = [
        {"type": "CosineAnnealingParamScheduler", "param_name": "weight_decay", "by_epoch": False},
        {"type": "MultiStepLR", "milestones": [2, 5]},
        {"type": "LinearLR", "by_epoch": False, "end": 13, "start_factor": 0.1},
    ]
    section = find_schedulers({"param_scheduler": moved})
    training = Training(by_epoch=True, length=9, per_epoch=11)
    one = schedule_of(plan_of_three(), section, training, [dict(SGD)])
    found = effective_decays(one, [DecayKind.DECOUPLED] * len(one.settings))
    assert found[0] is not None
    assert found[0].left == pytest.approx(stepwise(one, 0), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "entries", "kind"),
    [
        ("torch.optim.adam.Adam", {}, "coupled L2"),
        ("torch.optim.adam.Adam", {"decoupled_weight_decay": True}, "decoupled"),
        ("torch.optim.adamw.AdamW", {"amsgrad": True, "fused": True}, "decoupled"),
        ("torch.optim.sgd.SGD", {"momentum": 0.9, "nesterov": True}, "coupled L2"),
        ("torch.optim.sgd.SGD", {}, "L2 without momentum"),
        ("torch.optim.rmsprop.RMSprop", {}, "coupled L2"),
        ("torch.optim._adafactor.Adafactor", {}, "decoupled"),
        ("timm.optim.adan.Adan", {"no_prox": True}, "decoupled"),
        ("timm.optim.adan.Adan", {}, "decoupled, proximal"),
        ("timm.optim.laprop.LaProp", {}, "decoupled"),
        ("timm.optim.adabelief.AdaBelief", {}, "decoupled"),
        # its decay is in the norm by which it divides
        ("timm.optim.lamb.Lamb", {}, "not known"),
        # it shrinks less where a gradient is orthogonal to its weight
        ("timm.optim.adamp.AdamP", {}, "not known"),
        # it decays by lr² over the largest lr
        ("timm.optim.lion.Lion", {"corrected_weight_decay": True}, "not known"),
        ("somewhere.Unknown", {}, "not known"),
    ],
)
def test_the_kind_is_found_by_stepping(name: str, entries: dict[str, Any], kind: str) -> None:
    assert decay_kind(name, entries, {2}) == kind


@pytest.mark.parametrize(
    ("make", "name", "kind", "more"),
    [
        (torch.optim.AdamW, "AdamW", DecayKind.DECOUPLED, {"betas": (0.9, 0.99)}),
        (torch.optim.AdamW, "AdamW", DecayKind.DECOUPLED, {"betas": (0.5, 0.999)}),
        (Lion, "Lion", DecayKind.DECOUPLED, {"betas": (0.9, 0.98)}),
        (torch.optim.SGD, "SGD", DecayKind.COUPLED, {"momentum": 0.8}),
        (SGDW, "SGDW", DecayKind.DECOUPLED, {"momentum": 0.8}),
    ],
)
def test_the_rotation_is_that_of_a_simulation(
    make: Any, name: str, kind: DecayKind, more: dict[str, Any]
) -> None:
    """A weight whose scale has no effect, so that gradients are orthogonal to it and shrink as it grows."""
    rate, decay = 0.02, 0.25
    wanted = equilibrium_rotation(name, kind, rate * decay, more)
    draws = torch.Generator().manual_seed(3)
    weight = nn.Parameter(torch.randn(512, generator=draws, dtype=torch.float64) / 4)
    optimizer = make([weight], lr=rate, weight_decay=decay, foreach=False, **more)
    angles = []
    for step in range(1500):
        before = weight.detach().clone()
        length = before.norm()
        gradient = torch.randn(512, generator=draws, dtype=torch.float64)
        weight.grad = (gradient - (gradient @ before) / length**2 * before) / length
        optimizer.step()
        after = weight.detach()
        if step >= 1000:
            angles.append(float(torch.acos((before @ after) / (length * after.norm()))))
    assert sum(angles) / len(angles) == pytest.approx(wanted, rel=0.1)
