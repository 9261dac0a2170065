"""Two processes on the CPU: DistributedDataParallel, FSDP2 and ZeroRedundancyOptimizer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

Found = dict[str, dict[str, Any]]


def torchrun(
    *words: str | Path, cwd: Path = ROOT, processes: int = 2
) -> subprocess.CompletedProcess[str]:
    """Run a module on some processes."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(processes),
    ]
    return subprocess.run(
        [*command, "-m", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, Found]:
    """What each of the two processes found; one start for all, since it takes longer than the rest."""
    folder = tmp_path_factory.mktemp("found")
    done = torchrun("tests.verify.processes", folder)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1))
    return first, second


@pytest.mark.parametrize("parallel", ["ddp", "fsdp", "zero"])
@pytest.mark.parametrize("name", ["adamw", "muon", "tied"])
def test_it_matches(parallel: str, name: str, found: tuple[Found, Found]) -> None:
    one = found[0][f"{parallel} {name}"]
    assert one["matches"] is True
    assert one["moved"] == {"adamw": 8, "muon": 2, "tied": 6}[name]
    assert one["processes"] == 2
    assert one["without_gradient"] == (["spare"] if name == "tied" else [])
    if name == "adamw":
        assert one["lr"]["head.weight"] == pytest.approx(0.1)


def test_lamb_is_held_in_a_joint_run(found: tuple[Found, Found]) -> None:
    for parallel in ("ddp", "fsdp"):
        one = found[0][f"{parallel} lamb"]
        assert (one["matches"], one["coupled"], one["moved"]) == (True, ["Lamb"], 32)


@pytest.mark.parametrize("parallel", ["ddp", "zero"])
def test_a_kind_with_a_rule_of_its_own_has_it_on_every_process(
    parallel: str, found: tuple[Found, Found]
) -> None:
    one = found[0][f"{parallel} own rule"]
    assert (one["matches"], one["deviating"]) == (True, {})
    assert one["oracles"] == [
        "Centralized moves its parameters by it, but tensors of several dimensions, "
        "which it steps by a rule of its own"
    ]


def test_lamb_on_shares_of_the_parameters_is_not_lamb(found: tuple[Found, Found]) -> None:
    """ZeroRedundancyOptimizer gives each process some of them, and each bounds the norm of its own."""
    one = found[0]["zero lamb"]
    assert one["matches"] is False
    assert one["coupled"] == ["Lamb"]
    assert len(one["deviating"]) == 32


@pytest.mark.parametrize("parallel", ["ddp", "fsdp", "zero"])
def test_another_lr_on_one_process(parallel: str, found: tuple[Found, Found]) -> None:
    one = found[0][f"{parallel} other lr"]
    assert one["mismatches"][0] == ["lr", "0.5 on process 1", ["body.0.weight"]]
    assert list(one["deviating"]) == ["body.0.weight"]
    if parallel == "ddp":
        assert ["values after the real step", "others on process 1", ["body.0.weight"]] in (
            one["mismatches"]
        )


def test_a_parameter_skipped_on_one_process(found: tuple[Found, Found]) -> None:
    for parallel in ("ddp", "fsdp"):
        one = found[0][f"{parallel} skips"]
        assert one["deviating"] == {
            "norm.bias": "did not move (differs from the formula of SGD), on process 1"
        }
    # of its own share, which is another there
    assert found[0]["zero skips"]["deviating"]["body.0.weight"].startswith("did not move")


def test_every_process_has_the_same_verdicts(found: tuple[Found, Found]) -> None:
    for name, one in found[0].items():
        if name == "command":
            continue
        other = found[1][name]
        assert {k: v for k, v in one.items() if k != "state"} == {
            k: v for k, v in other.items() if k != "state"
        }


def test_each_process_holds_half_of_the_state(found: tuple[Found, Found]) -> None:
    whole = found[0]["ddp adamw"]["state"]
    assert whole == 2 * 4 * 477 + 10 * 4  # two moments in float32, and a count for each parameter
    parts = [one["fsdp adamw"]["state"] for one in found]
    assert sum(parts) == whole + 10 * 4  # each process counts for itself


SEGMENTOR = ("sample_configs/backbone_and_head.py", "-m", "sample_configs/models.py:Segmentor")


@pytest.mark.sweep
def test_the_command_reports_once() -> None:
    words = ("--parallel", "fsdp", "--input", "2x3x8x8", "--no-cost", "--device", "cpu")
    done = torchrun("optplan", "verify", *SEGMENTOR, *words)
    assert done.returncode == 0, done.stderr
    assert " on cpu · float32 · 4 steps · seed 0 · fsdp on 2 processes\n" in done.stdout
    assert done.stdout.count("matches: every parameter got what the plan says") == 1


def test_a_forward_that_raises_ends_each_process_with_its_message(
    found: tuple[Found, Found],
) -> None:
    for one in found:
        command = one["command"]
        assert (command["status"], command["stdout"]) == (2, "")
        assert (
            "error: the model raises in a training step: RuntimeError: Given" in command["stderr"]
        )


@pytest.mark.parametrize("words", [(), ("--import", "mmengine.optim")])
def test_mmengines_sharding_optimizer_takes_the_name_of_the_inner_one(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\ndef make():\n    return nn.Linear(3, 2)\n"
    )
    (tmp_path / "zero.py").write_text(
        "optim_wrapper = dict(\n"
        "    optimizer=dict(type='ZeroRedundancyOptimizer', optimizer_type='SGD', lr=.1))\n"
    )
    options = ("--model", "net.py:make", "--device", "cpu", "--parallel", "ddp", *words)
    done = torchrun("optplan", "verify", "zero.py", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "matches: every parameter got what the plan says" in done.stdout
