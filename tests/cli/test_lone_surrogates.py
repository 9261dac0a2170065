"""A name that UTF-8 has no word for is escaped in whatever is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optplan.plan import Plan
from tests.conftest import Invoke

MODEL = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.register_parameter("low\\udc80", nn.Parameter(torch.ones(2)))
    def forward(self, x):
        return self.body(x) + getattr(self, "low\\udc80")
"""
CONFIG = """
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1),
    paramwise_cfg=dict(custom_keys={'low\\udc80': dict(lr_mult=2.0), 'no\\ud800': dict(decay_mutl=0)}))
param_scheduler = dict(type='ExponentialLR', gamma=0.5)
train_cfg = dict(by_epoch=True, max_epochs=3)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(MODEL)
    (tmp_path / "a.py").write_text(CONFIG)
    (tmp_path / "b.py").write_text(CONFIG.replace("2.0", "3.0"))
    return tmp_path


MODEL_OPTION = ("-m", "net.py:Net")
REPORTS = [
    *[("show", "a.py", "-f", one) for one in ("text", "json", "csv", "md", "html")],
    *[("show", "a.py", "--view", "settings", "-f", one) for one in ("text", "json", "md", "html")],
    *[("show", "a.py", "--view", "keys", "-f", one) for one in ("text", "json", "md", "html")],
    *[("diff", "a.py", "b.py", "--full", "-f", one) for one in ("text", "json", "csv", "md")],
    *[("schedule", "a.py", "-f", one) for one in ("text", "json", "csv", "html")],
    *[
        ("check", "a.py", "-f", one)
        for one in ("text", "json", "md", "github", "sarif", "junit")
    ],
    ("explain", "a.py", "low*"),
    ("explain", "a.py", "low*", "-f", "json"),
    ("verify", "a.py"),
    ("verify", "a.py", "-f", "json"),
]  # fmt: skip


@pytest.mark.parametrize("words", REPORTS, ids=[" ".join(words) for words in REPORTS])
def test_reports(words: tuple[str, ...], folder: Path, invoke: Invoke) -> None:
    out = folder / "out"
    done = invoke(*words, *MODEL_OPTION, "-o", out, cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    text = out.read_bytes().decode()  # it is UTF-8
    if "json" in words or "sarif" in words:
        assert json.loads(text)
    printed = invoke(*words, *MODEL_OPTION, cwd=folder)
    assert (printed.returncode, bool(printed.stdout)) == (done.returncode, True)


def test_a_saved_plan_keeps_the_name(folder: Path, invoke: Invoke) -> None:
    invoke("show", "a.py", *MODEL_OPTION, "-f", "json", "-o", "plan.json", cwd=folder)
    plan = Plan.from_json((folder / "plan.json").read_bytes())
    assert plan.parameters[0].name == "low\udc80"
    done = invoke("diff", "plan.json", "a.py", *MODEL_OPTION, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_baseline_covers_its_findings(folder: Path, invoke: Invoke) -> None:
    words = ("check", "a.py", *MODEL_OPTION, "--baseline", "known.json")
    assert invoke("check", "a.py", *MODEL_OPTION, cwd=folder).returncode == 1
    assert invoke(*words, "--write-baseline", cwd=folder).returncode == 0
    text = (folder / "known.json").read_bytes().decode()
    assert "no\\ud800" in text
    assert invoke(*words, cwd=folder).returncode == 0
