"""Turn what a config writes of a scheduler into its numbers, for a training of a given length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from optplan.config import place_of
from optplan.errors import Problem, ScheduleError
from optplan.schedule.arguments import scheduler_mistakes
from optplan.schedule.catalog import ARGUMENTS, NO_END, Known, ScheduledEntry
from optplan.schedule.policy_parsing import hook_spec
from optplan.schedule.specs import AnySpec, ForeignSpec, Spec
from optplan.schedule.training import EpochLengthError, Training
from optplan.schedule.type_names import (
    FOR_THE_BUILDER,
    is_converted,
    is_torch,
    known_class,
    shown,
    ticks_by_epoch,
)
from optplan.schedule.written import LibraryScheduler, Written

IsReplaced = Callable[[str], bool]


def parsed(
    written: Written, training: Training, is_replaced: IsReplaced = lambda _: False
) -> AnySpec:
    """Return one scheduler.

    Args:
        written: It as the config writes it.
        training: How long the training is.
        is_replaced: Whether a class of somebody's own is registered under the name of one of mmengine's.

    Raises:
        ScheduleError: Its arguments are wrong, or it has to be converted to iterations and nobody
            said how many an epoch has.
    """
    if written.hook is not None:
        return hook_spec(written, training)
    known = known_class(written.kind)
    if known is None or (isinstance(written.kind, str) and is_replaced(written.kind)):
        return _foreign(written, training)
    raw = written.raw
    mistakes = list(scheduler_mistakes(written, known))
    if mistakes:
        raise ScheduleError(mistakes)
    begin, end = _span(written, training)  # wrong ones are, however many iterations an epoch has
    factor = _epoch_length(written, training) if is_converted(raw) else 1
    by_epoch = bool(raw.get("by_epoch", True)) and not is_converted(raw)
    if is_converted(raw):
        begin, end = _in_iterations(written, begin, end, factor)
    arguments = {
        name: _in_ticks(raw.get(name, argument.default), factor if argument.ticks else 1)
        for name, argument in ARGUMENTS[known.family].items()
    }
    return Spec(
        name=shown(written.kind),
        family=known.family,
        param=_param(raw, known),
        moves_betas=known.target is ScheduledEntry.MOMENTUM,
        by_epoch=by_epoch,
        converted=is_converted(raw),
        begin=begin,
        end=end,
        last_step=raw.get("last_step", -1),
        arguments=arguments,
        raw=raw,
        place=written.place,
    )


def _param(raw: Mapping[str, Any], known: Known) -> str:
    match known.target:
        case ScheduledEntry.LR:
            return "lr"
        case ScheduledEntry.MOMENTUM:
            return "momentum"
        case ScheduledEntry.PARAM:
            return str(raw["param_name"])


def _epoch_length(written: Written, training: Training) -> int:
    if training.per_epoch is None:
        raise EpochLengthError(
            f"{shown(written.kind)} is converted to iterations: how many has an epoch?",
            place=place_of(written.raw, "convert_to_iter_based") or written.place,
            hint="give --iters-per-epoch N",
        )
    return training.per_epoch


def _in_ticks(value: Any, factor: int) -> Any:
    if value is None or factor == 1:
        return value
    if isinstance(value, list | tuple):
        return tuple(one * factor for one in value)
    return value * factor


def _span(written: Written, training: Training) -> tuple[float, float]:
    """Return between which ticks a scheduler acts, as the config counts them.

    Raises:
        ScheduleError: It ends before it begins, or the number of iterations is not known.
    """
    raw = written.raw
    begin = raw.get("begin", 0)
    end = raw["end"] if "end" in raw else _training_end(written, training)
    if end <= begin:
        raise ScheduleError([_empty_span(written, begin, end)])
    return begin, end


def _in_iterations(written: Written, begin: float, end: float, factor: int) -> tuple[float, float]:
    """Return epochs as the iterations that the reference makes of them.

    Raises:
        ScheduleError: Nothing is left between them.
    """
    first, last = int(begin * factor), end if end == NO_END else int(end * factor)
    if last <= first:
        raise ScheduleError([_empty_span(written, begin, end, f"{first} and {last}")])
    return first, last


def _training_end(written: Written, training: Training) -> int:
    """Return the end of a scheduler that states none: that of the training."""
    if written.raw.get("by_epoch", True):
        return training.epochs
    if training.iterations is None:
        raise EpochLengthError(
            f"{shown(written.kind)} ends with the training, after how many iterations?",
            place=place_of(written.raw, "by_epoch") or written.place,
            hint="give --iters-per-epoch N",
        )
    return training.iterations


def _empty_span(written: Written, begin: float, end: float, converted: str = "") -> Problem:
    raw = written.raw
    if "end" in raw:
        as_iterations = f", which are iterations {converted}" if converted else ""
        return Problem(
            message=f"end must be after begin, got begin {begin} and end {end}{as_iterations}",
            place=place_of(raw, "end"),
        )
    unit = "epochs" if raw.get("by_epoch", True) else "iterations"
    return Problem(
        message=f"begin {begin} is not before the end of the training, which has {end} {unit}",
        place=place_of(raw, "begin"),
    )


def _foreign(written: Written, training: Training) -> ForeignSpec:
    raw = written.raw
    if written.library is not None:
        return _of_library(written, written.library, training)
    return ForeignSpec(
        name=shown(written.kind),
        kind=written.kind,
        by_epoch=ticks_by_epoch(raw),
        converted=is_converted(raw),
        arguments={str(name): value for name, value in raw.items() if name not in FOR_THE_BUILDER},
        end=NO_END if is_torch(written.kind) or "end" in raw else _training_end(written, training),
        raw=raw,
        place=written.place,
    )


def _of_library(written: Written, library: LibraryScheduler, training: Training) -> ForeignSpec:
    arguments = library.arguments(written.raw, training)
    return ForeignSpec(
        name=library.name(arguments),
        kind=written.kind,
        by_epoch=library.by_epoch(arguments),
        converted=False,
        arguments=arguments,
        end=NO_END,
        raw=written.raw,
        place=written.place,
        library=library,
    )
