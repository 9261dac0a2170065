"""Schedulers as a config states them, once the training's length is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from optplan.config import Symbol, place_of
from optplan.places import Place
from optplan.schedule.catalog import Family

# More ticks than any training has.
FOREVER = 1 << 62


def whole_tick(tick: float) -> int:
    """The first whole tick that is not before one; ``FOREVER`` for what no training comes to."""
    return ceil(tick) if -FOREVER < tick < FOREVER else FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A scheduler that optplan steps itself; its counts are in its own ticks.

    Args:
        name: Its type, as it is written.
        family: Its kind.
        param: The hyper-parameter that it moves.
        moves_betas: It moves the first of ``betas`` where the optimizer has no momentum.
        by_epoch: Whether it ticks after each epoch, not after each iteration.
        converted: The config counts epochs, and has them turned into iterations.
        begin, end: The ticks between which it acts.
        last_step: Where it goes on from; -1 for the start.
        arguments: Its own arguments, defaults among them.
        raw: Its dict in the config.
        place: Where it is written.
    """

    name: str
    family: Family
    param: str
    moves_betas: bool
    by_epoch: bool
    converted: bool
    begin: float
    end: float
    last_step: int
    arguments: Mapping[str, Any]
    raw: Mapping[str, Any]
    place: Place | None

    def at(self, name: str) -> Place | None:
        """Where an argument is written, or else the scheduler."""
        return place_of(self.raw, name) or self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSpec:
    """A scheduler that somebody's package provides, which is run for real.

    Args:
        name: Its type, as it is written.
        kind: The same as a name to look up, a symbol or a class.
        by_epoch: Whether it ticks after each epoch, not after each iteration.
        converted: It is by epochs, and to be converted to iterations by its own class.
        arguments: What the config gives it.
        end: The end that the training gives it where it states none.
        raw: Its dict in the config.
        place: Where it is written.
    """

    name: str
    kind: str | Symbol | type
    by_epoch: bool
    converted: bool
    arguments: Mapping[str, Any]
    end: int
    raw: Mapping[str, Any]
    place: Place | None

    def at(self, name: str) -> Place | None:
        """Where an argument is written, or else the scheduler."""
        return place_of(self.raw, name) or self.place


AnySpec = Spec | ForeignSpec
