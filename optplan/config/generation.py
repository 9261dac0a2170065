"""Which generation of OpenMMLab's trainers a config is for: mmcv 1.x or MMEngine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from optplan.config.dialects import dialect_of
from optplan.config.timm_args import is_timm_args


class Generation(StrEnum):
    """The generations, as reports call them."""

    MMCV1 = "mmcv 1.x"
    MMENGINE = "MMEngine"


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

_CHOSEN: ContextVar[Generation | None] = ContextVar("generation", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """The generation that an answer is for.

    Args:
        generation: The generation.
        signs: The entries of the config that tell, or the option that says so.
    """

    generation: Generation = field(metadata={"json": "name"})
    signs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.generation}: {', '.join(self.signs)}"


@contextmanager
def choosing(generation: Generation | None) -> Iterator[None]:
    """Take every config for one of this generation meanwhile; for None its content decides."""
    token = _CHOSEN.set(generation)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def chosen_generation() -> Generation | None:
    """Return the generation that the user has chosen for all configs."""
    return _CHOSEN.get()


def recognized(data: Mapping[str, Any]) -> Recognized | None:
    """Return the generation of a config, with what tells it.

    Args:
        data: Its top level.

    Returns:
        None for a config of another dialect, and for one without an optimizer.
    """
    sections = tuple(name for name in ("optim_wrapper", "optimizer") if name in data)
    if not sections or is_timm_args(data) or dialect_of(data) is not None:
        return None
    if (chosen := chosen_generation()) is not None:
        return Recognized(generation=chosen, signs=(BY_OPTION,))
    if newer := tuple(name for name in SIGNS_OF_MMENGINE if name in data):
        return Recognized(generation=Generation.MMENGINE, signs=newer)
    if older := tuple(name for name in SIGNS_OF_MMCV1 if name in data):
        return Recognized(generation=Generation.MMCV1, signs=older)
    return Recognized(generation=Generation.MMENGINE, signs=sections)


def is_mmcv1(data: Mapping[str, Any]) -> bool:
    """Return whether a config is for mmcv 1.x."""
    found = recognized(data)
    return found is not None and found.generation is Generation.MMCV1
