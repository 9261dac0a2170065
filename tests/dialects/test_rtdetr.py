"""RT-DETR's and D-FINE's ``params``: groups by regular expressions, and files that include others.

Their code is not on any package index: ``released_sweep rtdetr`` holds all 62 files of both repositories against it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from optplan.app.planning import make_plan
from optplan.dialects import load_config, recognition_of
from optplan.errors import OptplanError
from tests.conftest import Invoke
from tests.dialects.released_sweep import SmallNet

BASE = """
epoches: 6
optimizer:
  type: AdamW
  params:
    - {params: backbone, lr: 0.5}
  lr: 0.25
  betas: [0.9, 0.95]
  weight_decay: 0.125
lr_scheduler: {type: MultiStepLR, milestones: [2, 4], gamma: 0.1}
"""
TOP = r"""
__include__: ["parts/base.yml"]
optimizer:
  params:
    - {params: '^(?=.*backbone)(?!.*\.1\.).*$', lr: 0.0625}
    - {params: '^(?=.*(?:encoder|decoder))(?=.*norm).*$', weight_decay: 0.}
"""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.yml").write_text(BASE)
    path = tmp_path / "top.yml"
    path.write_text(TOP)
    return path


def test_groups(top: Path) -> None:
    plan = make_plan(SmallNet(), load_config(top))
    found = {
        row.name: (row.lr, row.weight_decay) for row in plan.parameters if row.group is not None
    }
    assert found == {
        "backbone.0.weight": (0.0625, 0.125),
        "backbone.0.bias": (0.0625, 0.125),
        "backbone.1.weight": (0.25, 0.125),
        "backbone.1.bias": (0.25, 0.125),
        "encoder.norm.weight": (0.25, 0.0),
        "encoder.norm.bias": (0.25, 0.0),
        "encoder.proj.weight": (0.25, 0.125),
        "encoder.proj.bias": (0.25, 0.125),
        "decoder.norm.weight": (0.25, 0.0),
        "decoder.norm.bias": (0.25, 0.0),
        "decoder.bbox.weight": (0.25, 0.125),
        "embedding.weight": (0.25, 0.125),
        "head.weight": (0.25, 0.125),
        "head.bias": (0.25, 0.125),
    }
    assert plan.optimizers[0].class_name == "torch.optim.adamw.AdamW"
    assert plan.optimizers[0].options["betas"] == (0.9, 0.95)


def test_recognized(top: Path) -> None:
    assert str(recognition_of(load_config(top))) == "RT-DETR: __include__"


def test_schedule_equal_to_torch(top: Path, invoke: Invoke) -> None:
    done = invoke("schedule", top, "--model", "resnet18", "--every", "1", "--format", "csv")
    assert done.returncode == 0, done.stderr
    optimizer = torch.optim.AdamW(SmallNet().parameters(), lr=0.25)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4], gamma=0.1)
    wanted = []
    for _ in range(6):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    rows = [line.split(",") for line in done.stdout.splitlines()]
    column, step = rows[0].index("lr"), rows[0].index("step")
    assert [float(one) for one in {r[step]: r[column] for r in rows[1:]}.values()] == wanted


def test_a_warm_up_is_named(top: Path, invoke: Invoke) -> None:
    top.write_text(TOP + "lr_warmup_scheduler: {type: LinearWarmup, warmup_duration: 5}\n")
    done = invoke("schedule", top, "--model", "resnet18")
    assert "lr_warmup_scheduler" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "optimizer: {type: SGD, lr: 1, params: [{params: norm, lr: 2}, {params: encoder, lr: 3}]}\n",
            "several patterns match encoder.norm.weight, encoder.norm.bias",
        ),
        ("__include__: [nowhere.yml]\n", "it includes 'nowhere.yml', and there is no such file"),
        ("__include__: [top.yml]\n", "'top.yml' includes itself"),
        ("__include__: [empty.yml]\n", "neither the config nor what it includes has an optimizer with a type"),
        ("optimizer: {type: SGD, lr: 1, params: [{params: '(', lr: 2}]}\n", "'('"),
    ],
)  # fmt: skip
def test_messages(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("task: detection\n")
    path = tmp_path / "top.yml"
    path.write_text(text)
    with pytest.raises(OptplanError) as caught:
        make_plan(SmallNet(), load_config(path))
    assert message in str(caught.value)


def test_check_passes_over_parts(top: Path, invoke: Invoke) -> None:
    (top.parent / "part.yml").write_text("__include__: ['runtime.yml']\n")
    (top.parent / "runtime.yml").write_text("use_ema: True\nuse_amp: True\n")
    done = invoke("check", top.parent)
    assert done.returncode == 0, done.stdout
    assert "no findings in 2 configs" in done.stdout
    assert "1 file passed over: a part of RT-DETR's files" in done.stdout
    assert "1 file passed over: no config" in done.stdout


def test_each_file_is_read_once(tmp_path: Path) -> None:
    """Twelve includes of twelve includes, eight deep, are eight files."""
    for depth in range(8):
        names = ", ".join([f"'l{depth + 1}.yml'"] * 12)
        (tmp_path / f"l{depth}.yml").write_text(f"__include__: [{names}]\n")
    (tmp_path / "l8.yml").write_text("optimizer: {type: SGD, lr: 0.5}\n")
    plan = make_plan(SmallNet(), load_config(tmp_path / "l0.yml"))
    assert {row.lr for row in plan.parameters if row.group is not None} == {0.5}


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for at in range(120):
        (tmp_path / f"part{at}.yml").write_text("task: detection\n")
    names = ", ".join(f"part{at}.yml" for at in range(120))
    (tmp_path / "top.yml").write_text(f"__include__: [{names}]\n")
    with pytest.raises(OptplanError, match="includes more than can be read"):
        make_plan(SmallNet(), load_config(tmp_path / "top.yml"))
