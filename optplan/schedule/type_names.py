"""What the type of a scheduler names, and how it ticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config import Symbol
from optplan.schedule.catalog import KNOWN, Known

_HOME = "mmengine"
TORCH_PREFIX = "torch:"
TORCH_HOME = "torch.optim.lr_scheduler"
# What the reference's builder takes out before a class sees the arguments.
FOR_THE_BUILDER = ("type", "_scope_", "convert_to_iter_based")


def known_class(kind: str | Symbol | type) -> Known | None:
    """Return what a type means, where it is one of those that optplan steps itself."""
    name = _dotted(kind)
    package, _, last = name.rpartition(".")
    if package and package.partition(".")[0] != _HOME:
        return None
    return KNOWN.get(last)


def shown(kind: str | Symbol | type) -> str:
    """Return a type as reports call it."""
    return kind if isinstance(kind, str) else _dotted(kind).rpartition(".")[2]


def _dotted(kind: str | Symbol | type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)


def is_converted(raw: Mapping[str, Any]) -> bool:
    """Return whether a scheduler by epochs is to be turned into one by iterations."""
    return bool(raw.get("convert_to_iter_based", False))


def ticks_by_epoch(raw: Mapping[str, Any]) -> bool:
    """Return whether a scheduler ticks after each epoch."""
    return bool(raw.get("by_epoch", True)) and not is_converted(raw)


def is_torch(kind: str | Symbol | type) -> bool:
    """Return whether a type is one of torch's own schedulers."""
    name = _dotted(kind)
    return name.startswith((TORCH_PREFIX, f"{TORCH_HOME}."))
