"""Keep what bases come to, for the other configs of one run that inherit from them."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optplan.config.limits import MAX_WORK
from optplan.config.placed import PlacedDict, placed_dict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from optplan.places import Source

# What is kept took no more steps to read than two configs may take.
_MOST_STEPS = 2 * MAX_WORK


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBase:
    """What a base comes to, and what reading it took.

    Args:
        data: Its entries, merged into those of its own bases.
        sources: The files that were read.
        steps: The steps.
        tokens: The words and signs.
    """

    data: PlacedDict
    sources: tuple[Source, ...]
    steps: int
    tokens: int

    def entries(self) -> PlacedDict:
        """Return a dict of its own: a config is merged into it, and nothing inside changes by that."""
        return placed_dict(dict.items(self.data), dict(self.data.raw_places))


class SharedBases:
    """The bases of the configs of one run, during which files do not change."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, KeptBase] = {}
        self._steps = 0

    def find(self, key: Hashable) -> KeptBase | None:
        """Return what is kept of a base; None for nothing."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept[key] = kept  # the last that was used
        return kept

    def keep(self, key: Hashable, base: KeptBase) -> None:
        """Keep a base, and of the others those that were used last."""
        self._steps += base.steps - (self._kept[key].steps if key in self._kept else 0)
        self._kept[key] = base
        while self._steps > _MOST_STEPS:
            self._steps -= self._kept.pop(next(iter(self._kept))).steps


_SHARED: ContextVar[SharedBases | None] = ContextVar("shared_bases", default=None)


@contextmanager
def sharing(bases: SharedBases) -> Iterator[None]:
    """Have the configs that are read meanwhile share their bases."""
    token = _SHARED.set(bases)
    try:
        yield
    finally:
        _SHARED.reset(token)


def shared_bases() -> SharedBases | None:
    """Return the bases that configs share at present; None where each reads its own."""
    return _SHARED.get()
