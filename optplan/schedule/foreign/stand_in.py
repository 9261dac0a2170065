"""An optimizer that has nothing to optimize, for schedulers to act on."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch.optim import Optimizer

from optplan.schedule.param_group_table import MISSING, ParamGroupTable


class Groups(Protocol):
    """Param groups that schedulers act on."""

    def put(self, lanes: ParamGroupTable) -> None:
        """Let the groups have what the lanes have."""

    def take(self, lanes: ParamGroupTable) -> None:
        """Let the lanes have what the groups have."""


class StandIn(Optimizer):
    """One tiny parameter in a group for each lane, with the lane's entries.

    Args:
        lanes: The lanes.
    """

    def __init__(self, lanes: ParamGroupTable) -> None:
        groups: list[dict[str, Any]] = [
            {"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(lanes.count)
        ]
        defaults = {name: _first(lanes, name) for name in lanes.defaults}
        super().__init__(groups, defaults)
        self.put(lanes)
        self.step()  # schedulers warn where they are stepped before the optimizer

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Nothing."""

    def put(self, lanes: ParamGroupTable) -> None:
        """Let the groups have what the lanes have."""
        for name, values in lanes.entries.items():
            for group, value in zip(self.param_groups, values, strict=True):
                if value is not MISSING:
                    group[name] = value

    def take(self, lanes: ParamGroupTable) -> None:
        """Let the lanes have what the groups have."""
        names = dict.fromkeys(name for group in self.param_groups for name in group)
        del names["params"]
        for name in names:
            lanes.entries[name] = [group.get(name, MISSING) for group in self.param_groups]


def _first(lanes: ParamGroupTable, name: str) -> Any:
    values = lanes.entries.get(name)
    return None if values is None or values[0] is MISSING else values[0]
