"""Which generation of OpenMMLab's trainers a config is for: mmcv 1.x or MMEngine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from optplan.config.recognition import Recognition

MMCV1 = "mmcv1"
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

_CHOSEN: ContextVar[str | None] = ContextVar("generation", default=None)


@contextmanager
def choosing(generation: str | None) -> Iterator[None]:
    """Take every config for one of this generation meanwhile; for None its content decides."""
    token = _CHOSEN.set(generation)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def chosen_generation() -> str | None:
    """Return the generation that the user has chosen for all configs."""
    return _CHOSEN.get()


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
    if (chosen := chosen_generation()) is not None:
        return _recognized(chosen, BY_OPTION)
    if newer := tuple(name for name in SIGNS_OF_MMENGINE if name in data):
        return _recognized(MMENGINE, *newer)
    if older := tuple(name for name in SIGNS_OF_MMCV1 if name in data):
        return _recognized(MMCV1, *older)
    return _recognized(MMENGINE, *sections)


def _recognized(generation: str, *because: str) -> Recognition:
    return Recognition(dialect=generation, title=TITLES[generation], because=because)


def is_mmcv1(data: Mapping[str, Any]) -> bool:
    """Return whether a config of one of the two is for mmcv 1.x."""
    found = generation_of(data)
    return found is not None and found.dialect == MMCV1
