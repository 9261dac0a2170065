"""An optimizer that has nothing to optimize, for schedulers to act on."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch.optim import Optimizer

from optplan.schedule.param_group_table import MISSING, ParamGroupTable


class Groups(Protocol):
    """Param groups that schedulers act on."""

    def put(self, table: ParamGroupTable) -> None:
        """Set the groups to what the table has."""

    def take(self, table: ParamGroupTable) -> None:
        """Set the table to what the groups have."""


class StandIn(Optimizer):
    """One tiny parameter in a group for each group of the table, with the group's entries.

    Args:
        table: The groups that it stands in for.
    """

    def __init__(self, table: ParamGroupTable) -> None:
        groups: list[dict[str, Any]] = [
            {"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(table.count)
        ]
        defaults = {name: _first(table, name) for name in table.defaults}
        super().__init__(groups, defaults)
        self.put(table)
        self.step()  # schedulers warn where they are stepped before the optimizer

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""

    def put(self, table: ParamGroupTable) -> None:
        """Set the groups to what the table has."""
        for name, values in table.entries.items():
            for group, value in zip(self.param_groups, values, strict=True):
                if value is not MISSING:
                    group[name] = value

    def take(self, table: ParamGroupTable) -> None:
        """Set the table to what the groups have."""
        names = dict.fromkeys(name for group in self.param_groups for name in group)
        del names["params"]
        for name in names:
            table.entries[name] = [group.get(name, MISSING) for group in self.param_groups]


def _first(table: ParamGroupTable, name: str) -> Any:
    values = table.entries.get(name)
    return None if values is None or values[0] is MISSING else values[0]
