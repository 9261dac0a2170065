"""From what a config writes of a scheduler to its numbers, for a training of a given length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from optplan.config import Symbol, place_of
from optplan.config.paramwise import number_problem
from optplan.errors import Problem, ScheduleError
from optplan.schedule.arguments import (
    argument_problems,
    missing_argument,
    weights_problem,
    whole_problem,
)
from optplan.schedule.catalog import (
    ARGUMENTS,
    COMMON,
    KNOWN,
    NO_END,
    Family,
    Known,
    ScheduledEntry,
)
from optplan.schedule.policy_parsing import hook_spec
from optplan.schedule.specs import AnySpec, ForeignSpec, Spec
from optplan.schedule.training import EpochLengthError, Training
from optplan.schedule.written import LibraryScheduler, Written

_HOME = "mmengine"
TORCH_PREFIX = "torch:"
TORCH_HOME = "torch.optim.lr_scheduler"
# What the reference's builder takes out before a class sees the arguments.
_FOR_THE_BUILDER = ("type", "_scope_", "convert_to_iter_based")


IsReplaced = Callable[[str], bool]


def parsed(
    written: Written, training: Training, is_replaced: IsReplaced = lambda _: False
) -> AnySpec:
    """One scheduler.

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
    mistakes = list(_mistakes(written, known))
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


def known_class(kind: str | Symbol | type) -> Known | None:
    """What a type means, where it is one of those that optplan steps itself."""
    name = _dotted(kind)
    package, _, last = name.rpartition(".")
    if package and package.partition(".")[0] != _HOME:
        return None
    return KNOWN.get(last)


def shown(kind: str | Symbol | type) -> str:
    """A type as reports call it."""
    return kind if isinstance(kind, str) else _dotted(kind).rpartition(".")[2]


def _dotted(kind: str | Symbol | type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)


def is_converted(raw: Mapping[str, Any]) -> bool:
    """Whether a scheduler by epochs is to be turned into one by iterations."""
    return bool(raw.get("convert_to_iter_based", False))


def ticks_by_epoch(raw: Mapping[str, Any]) -> bool:
    """Whether a scheduler ticks after each epoch."""
    return bool(raw.get("by_epoch", True)) and not is_converted(raw)


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
    """The end of a scheduler that states none: that of the training."""
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


def _mistakes(written: Written, known: Known) -> Iterator[Problem]:
    raw, own = written.raw, ARGUMENTS[known.family]
    others = [*COMMON, *(["param_name"] if known.target is ScheduledEntry.PARAM else [])]
    who = shown(written.kind)
    yield from argument_problems(raw, who, written.place, own, others, _FOR_THE_BUILDER)
    if known.target is ScheduledEntry.PARAM and not isinstance(raw.get("param_name"), str):
        yield _missing(written, "param_name")
    yield from _common_mistakes(written)
    yield from _joint_mistakes(written, known)


def _missing(written: Written, name: str) -> Problem:
    return missing_argument(shown(written.kind), name, place_of(written.raw, name) or written.place)


def _common_mistakes(written: Written) -> Iterator[Problem]:
    raw = written.raw
    for name in ("begin", "end"):
        if name in raw and (problem := number_problem(raw, name)):
            yield problem
    if "last_step" in raw and (problem := whole_problem(raw, "last_step", -1)):
        yield problem
    if is_converted(raw) and not raw.get("by_epoch", True):
        yield Problem(
            message="convert_to_iter_based is for a scheduler by epochs, and by_epoch is false",
            place=place_of(raw, "convert_to_iter_based"),
        )


def _joint_mistakes(written: Written, known: Known) -> Iterator[Problem]:
    """Arguments that do not go together."""
    raw, name = written.raw, shown(written.kind)
    match known.family:
        case Family.COSINE_ANNEALING | Family.COSINE_RESTART:
            given = [one for one in ("eta_min", "eta_min_ratio") if raw.get(one) is not None]
            if len(given) == 2:
                yield Problem(
                    message=f"{name} takes eta_min or eta_min_ratio, not both",
                    place=place_of(raw, given[1]),
                )
            if known.family is Family.COSINE_RESTART:
                if not given:
                    yield _missing(written, "eta_min")
                if problem := weights_problem(raw):
                    yield problem
        case Family.ONE_CYCLE if (
            known.target is ScheduledEntry.PARAM and raw.get("param_name") != "lr"
        ):
            yield Problem(message=f"{name} works for lr alone", place=place_of(raw, "param_name"))
        case Family.REDUCE_ON_PLATEAU if not raw.get("by_epoch", True) or is_converted(raw):
            yield Problem(
                message=f"{name} works by epochs alone",
                place=place_of(raw, "by_epoch") or place_of(raw, "convert_to_iter_based"),
            )
        case _:
            return


def _foreign(written: Written, training: Training) -> ForeignSpec:
    raw = written.raw
    if written.library is not None:
        return _of_library(written, written.library, training)
    return ForeignSpec(
        name=shown(written.kind),
        kind=written.kind,
        by_epoch=ticks_by_epoch(raw),
        converted=is_converted(raw),
        arguments={str(name): value for name, value in raw.items() if name not in _FOR_THE_BUILDER},
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


def is_torch(kind: str | Symbol | type) -> bool:
    """Whether a type is one of torch's own schedulers."""
    name = _dotted(kind)
    return name.startswith((TORCH_PREFIX, f"{TORCH_HOME}."))
