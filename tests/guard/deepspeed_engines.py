"""The guard of DeepSpeed's engines, in two processes: ``.ci/deepspeed`` starts it where DeepSpeed is installed.

Each stage of ZeRO and each precision: an unchanged training passes, and each change is told with the parameter's name.
A plan that the guard writes is the one of the bare training.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
os.environ.setdefault("DS_ACCELERATOR", "cpu")

import deepspeed  # type: ignore[import-not-found, unused-ignore]  # noqa: E402
import torch  # noqa: E402
from torch import distributed  # noqa: E402

from optplan import Plan, PlanGuard  # noqa: E402
from optplan.errors import MismatchError  # noqa: E402
from tests.guard.processes import CHANGES, Change, unchanged  # noqa: E402
from tests.guard.test_parallel import NAMES  # noqa: E402
from tests.guard.test_plan_guard import Net, groups_of  # noqa: E402

STAGES = (0, 1, 2, 3)
PRECISIONS: tuple[dict[str, Any], ...] = ({}, {"bf16": {"enabled": True}})


def engine(change: Change, stage: int, precision: dict[str, Any]) -> tuple[Any, Any]:
    """Return a model and its optimizer as DeepSpeed prepares them."""
    net = Net()
    groups = groups_of(net)
    change(net, groups)
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "zero_optimization": {"stage": stage},
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        **precision,
    }
    made = deepspeed.initialize(
        model=net, optimizer=torch.optim.AdamW(groups, lr=1e-3), config=config
    )
    return made[0], made[1]


def told(plan: Path, model: Any, optimizer: Any) -> str | None:
    """Return what the guard says; None for nothing."""
    try:
        PlanGuard(plan)(model, optimizer)
    except MismatchError as error:
        return str(error)
    return None


def main(folder: Path) -> None:
    """Raise AssertionError where the guard is wrong."""
    deepspeed.init_distributed("gloo", verbose=False)
    net, plan = Net(), folder / f"plan{distributed.get_rank()}.json"
    plan.write_text(Plan.from_optimizer(net, torch.optim.AdamW(groups_of(net), lr=1e-3)).to_json())
    count = 0
    for stage in STAGES:
        for precision in PRECISIONS:
            for change in CHANGES:
                found = told(plan, *engine(change, stage, precision))
                where = f"stage {stage} {[*precision]} {change.__name__}: {found}"
                if change is unchanged:
                    assert found is None, where
                else:
                    assert found is not None, where
                    assert NAMES[change.__name__] in found, where
                count += 1
            shapes = {
                row.name: row.shape
                for row in Plan.from_optimizer(*engine(unchanged, stage, precision)).parameters
            }
            assert shapes["head.weight"] == (2, 4), (stage, precision, shapes)
    if distributed.get_rank() == 0:
        print(f"{count} engines of DeepSpeed {deepspeed.__version__}")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
