"""DeepSpeed's files: equal to the optimizers and schedulers of the engine that ``deepspeed.initialize`` makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from optplan.dialects import dialect_of, load_config
from tests.conftest import ROOT, Invoke

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "AdamW": {"lr": 1e-4, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1},
    "Adam": {"lr": 1e-3, "weight_decay": 0.01, "adam_w_mode": False},
    "adam": {"lr": 2e-3, "torch_adam": True},
    "SGD": {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4},
    "Adagrad": {"lr": 0.01},
    "RMSprop": {"lr": 0.01, "alpha": 0.9},
    "Lion": {"lr": 1e-4, "betas": [0.9, 0.99], "weight_decay": 0.3},
}
SCHEDULERS: dict[str, dict[str, Any]] = {
    "WarmupLR": {"warmup_max_lr": 0.001, "warmup_num_steps": 8},
    "WarmupDecayLR": {"warmup_max_lr": 0.001, "warmup_num_steps": 5, "total_num_steps": 20, "warmup_type": "linear"},
    "WarmupCosineLR": {"total_num_steps": 20, "warmup_num_steps": 5},
    "OneCycle": {"cycle_min_lr": 1e-4, "cycle_max_lr": 1e-3, "cycle_first_step_size": 8, "cycle_momentum": False},
    "LRRangeTest": {"lr_range_test_min_lr": 1e-4, "lr_range_test_step_size": 4},
}  # fmt: skip


def write(folder: Path, data: dict[str, Any]) -> Path:
    path = folder / "ds.json"
    path.write_text(json.dumps({"train_batch_size": 8, "steps_per_print": 10, **data}))
    return path


def test_equal_to_the_engine(tmp_path: Path) -> None:
    """In a process of its own, since the library opens a process group that stays."""
    files = []
    for name, params in OPTIMIZERS.items():
        folder = tmp_path / name.swapcase()
        folder.mkdir()
        files.append(str(write(folder, {"optimizer": {"type": name, "params": params}})))
    done = program("compare", *files)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {file: [] for file in files}


def test_schedules_equal_to_the_engine(tmp_path: Path, invoke: Invoke) -> None:
    files = []
    for name, params in SCHEDULERS.items():
        folder = tmp_path / name
        folder.mkdir()
        optimizer = {"type": "Adam", "params": {"lr": 0.002}}
        scheduler = {"type": name, "params": params}
        files.append(str(write(folder, {"optimizer": optimizer, "scheduler": scheduler})))
    done = program("schedules", *files)
    assert done.returncode == 0, done.stderr[-2000:]
    wanted = json.loads(done.stdout.splitlines()[-1])
    for file in files:
        words = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
        told = invoke("schedule", file, *words, "--iters", "20", "--every", "1", "--format", "csv")
        assert told.returncode == 0, told.stderr
        rows = [line.split(",") for line in told.stdout.splitlines()]
        column, step = rows[0].index("lr"), rows[0].index("step")
        found = {row[step]: float(row[column]) for row in rows[1:]}
        assert list(found.values()) == pytest.approx(wanted[file], rel=1e-12), file


def program(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.dialects.deepspeed_runs", *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def test_auto_is_the_trainers(tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, {"optimizer": {"type": "AdamW", "params": {"lr": "auto"}}})
    done = invoke("show", path, "--model", "resnet18")
    assert done.returncode == 2
    assert "optimizer.params.lr is 'auto'" in done.stderr
    assert "transformers' trainer fills it in" in done.stderr


def test_nothing_but_the_report_is_printed(tmp_path: Path, run: Any) -> None:
    path = write(tmp_path, {"optimizer": {"type": "AdamW", "params": OPTIMIZERS["AdamW"]}})
    done = run("show", path, "--model", "resnet18")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("resnet18 · timm · 62 parameters")
    assert "made by DeepSpeed's engine" in done.stdout


def test_not_those_of_other_trainers(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text('{"optimizer": {"type": "SGD", "lr": 0.1}, "fp16": {}}')
    assert dialect_of(load_config(path)).name == "mmengine"


def test_diff_with_another_trainers_file(tmp_path: Path, invoke: Invoke) -> None:
    path = write(
        tmp_path, {"optimizer": {"type": "AdamW", "params": {"lr": 0.005, "torch_adam": True}}}
    )
    other = tmp_path / "mmengine.yaml"
    other.write_text("optim_wrapper: {optimizer: {type: AdamW, lr: 0.006}}\n")
    words = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("diff", path, other, *words, "--format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    text = json.dumps(json.loads(done.stdout))
    assert "0.005" in text
    assert "0.006" in text
