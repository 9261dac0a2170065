"""Stand in for an optimizer where code makes nothing but param groups."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import torch
from torch.optim import Optimizer


class OnlyGroups(Optimizer):
    """What stands in for an optimizer where there are only groups: it has no values of its own."""

    TYPE_NAME = "param groups"

    def __init__(self, groups: Any) -> None:
        super().__init__(groups, dict.fromkeys(("lr", "weight_decay", *_hyper_parameters())))


@cache
def _hyper_parameters() -> tuple[str, ...]:
    """Return the names of all that torch's optimizers keep in their groups."""
    classes = [c for c in vars(torch.optim).values() if inspect.isclass(c)]
    names = {
        name
        for found in classes
        if issubclass(found, Optimizer) and found is not Optimizer
        for name in list(inspect.signature(found).parameters)[1:]
    }
    return tuple(sorted(names - {"lr", "weight_decay"}))
