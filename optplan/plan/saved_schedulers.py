"""What a checkpoint keeps of schedulers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSchedulers:
    """The states that mmengine's runner saved of its schedulers, as plain data.

    Args:
        shared: Those of the only optimizer.
        own: Those of several optimizers, by their names.
        unread: The names of further entries that seem to hold schedulers, and are not read.
    """

    shared: Sequence[Mapping[str, Any]] = ()
    own: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.shared) + sum(map(len, self.own.values()))
