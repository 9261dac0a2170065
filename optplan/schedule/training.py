"""How long a training is, and what its steps are counted in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from optplan.config import is_mmcv1, place_of
from optplan.config.inherited import inherited_hint
from optplan.config.paramwise import described
from optplan.config.timm_args import is_timm_args
from optplan.errors import Problem, ScheduleError, UsageError, did_you_mean, quoted
from optplan.schedule.read_schedulers import timm_arguments

_LOOPS = {"EpochBasedTrainLoop": True, "IterBasedTrainLoop": False}
MOST_STEPS = 2**53  # beyond that a float counts no more by ones
_LENGTHS = {True: "max_epochs", False: "max_iters"}
_TAKEN = ("type", "_scope_", "by_epoch", "val_begin", "val_interval", "dynamic_intervals")
_LOOPS_OF_MMCV1 = {"EpochBasedRunner": True, "IterBasedRunner": False}
_TOTALS = {True: "total_epochs", False: "total_iters"}


class EpochLengthError(ScheduleError):
    """It takes the iterations of an epoch, which nobody has given."""


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
    """

    by_epoch: bool
    length: int
    per_epoch: int | None = None
    asked_for: int | None = None

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


def find_training(
    data: Mapping[str, Any],
    *,
    epochs: int | None = None,
    iters: int | None = None,
    per_epoch: int | None = None,
) -> Training:
    """Return how long the training of a config is.

    Args:
        data: The config's entries.
        epochs, iters: A length that counts instead of the config's.
        per_epoch: How many iterations one epoch has.

    Raises:
        UsageError: There is no length, or there are two.
        ScheduleError: ``train_cfg`` is wrong.
    """
    if epochs is not None and iters is not None:
        raise UsageError("--epochs and --iters: give one of them")
    if epochs is not None:
        return Training(by_epoch=True, length=epochs, per_epoch=per_epoch)
    if iters is not None:
        return Training(by_epoch=False, length=iters, per_epoch=per_epoch)
    if is_mmcv1(data):
        return _of_mmcv1(data, per_epoch)
    section = data.get("train_cfg")
    if section is None and is_timm_args(data):
        length = _whole(timm_arguments(data), "epochs")
        return Training(by_epoch=True, length=length, per_epoch=per_epoch)
    if section is None:
        raise UsageError(
            "how long is the training? the config has no train_cfg",
            hint="give --epochs N or --iters N",
        )
    if not isinstance(section, Mapping):
        raise ScheduleError(
            f"train_cfg must be a dict, got {described(section)}", place=place_of(data, "train_cfg")
        )
    if problems := list(_mistakes(data, section)):
        raise ScheduleError(problems)
    by_epoch = _is_by_epoch(section)
    return Training(by_epoch=by_epoch, length=_length(data, section, by_epoch), per_epoch=per_epoch)


def _loop(section: Mapping[str, Any]) -> str:
    """Return the name of the loop that a ``train_cfg`` asks for, '' for none."""
    return str(section.get("type", "")).rpartition(".")[2]


def _of_mmcv1(data: Mapping[str, Any], per_epoch: int | None) -> Training:
    """Return how long mmcv 1.x trains: by its ``runner``, else by ``total_epochs`` or ``total_iters``."""
    runner = data.get("runner")
    if runner is not None and not isinstance(runner, Mapping):
        raise ScheduleError(
            f"runner must be a dict, got {described(runner)}", place=place_of(data, "runner")
        )
    section, names = (data, _TOTALS) if runner is None else (runner, _LENGTHS)
    given = {flag: name for flag, name in names.items() if section.get(name) is not None}
    if len(given) == 2:
        raise ScheduleError(
            f"only one of {names[True]} and {names[False]} can be set",
            place=place_of(section, names[False]),
        )
    for by_epoch, name in given.items():
        if by_epoch is _LOOPS_OF_MMCV1.get(str(section.get("type")), by_epoch):
            length = _whole(section, name)
            return Training(by_epoch=by_epoch, length=length, per_epoch=per_epoch)
    if runner is None:
        raise UsageError(
            "how long is the training? the config has no runner and no total_epochs",
            hint="give --epochs N or --iters N",
        )
    wanted = names[_LOOPS_OF_MMCV1.get(str(runner.get("type")), True)]
    raise ScheduleError(
        f"runner has no {wanted}",
        place=place_of(data, "runner"),
        hint="set it, or give --epochs N or --iters N",
    )


def _is_by_epoch(section: Mapping[str, Any]) -> bool:
    """Return whether a ``train_cfg`` counts epochs; a loop that is not known tells by its length."""
    named = _LOOPS.get(_loop(section))
    if named is None and "by_epoch" in section and "type" not in section:
        return bool(section["by_epoch"])
    return ("max_epochs" in section or "max_iters" not in section) if named is None else named


def refused_by_runner(data: Mapping[str, Any]) -> Problem | None:
    """Return why the reference's runner refuses a ``train_cfg`` whose length is plain all the same."""
    section = data.get("train_cfg")
    if not isinstance(section, Mapping) or ("type" in section) != ("by_epoch" in section):
        return None
    found = "both 'type' and" if "type" in section else "neither 'type' nor"
    return Problem(
        message=f"train_cfg has {found} 'by_epoch', which the runner refuses",
        place=place_of(data, "train_cfg"),
        hint="write by_epoch=True and max_epochs, or by_epoch=False and max_iters",
    )


def _mistakes(data: Mapping[str, Any], section: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what one of the reference's loops refuses."""
    if "type" in section and _loop(section) not in _LOOPS:
        return
    name, decider = _LENGTHS[_is_by_epoch(section)], "type" if "type" in section else "by_epoch"
    for other in map(str, section):
        if other not in (*_TAKEN, name):
            yield Problem(
                message=f"train_cfg takes no {quoted(other)} beside {name}",
                place=place_of(section, other),
                hint=inherited_hint(section, other, decider)
                or did_you_mean(other, (*_TAKEN, name)),
            )
    if section.get(name) is None:
        yield Problem(
            message=f"train_cfg has no {name}",
            place=place_of(data, "train_cfg"),
            hint="set it, or give --epochs N or --iters N",
        )


def _length(data: Mapping[str, Any], section: Mapping[str, Any], by_epoch: bool) -> int:
    """Return the length that a ``train_cfg`` states.

    Raises:
        UsageError: A loop of somebody's own states none.
        ScheduleError: It is no count.
    """
    name = _LENGTHS[by_epoch]
    if section.get(name) is None:
        raise UsageError(
            f"how long is the training? train_cfg ({place_of(data, 'train_cfg')}) has no {name}",
            hint="give --epochs N or --iters N",
        )
    return _whole(section, name)


def _whole(section: Mapping[str, Any], name: str) -> int:
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
