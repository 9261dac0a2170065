"""How long a training is, and what its steps are counted in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from optplan.config import place_of
from optplan.config.paramwise import described
from optplan.errors import ScheduleError, UsageError

MOST_STEPS = 2**53  # beyond that a float counts no more by ones


class EpochLengthError(ScheduleError):
    """It takes the iterations of an epoch, which nobody has given."""


class NoLengthError(UsageError):
    """The config does not say how long the training is."""

    def __init__(self, what: str) -> None:
        super().__init__(f"how long is the training? {what}", hint="give --epochs N or --iters N")


class Unit(StrEnum):
    """What the steps of a course are counted in."""

    EPOCH = "epoch"
    ITERATION = "iteration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How long a training is.

    Args:
        by_epoch: It runs by epochs; else it is one epoch of so many iterations, as far as schedulers
            are concerned.
        length: How many epochs or iterations.
        per_epoch: How many iterations one epoch has, as far as that is known.
        asked_for: How many epochs the user asks for where a scheduler of timm decides on the length.
        ends_at: After how many iterations it ends within its last epoch; None where it ends with it.
        accumulated: The batches that one iteration takes.
        batches: The batches of an epoch, of which its last iteration may take fewer; None where nothing
            counts them.
    """

    by_epoch: bool
    length: int
    per_epoch: int | None = None
    asked_for: int | None = None
    ends_at: int | None = None
    accumulated: int = 1
    batches: int | None = None

    def __post_init__(self) -> None:
        if max(self.length, self.iterations or 0) > MOST_STEPS:
            raise ScheduleError(f"the training is too long: at most {MOST_STEPS} steps are counted")

    @property
    def epochs(self) -> int:
        """How many epochs schedulers see."""
        return self.length if self.by_epoch else 1

    @property
    def iterations(self) -> int | None:
        """How many iterations there are; None where that is not known."""
        if not self.by_epoch:
            return self.length
        if self.ends_at is not None:
            return self.ends_at
        return None if self.per_epoch is None else self.length * self.per_epoch

    def steps(self, unit: Unit) -> int:
        """Return how many steps of a unit there are.

        Raises:
            ValueError: That is not known.
        """
        found = self.length if unit is Unit.EPOCH else self.iterations
        if found is None:
            raise ValueError("the iterations of an epoch are not known")
        return found


def in_epochs(iterations: int, per_epoch: int) -> Training:
    """Return a training of so many iterations, which are counted by epochs as well."""
    whole, rest = divmod(iterations, per_epoch)
    return Training(
        by_epoch=True,
        length=whole + (rest > 0),
        per_epoch=per_epoch,
        ends_at=iterations if rest else None,
    )


def count_in(section: Mapping[str, Any], name: str) -> int:
    """Return an entry that counts epochs or iterations.

    Raises:
        ScheduleError: It is no count.
    """
    value = section.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        value = float("nan")  # as whatever else is no count
    if value > MOST_STEPS:
        raise ScheduleError(
            f"{name} must be at most {MOST_STEPS}, got {_shown(value)}",
            place=place_of(section, name),
        )
    if value != value // 1:
        raise ScheduleError(
            f"{name} must be a whole number, got {described(section.get(name))}",
            place=place_of(section, name),
        )
    if value < 1:
        raise ScheduleError(
            f"{name} must be at least 1, got {value}", place=place_of(section, name)
        )
    return int(value)


def _shown(value: float) -> str:
    """Return a number that may have more digits than Python writes."""
    return f"a number of {value.bit_length()} bits" if isinstance(value, int) else str(value)
