"""Import the optimizer class that a plan names by its path."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.runtime.gate import import_named, is_optimizer_class
from optplan.runtime.user_modules import FILE_MODULE


def named_class(class_name: str, *, trusted: bool) -> type[Optimizer] | None:
    """Return a class by its path, from the modules that are loaded or by importing it.

    Args:
        class_name: The path.
        trusted: Whether the user vouches for the code that the config names.

    Returns:
        None where it cannot be imported, or is no optimizer.
    """
    module, _, name = class_name.rpartition(".")
    for home in (module, f"{FILE_MODULE}{module}"):
        found = getattr(sys.modules.get(home), name, None)
        if is_optimizer_class(found):
            return found
    try:
        found = import_named(class_name, trusted=trusted)
    except Exception:  # noqa: BLE001 - what cannot be imported is not known
        return None
    return found if is_optimizer_class(found) else None  # type: ignore[return-value]


def real_values(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan's entries as a class takes them: JSON has neither infinite numbers nor dtypes."""
    return {name: _real(value) for name, value in entries.items()}


def _real(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value in ("inf", "-inf", "nan"):
        return float(value)
    home, _, name = value.partition(".")
    found = getattr(torch, name, None) if home == "torch" else None
    return found if isinstance(found, torch.dtype) else value
