"""The optimizers and schedulers that code makes, for dialects whose configs are code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch.optim import Optimizer

from optplan.constructors.returned_optimizers import ReturnedScheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A scheduler that can be stepped.

    Args:
        said: The scheduler, and how often the training steps it as far as the code says.
        optimizer: The index of its optimizer.
        is_timms: It is stepped as timm's are, with the number of the epoch or the update.
    """

    said: ReturnedScheduler
    optimizer: int
    is_timms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What one run of the code gave.

    Args:
        optimizers: Its optimizers.
        schedulers: Those that can be stepped; none that another one steps.
        unread: What may move the lr besides, each in words.
        beside: What else acts on the training, by name.
        code: What the code itself is.
        wrappers: The classes of what steps the optimizers from around them.
    """

    optimizers: tuple[Optimizer, ...]
    schedulers: tuple[Attached, ...]
    unread: tuple[str, ...]
    beside: Mapping[str, Any] = field(default_factory=dict)
    code: Any = None
    wrappers: tuple[str, ...] = ()
