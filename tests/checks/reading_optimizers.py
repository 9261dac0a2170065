"""Optimizers that read an entry of their groups which torch's do not know."""

from __future__ import annotations

from typing import Any

from torch.optim import SGD


class Reading(SGD):
    """Reads an entry of its groups."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        for group in self.param_groups:
            group["lr"] = 0.1 * group.get("lr_mult", 1.0)


class Inheriting(Reading):
    """Reads it as its base does."""
