"""torchtitan's Python registry: equal to the optimizers and schedulers of its own trainer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run

ENTRIES = (
    "llama3.llama3_8b",
    "qwen3.qwen3_debugmodel",  # tied
    "qwen3.qwen3_debugmodel_moe_param_groups",  # two optimizers
)


def swept(*entries: str) -> subprocess.CompletedProcess[str]:
    """Compare in a process of its own, since the trainer opens a process group."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.environments.torchtitan.sweep",
        *entries,
    ]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False
    )


def test_equal_to_the_trainer() -> None:
    done = swept(*ENTRIES)
    assert done.stdout.splitlines()[:1] == ["torchtitan: 3 equal, 0 differ, 0 left out"], done


@pytest.mark.sweep
def test_all_entries_equal_to_the_trainer() -> None:
    done = swept()
    print(done.stdout)
    assert done.returncode == 0
    assert int(done.stdout.split()[1]) >= 35


def test_nothing_but_the_report_is_printed(run: Run) -> None:
    done = run("show", "torchtitan:llama3.llama3_debugmodel")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "torchtitan:llama3.llama3_debugmodel · torchtitan · 45 parameters"
    )
    assert "made by torchtitan's OptimizersContainer" in done.stdout


def test_what_may_be_set(run: Run) -> None:
    words = (
        "--set",
        "lr_scheduler.warmup_steps=4",
        "--set",
        "training.steps=8",
        "--set",
        "lr_scheduler.decay_ratio=0.5",
    )
    done = run(
        "schedule", "torchtitan:llama3.llama3_debugmodel", *words, "--every", "1", "--format", "csv"
    )
    rows = [line.split(",") for line in done.stdout.splitlines()]
    found = [float(row[rows[0].index("lr")]) for row in rows[1:]]
    assert found == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 8e-4, 6e-4, 4e-4, 2e-4])


def test_the_model_of_an_entry_with_another_file(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "train.toml"
    path.write_text('[optimizer]\nname = "AdamW"\nlr = 3e-4\nbeta1 = 0.9\n[training]\nsteps = 9\n')
    done = run(
        "diff",
        path,
        "torchtitan:llama3.llama3_debugmodel",
        "--model",
        "torchtitan:llama3.llama3_debugmodel",
    )
    assert done.returncode == 1, done.stderr
    assert "0.0008" in done.stdout


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("torchtitan:llama3.llama3_8",), "torchtitan's llama3 has no entry 'llama3_8'", "'llama3_8b'"),
        (("torchtitan:lama3.llama3_8b",), "torchtitan has no module 'lama3'", "did you mean 'llama3'?"),
        (("torchtitan:",), "after torchtitan: stands no MODULE.ENTRY", "deepseek_v3"),
        (("torchtitan:kimi_k2_7.kimi_k2_5",), "DistMuon requires DTensor parameters", ""),
        (("torchtitan:llama3.llama3_405b",), "torchtitan's llama3.llama3_405b cannot be made here", ""),
        (("torchtitan:llama3.llama3_8b", "--set", "training.seq_len=8"), "only optimizer, lr_scheduler", "entry of your own"),
        (("torchtitan:llama3.llama3_8b", "--set", "lr_scheduler.warm=8"), "refuses --set lr_scheduler.warm=8", "lr_scheduler.warmup_steps"),
        (("torchtitan:llama3.llama3_8b", "-k", "a=1"), "takes no arguments", "leave -k out"),
    ],
)  # fmt: skip
def test_messages(words: tuple[str, ...], message: str, hint: str, run: Run) -> None:
    done = run("show", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error: ") == 1
    assert message in done.stderr
    assert hint in done.stderr


def test_epochs_without_their_length_are_not_passed_over(run: Run) -> None:
    done = run("schedule", "torchtitan:llama3.llama3_debugmodel", "--epochs", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "torchtitan counts steps: how many has an epoch?" in done.stderr
