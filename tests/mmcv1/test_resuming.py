"""Checkpoints that mmcv 1.7.2 saved in the middle of a schedule, held against the config that they go on with.

The entries of the groups are those of its checkpoints of epoch 2, with the same configs and the same model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.conftest import Invoke

NET = """\
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
"""
SGD = (
    "optimizer = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.01,"
    " paramwise_cfg=dict(bias_lr_mult=2.))\n"
)
ADAMW = "optimizer = dict(type='AdamW', lr=0.1, betas=(0.95, 0.99), weight_decay=0.01, paramwise_cfg=dict(norm_decay_mult=1.))\n"
EPOCHS = "runner = dict(type='EpochBasedRunner', max_epochs=4)\n"
STEP = (
    "lr_config = dict(policy='step', step=[1], warmup='linear', warmup_iters=6, warmup_ratio=0.1)\n"
)
CYCLIC = "lr_config = dict(policy='cyclic', target_ratio=(10, 1e-4))\nmomentum_config = dict(policy='cyclic')\n"
ONE_CYCLE = (
    "lr_config = dict(policy='OneCycle', max_lr=0.5)\nmomentum_config = dict(policy='OneCycle')\n"
)
LR_ALONE = "lr_config = dict(policy='OneCycle', max_lr=0.5)\n"
MID = {"lr": 0.9829630835154026, "initial_lr": 0.1, "initial_momentum": 0.95}
CYCLED = {"lr": 0.40587282697488153, "initial_lr": 0.02, "momentum": 0.8688255099070633}
BOUNDS = {"base_momentum": 0.85, "max_momentum": 0.95}
IN_SCHEDULE = "saved in the middle of a schedule"
OF_ARGUMENTS = "a one-cycle policy starts from its own arguments, not from the checkpoint"


def saved(path: Path, entries: dict[str, Any], bias: dict[str, Any]) -> None:
    """Write a checkpoint with a group for each parameter."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    is_adam = "betas" in entries
    make: Any = torch.optim.AdamW if is_adam else torch.optim.SGD
    options: dict[str, Any] = {} if is_adam else {"momentum": 0.9}
    groups = [{"params": [one]} for one in model.parameters()]
    optimizer = make(groups, lr=0.1, weight_decay=0.01, **options)
    for number, group in enumerate(optimizer.param_groups):
        group.update(entries | (bias if number == 1 else {}))
    meta = {"epoch": 2, "iter": 10, "mmcv_version": "1.7.2"}
    torch.save({"meta": meta, "optimizer": optimizer.state_dict()}, path)


@pytest.mark.parametrize(
    ("config", "entries", "bias", "said"),
    [
        (
            SGD + STEP,
            {"lr": 0.010000000000000002, "initial_lr": 0.1},
            {"lr": 0.020000000000000004, "initial_lr": 0.2},
            f"{IN_SCHEDULE}, its lr at ×0.1 of the initial lr",
        ),
        (ADAMW + CYCLIC, {**MID, "betas": (0.8517037086855466, 0.99)}, {}, IN_SCHEDULE),
        (SGD + ONE_CYCLE, {**CYCLED, **BOUNDS}, {}, f"lr_config, momentum_config: {OF_ARGUMENTS}"),
        (SGD + LR_ALONE, {**CYCLED, "momentum": 0.9}, {}, f"lr_config: {OF_ARGUMENTS}"),
    ],
)
def test_the_same_config(
    config: str,
    entries: dict[str, Any],
    bias: dict[str, Any],
    said: str,
    tmp_path: Path,
    invoke: Invoke,
) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "a.py").write_text(config + EPOCHS)
    saved(tmp_path / "epoch_2.pth", entries, bias)
    done = invoke("diff", "epoch_2.pth", "a.py", "--model", "net.py:Net", cwd=tmp_path)
    first, *rest = done.stdout.splitlines()
    assert first == "epoch_2.pth → a.py · net.py:Net · mmcv 1.x · no difference"
    assert said in "\n".join(rest)
    changed = config.replace("weight_decay=0.01", "weight_decay=0.02")
    (tmp_path / "b.py").write_text(changed + EPOCHS)
    done = invoke("diff", "b.py", "epoch_2.pth", "--model", "net.py:Net", cwd=tmp_path)
    assert "4 of 4 parameters change" in done.stdout
    assert "weight_decay  0.02  →  0.01" in done.stdout
