"""Tell which generation of OpenMMLab's trainers a config is for: mmcv 1.x or MMEngine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.optimizer import MMCV1
from optplan.config.recognition import Recognition, chosen_dialect

MMENGINE = "mmengine"
# What reports call them.
TITLES = {MMCV1: "mmcv 1.x", MMENGINE: "MMEngine"}

# The top-level entries that the runners of mmcv 1.x read and that MMEngine has no use for.
SIGNS_OF_MMCV1 = (
    "lr_config",
    "momentum_config",
    "optimizer_config",
    "runner",
    "total_epochs",
    "total_iters",
    "checkpoint_config",
    "log_config",
    "workflow",
    "dist_params",
)
# What only MMEngine reads; each stands for a config that was moved on.
SIGNS_OF_MMENGINE = ("optim_wrapper", "param_scheduler")
BY_OPTION = "--dialect"


def generation_of(data: Mapping[str, Any]) -> Recognition | None:
    """Return the generation of a config of one of the two, with what tells it.

    Args:
        data: Its top level.

    Returns:
        None for a config without an optimizer.
    """
    sections = tuple(name for name in ("optim_wrapper", "optimizer") if name in data)
    if not sections:
        return None
    if (chosen := chosen_dialect()) is not None:
        return _recognized(chosen, BY_OPTION)
    if newer := tuple(name for name in SIGNS_OF_MMENGINE if name in data):
        return _recognized(MMENGINE, *newer)
    if older := tuple(name for name in SIGNS_OF_MMCV1 if name in data):
        return _recognized(MMCV1, *older)
    return _recognized(MMENGINE, *sections)


def _recognized(generation: str, *because: str) -> Recognition:
    return Recognition(dialect=generation, title=TITLES[generation], because=because)
