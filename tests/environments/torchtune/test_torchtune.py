"""torchtune's recipes: equal to its ``config.instantiate`` and its schedule."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchtune.training.lr_schedulers import get_cosine_schedule_with_warmup

from tests.conftest import Run
from tests.dialects.reference_torchtune import reference
from tests.dialects.released_sweep import SmallNet, differences
from tests.dialects.test_torchtune import RECIPE

CLASSES = ("AdamW", "Adam", "NAdam", "RAdam", "Adamax")


@pytest.mark.parametrize("name", CLASSES)
def test_equal_to_instantiate(name: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.replace("torch.optim.AdamW", f"torch.optim.{name}"))
    assert differences(path, reference) == []


def test_schedule_equal_to_the_recipes(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    words = ("--model", "resnet18", "--iters-per-epoch", "30", "--every", "1", "--format", "csv")
    done = run("schedule", path, *words)
    assert done.returncode == 0, done.stderr
    optimizer = torch.optim.AdamW(SmallNet().parameters(), lr=3e-4)
    scheduler = get_cosine_schedule_with_warmup(optimizer, 5, 20)
    wanted = []
    for _ in range(20):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    rows = [line.split(",") for line in done.stdout.splitlines()]
    column, step = rows[0].index("lr"), rows[0].index("step")
    found = {row[step]: float(row[column]) for row in rows[1:]}
    assert list(found.values()) == pytest.approx(wanted, rel=1e-12)
