"""``optplan verify``: text, JSON, statuses, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Invoke, Run
from tests.schema import validate

SEGMENTOR = ("sample_configs/backbone_and_head.py", "-m", "sample_configs/models.py:Segmentor")
QUICK = ("--no-cost", "--device", "cpu")

TEXT = """\
sample_configs/models.py:Segmentor · file · 14 parameters · 25.0 k
 AdamW  lr 0.0002  weight_decay 0.05  betas (0.9, 0.999)
 rules of MMEngine (optim_wrapper)
 on cpu · float32 · 4 steps · seed 0

 groups      14 groups as planned: values, members, order
 float64     14 parameters: 10 moved as planned, 4 stood still as planned
 float32     14 parameters: 10 moved as planned, 4 stood still as planned
 formula     AdamW, one tensor at a time: it is torch's
 real step   input 2×3×8×8, loss 0.12
             3 buffers changed in frozen parts or such of lr 0: backbone.layer0.1.running_mean, backbone.layer0.1.running_var, backbone.layer0.1.num_batches_tracked

 setting                      parameters  lr measured  decay measured
 lr 0  weight_decay 0                  4            0               –
 lr 2e-05  weight_decay 0.05           8        2e-05            0.05
 lr 0.002  weight_decay 0.05           2        0.002            0.05

 matches: every parameter got what the plan says
"""


def without_loss(text: str) -> str:
    """The loss depends on the processor."""
    lines = text.splitlines()
    return "\n".join(line.partition(", loss ")[0] for line in lines)


def test_text(invoke: Invoke) -> None:
    done = invoke("verify", *SEGMENTOR, *QUICK, "--input", "2x3x8x8")
    assert (done.returncode, done.stderr) == (0, "")
    assert without_loss(done.stdout) == without_loss(TEXT)


def test_json(invoke: Invoke) -> None:
    done = invoke("verify", *SEGMENTOR, "--device", "cpu", "-f", "json", "--input", "2x3x8x8")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    validate(data, "verify-1.0")
    assert data["matches"] is True
    assert data["place"]["device"] == "cpu"
    assert data["summary"]["exact"] == {
        "moved": 10,
        "still": 4,
        "deviates": 0,
        "below resolution": 0,
        "unchecked": 0,
    }
    by_name = {one["name"]: one for one in data["parameters"]}
    assert by_name["decode_head.bias"]["measured_lr"] == pytest.approx(0.002, rel=1e-9)
    assert by_name["decode_head.bias"]["measured_weight_decay"] == pytest.approx(0.05, rel=1e-9)
    assert by_name["backbone.layer0.0.bias"]["exact"]["movement"] == "still"
    assert data["step"]["changed_buffers"][0] == "backbone.layer0.1.running_mean"
    timings = data["cost"]["timings"]
    assert [(one["merged"], one["implementation"], one["groups"]) for one in timings] == [
        (False, "default", 14),
        (True, "default", 3),
        (False, "foreach", 14),
        (True, "foreach", 3),
    ]
    assert timings[0]["ratio"] == 1
    # two moments of 25,043 elements in float32, and a count for each of 14 parameters
    assert {one["state_bytes"] for one in timings} == {2 * 4 * 25043 + 14 * 4}


def saved(folder: Path, invoke: Invoke) -> dict[str, object]:
    """The plan of the sample, as JSON."""
    done = invoke("show", *SEGMENTOR, "-f", "json")
    plan: dict[str, object] = json.loads(done.stdout)
    return plan


def test_a_saved_plan(tmp_path: Path, invoke: Invoke) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(saved(tmp_path, invoke)))
    done = invoke("verify", *SEGMENTOR, *QUICK, "--plan", plan)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"seed 0 · against the plan in {plan}\n" in done.stdout


def test_a_saved_plan_with_one_value_changed(tmp_path: Path, invoke: Invoke) -> None:
    data: dict[str, list[dict[str, object]]] = saved(tmp_path, invoke)  # type: ignore[assignment]
    row = next(one for one in data["parameters"] if one["name"] == "decode_head.weight")
    row["weight_decay"] = 0.0505
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(data))
    done = invoke("verify", *SEGMENTOR, *QUICK, "--plan", plan)
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        " not as planned\n"
        "  weight_decay: planned 0.0505, built 0.05\n"
        "    1 parameter: decode_head.weight\n"
        "\n"
        " deviating\n"
        "  decode_head.weight\n"
        "    in float64: "
    ) in done.stdout
    assert done.stdout.endswith(" does not match: 1 parameter not as planned\n")
    found = invoke("verify", *SEGMENTOR, *QUICK, "--plan", plan, "-f", "json")
    assert found.returncode == 1
    validate(json.loads(found.stdout), "verify-1.0")


def test_a_saved_plan_alone_has_no_optimizer(tmp_path: Path, invoke: Invoke) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(saved(tmp_path, invoke)))
    done = invoke("verify", plan)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {str(plan)!r} has no optimizer to build and step\n"
        f"  hint: name the config, and this as what it is held against: --plan {plan}\n"
    )
    done = invoke("verify", *SEGMENTOR, "--plan", "sample_configs/bag_of_tricks.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--plan 'sample_configs/bag_of_tricks.py' is no saved plan" in done.stderr


def test_an_update_that_is_lost(invoke: Invoke) -> None:
    done = invoke("verify", *SEGMENTOR, *QUICK, "--dtype", "bfloat16")
    assert done.returncode == 0
    assert " bfloat16    14 parameters: " in done.stdout
    assert "\n update below bfloat16 resolution: " in done.stdout
    assert "backbone.layer1.1.weight" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--device", "tpu"), "error: --device 'tpu' is none of auto, cpu, cuda, cuda:N, mps"),
        (("--device", "cpu:1"), "error: --device 'cpu:1' is none of auto"),
        (("--device", "cuda:99"), "error: there is no device 'cuda:99'\n  hint: there are: cpu"),
        (("--input", "2*3"), "error: --input '2*3' is no shape"),
        (("--forward",), "error: --forward: the shape of the model's input is not known"),
        (("--input", "2x5x8x8"), "error: the model raises in a training step: RuntimeError: "),
        (("--parallel", "ddp"), "error: --parallel ddp takes several processes\n  hint: torchrun"),
        (("--steps", "0"), "--steps must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_done(words: tuple[str, ...], message: str, invoke: Invoke) -> None:
    done = invoke("verify", *SEGMENTOR, "--no-cost", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_several_processes_without_a_use(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = invoke("verify", *SEGMENTOR, *QUICK)
    assert (done.returncode, done.stdout) == (2, "")
    assert "torchrun started 2 processes, and each would do the same" in done.stderr


MODEL = """\
import time
import torch
from torch import nn

