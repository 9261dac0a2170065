"""Read the options that torch's optimizers have where nothing is said."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from optplan.plan import plain


def class_defaults(class_name: str) -> dict[str, Any]:
    """Return the options of one of torch's optimizers with their values; empty for any other class."""
    module, _, name = class_name.rpartition(".")
    found = getattr(torch.optim, name, None) if module.startswith("torch.optim") else None
    if not (inspect.isclass(found) and issubclass(found, torch.optim.Optimizer)):
        return {}
    try:
        make: Any = found
        with torch.device("meta"):  # the state that some make at once, too
            defaults = make([nn.Parameter(torch.empty(1))]).defaults
    except (TypeError, ValueError):
        return {}
    return {key: plain(value) for key, value in defaults.items() if key != "lr"}
