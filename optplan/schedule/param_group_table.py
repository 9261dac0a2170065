"""The param groups that schedulers move, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any


class Missing(Enum):
    """The mark of an entry that one group does not have."""

    MISSING = "missing"


MISSING = Missing.MISSING


class ParamGroupTable:
    """Groups side by side: for each entry, what every group has there now.

    Args:
        groups: Their entries at step 0.
        defaults: The names of the optimizer's own hyper-parameters.
        numbers: The number of each among all groups of the optimizer.
        total: How many groups the optimizer has, those that are like these among them.
    """

    def __init__(
        self,
        groups: Sequence[Mapping[str, Any]],
        defaults: frozenset[str],
        *,
        numbers: Sequence[int],
        total: int,
    ) -> None:
        self.count = len(groups)
        self.defaults = defaults
        self.numbers = tuple(numbers)
        self.total = total
        self.entries: dict[str, list[Any]] = {
            name: [group.get(name, MISSING) for group in groups]
            for name in dict.fromkeys(name for group in groups for name in group)
        }

    def initial(self, param: str) -> list[Any]:
        """Return the values that a scheduler starts from: kept by the first one that moves them."""
        now = self.entries[param]
        kept = self.entries.get(f"initial_{param}", [MISSING] * self.count)
        found = [new if old is MISSING else old for old, new in zip(kept, now, strict=True)]
        self.entries[f"initial_{param}"] = found
        return found

    def has_initial(self, param: str) -> bool:
        """Return whether every group has kept what a scheduler starts from."""
        return MISSING not in self.entries.get(f"initial_{param}", [MISSING])

    def has(self, param: str) -> bool:
        """Return whether every group has a number there."""
        return all(isinstance(value, int | float) for value in self.entries.get(param, [MISSING]))

    @property
    def has_betas(self) -> bool:
        """Whether the first of betas is what the optimizer has for a momentum."""
        return "momentum" not in self.defaults and "betas" in self.defaults

    def value(self, field: str) -> list[Any] | None:
        """Return what every group has of a hyper-parameter, where momentum may be the first of betas."""
        if field == "momentum" and self.has_betas:
            pairs = self.entries.get("betas")
            return None if pairs is None else [betas[0] for betas in pairs]
        return self.entries.get(field)