print("on stdout, while it is imported")

class Net(nn.Linear):
    default_cfg = {"input_size": (3,)}

    def __init__(self):
        super().__init__(3, 2)

    def forward(self, values):
        print("on stdout, in the forward")
        self.act()
        return super().forward(values)

class Slow(Net):
    def act(self):
        open("started", "w").close()
        time.sleep(60)

class Hungry(Net):
    def act(self):
        torch.empty(1 << 50)

class Fine(Net):
    def act(self):
        pass
"""
CONFIG = "optimizer = dict(type='SGD', lr=0.1)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(CONFIG)
    (tmp_path / "models.py").write_text(MODEL)
    return tmp_path


def test_memory_runs_out(folder: Path, run: Run) -> None:
    done = run("verify", "a.py", "-m", "models.py:Hungry", "--output", "out.txt", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: not enough memory on cpu for the model and a training step: " in done.stderr
    assert "Traceback" not in done.stderr
    assert left_in(folder) == {"a.py", "models.py"}


def test_prints_of_the_model_go_to_stderr(folder: Path, invoke: Invoke) -> None:
    done = invoke("verify", "a.py", "-m", "models.py:Fine", *QUICK, cwd=folder)
    assert done.returncode == 0
    assert "on stdout" not in done.stdout
    assert "on stdout, in the forward" in done.stderr


def test_an_interrupt_leaves_nothing_behind(folder: Path) -> None:
    command = Path(sys.executable).with_name("optplan")
    words = [str(command), "verify", "a.py", "-m", "models.py:Slow", "-o", "out.txt"]
    process = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    assert not children.exists() or children.read_text() == ""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert left_in(folder) == {"a.py", "models.py", "started"}


def left_in(folder: Path) -> set[str]:
    """What a command left in a folder, Python's own caches apart."""
    return {one for one in os.listdir(folder) if one != "__pycache__"}


def test_help_names_what_is_there(invoke: Invoke) -> None:
    done = invoke("verify", "--help", cwd=ROOT)
    assert done.returncode == 0
    for word in ("--plan", "--device", "--parallel", "--input", "--amp", "--steps"):
        assert word in done.stdout
