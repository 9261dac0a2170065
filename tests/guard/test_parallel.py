"""The guard with two processes, under each wrapper of parallel training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = {
    "lr": "norm.weight",
    "decay": "head.weight",
    "option": "head.weight",
    "moved": "norm.bias",
    "left_out": "head.bias",
    "frozen": "norm.bias",
}
WAYS = (
    "plain",
    "ddp",
    "fsdp2",
    "compiled",
    "zero",
    "accelerate",
    "ddp_resumed",
    "fsdp2_resumed",
    "accelerate_resumed",
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str | None]]:
    folder = tmp_path_factory.mktemp("guard")
    words = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = subprocess.run(
        (sys.executable, *words, "-m", "tests.guard.processes", str(folder)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("way", WAYS)
def test_each_process_names_what_differs(way: str, answers: list[dict[str, str | None]]) -> None:
    for found in answers:
        assert found[f"{way} unchanged"] is None
        for change, name in NAMES.items():
            assert name in (found[f"{way} {change}"] or "")


def test_a_model_that_was_sharded_behind_the_optimizer(
    answers: list[dict[str, str | None]],
) -> None:
    for found in answers:
        assert "has none of the model's parameters" in (found["fsdp2_unprepared"] or "")


def test_no_value_is_read_copied_or_made(answers: list[dict[str, str | None]]) -> None:
    for found in answers:
        assert [name for name in found if "operations" in name] == []
