"""Schedulers as a config states them, once the training's length is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeGuard

from optplan.config import Symbol, place_of
from optplan.places import Place
from optplan.schedule.catalog import Family
from optplan.schedule.written import LibraryScheduler

# What reports say of a policy before its arguments.
_SHOWN_APART = ("policy", "by_epoch", "_delete_")
# More ticks than any training has.
FOREVER = 1 << 62


def whole_tick(tick: float) -> int:
    """Return the first whole tick that is not before one; ``FOREVER`` for what no training comes to."""
    return ceil(tick) if -FOREVER < tick < FOREVER else FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSpec:
    """What all schedulers have that a config writes.

    Args:
        name: Its type, or its policy, as it is written.
        by_epoch: Whether it ticks after each epoch, not after each iteration: nothing changes between.
        arguments: Its own arguments; defaults among them where optplan steps it.
        raw: Its dict in the config.
        place: Where it is written.
    """

    name: str
    by_epoch: bool
    arguments: Mapping[str, Any]
    raw: Mapping[str, Any]
    place: Place | None

    def at(self, name: str) -> Place | None:
        """Return where an argument is written, or else the scheduler."""
        return place_of(self.raw, name) or self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec(WrittenSpec):
    """A scheduler that optplan steps itself; its counts are in its own ticks.

    Args:
        family: Its kind.
        param: The hyper-parameter that it moves.
        moves_betas: It moves the first of ``betas`` where the optimizer has no momentum.
        converted: The config counts epochs, and has them turned into iterations.
        begin, end: The ticks between which it acts.
        last_step: Where it goes on from; -1 for the start.
    """

    family: Family
    param: str
    moves_betas: bool
    converted: bool
    begin: float
    end: float
    last_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSpec(WrittenSpec):
    """A scheduler that somebody's package provides, which is run for real.

    Args:
        kind: The same as a name to look up, a symbol or a class.
        converted: It is by epochs, and to be converted to iterations by its own class.
        end: The end that the training gives it where it states none.
        library: What makes it, where that is a library's own function.
    """

    kind: str | Symbol | type
    converted: bool
    end: int
    library: LibraryScheduler | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmup:
    """How values are brought up at the start of a training.

    Args:
        kind: ``constant``, ``linear`` or ``exp``.
        iterations: How long.
        ratio: What it begins with of the value.
    """

    kind: str
    iterations: int
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSpec(WrittenSpec):
    """A policy of mmcv 1.x: a hook that sets each group's value anew at every step.

    Args:
        policy: Its name in the catalog of policies.
        param: What it moves: ``lr`` or ``momentum``.
        counts_epochs: It is the epoch that decides, though a warm-up goes by iterations.
        acts: False where the runner never calls it.
        end: The ticks of the training.
        length: The training's length in what it counts.
        per_epoch: How many iterations an epoch has, where it has to know.
        warmup: The warm-up, if there is one.
    """

    policy: str
    param: str
    counts_epochs: bool
    acts: bool
    end: int
    length: int
    per_epoch: int | None
    warmup: Warmup | None

    @property
    def begin(self) -> int:
        """The first tick."""
        return 0

    @property
    def given(self) -> Mapping[str, Any]:
        """What the config gives it, the warm-up too."""
        return {name: value for name, value in self.raw.items() if name not in _SHOWN_APART}


OwnSpec = Spec | HookSpec
AnySpec = OwnSpec | ForeignSpec


def is_own(spec: AnySpec) -> TypeGuard[OwnSpec]:
    """Return whether optplan steps a scheduler itself."""
    return not isinstance(spec, ForeignSpec)
