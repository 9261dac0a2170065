"""Check the arguments of a scheduler, and bring their values into the form that they must have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from optplan.config import place_of
from optplan.config.inherited import inherited_hint
from optplan.config.paramwise import described, number_problem
from optplan.errors import Problem, did_you_mean, quoted
from optplan.places import Place
from optplan.schedule.catalog import (
    ARGUMENTS,
    COMMON,
    REQUIRED,
    Argument,
    Family,
    Known,
    ScheduledEntry,
    SchedulerForm,
)
from optplan.schedule.type_names import FOR_THE_BUILDER, is_converted, shown
from optplan.schedule.written import Written

_CHOICES: Mapping[SchedulerForm, tuple[str, ...]] = MappingProxyType(
    {
        SchedulerForm.ANNEALING: ("cos", "linear"),
        SchedulerForm.COMPARISON: ("less", "greater"),
        SchedulerForm.THRESHOLD: ("rel", "abs"),
        SchedulerForm.WARMUP: ("constant", "linear", "exp"),
    }
)
# What a number must be besides.
_RANGES: Mapping[SchedulerForm, Callable[[Any], bool]] = MappingProxyType(
    {
        SchedulerForm.NUMBER: lambda _: True,
        SchedulerForm.FRACTION: lambda value: 0 <= value <= 1,
        SchedulerForm.FLOAT_FRACTION: lambda value: isinstance(value, float) and 0 <= value <= 1,
        SchedulerForm.SHARE: lambda value: 0 <= value < 1,
        SchedulerForm.RATIO: lambda value: 0 < value <= 1,
        SchedulerForm.BELOW_ONE: lambda value: value < 1,
        SchedulerForm.PERIOD: lambda value: value > 0,
        SchedulerForm.COUNT: lambda value: isinstance(value, int) and value > 0,
    }
)


def _is_numbers(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value)


def _is_steps(value: object) -> bool:
    ones = value if isinstance(value, list) else [value]
    return all(isinstance(one, int) and one > 0 for one in ones)


def _is_per_group(value: object, *numbers: type) -> bool:
    is_list = isinstance(value, list) and _is_numbers(value)
    return is_list or isinstance(value, (Mapping, *numbers))


# What is no number, or need not be one.
_OTHERS: Mapping[SchedulerForm, Callable[[object], bool]] = MappingProxyType(
    {
        SchedulerForm.ANY: lambda _: True,
        SchedulerForm.TEXT: lambda value: isinstance(value, str),
        SchedulerForm.WHOLE: lambda value: isinstance(value, int),
        SchedulerForm.STEPS: _is_steps,
        SchedulerForm.TARGETS: lambda value: (
            isinstance(value, float)
            or (isinstance(value, tuple) and 1 <= len(value) <= 2 and _is_numbers(value))
        ),
        SchedulerForm.PEAKS: lambda value: _is_per_group(value, int, float),
        # mmcv refuses whole numbers here
        SchedulerForm.MOMENTA: lambda value: _is_per_group(value, float),
    }
)


def argument_problems(
    raw: Mapping[str, Any],
    who: str,
    place: Place | None,
    own: Mapping[str, Argument],
    others: Sequence[str],
    unshown: Sequence[str] = (),
) -> Iterator[Problem]:
    """Yield what is wrong with the arguments of a scheduler, one by one.

    Args:
        raw: Its dict in the config.
        who: What messages call it.
        place: Where it is written.
        own: Its own arguments.
        others: What it takes besides.
        unshown: Entries that are no arguments.
    """
    names = [*own, *others]
    for name in map(str, raw):
        if name not in (*names, *unshown):
            yield Problem(
                message=f"{who} takes no argument {quoted(name)}",
                place=place_of(raw, name) or place,
                hint=inherited_hint(raw, name)
                or did_you_mean(name, names)
                or f"it takes {', '.join(names)}",
                known=tuple(names),
            )
        elif name in own and (problem := argument_problem(raw, name, own[name])):
            yield problem
    for name, argument in own.items():
        if argument.default is REQUIRED and name not in raw:
            yield missing_argument(who, name, place)


def missing_argument(who: str, name: str, place: Place | None) -> Problem:
    """Say that a scheduler needs an argument."""
    return Problem(message=f"{who} needs the argument {quoted(name)}", place=place)


def argument_problem(raw: Mapping[str, Any], name: str, argument: Argument) -> Problem | None:
    """Return what is wrong with an argument that is given, or None."""
    value, form = raw[name], argument.form
    if value is None and argument.default is None:
        return None
    if (words := _CHOICES.get(form)) is not None:
        hint = did_you_mean(value, words) if isinstance(value, str) else None
        return None if value in words else must_be(raw, name, form.value, hint)
    if (fits := _OTHERS.get(form)) is not None:
        return None if fits(value) else must_be(raw, name, form.value)
    is_list = form is SchedulerForm.NUMBER_OR_NUMBERS and isinstance(value, list | tuple)
    if is_list or form is SchedulerForm.NUMBERS:
        return _numbers_problem(raw, name, form)
    if (problem := number_problem(raw, name)) is not None:
        return problem
    is_right = form is SchedulerForm.NUMBER_OR_NUMBERS or _RANGES[form](value)
    return None if is_right else must_be(raw, name, form.value)


def whole_problem(raw: Mapping[str, Any], name: str, least: int) -> Problem | None:
    """Return what is wrong with a value that has to be a whole number of at least so much."""
    value = raw[name]
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return None
    return must_be(raw, name, f"a whole number of at least {least}")


def weights_problem(raw: Mapping[str, Any]) -> Problem | None:
    """Return what is wrong with the periods of a scheduler with restarts and their weights together, or None."""
    periods, weights = raw.get("periods"), raw.get("restart_weights", (1,))
    if not isinstance(periods, list | tuple) or not isinstance(weights, list | tuple):
        return None
    if len(periods) == len(weights):
        return None
    return Problem(
        message=f"{len(periods)} periods and {len(weights)} restart_weights: each period needs its weight",
        place=place_of(raw, "restart_weights") or place_of(raw, "periods"),
    )


def _numbers_problem(raw: Mapping[str, Any], name: str, form: SchedulerForm) -> Problem | None:
    value = raw[name]
    if not isinstance(value, list | tuple):
        return must_be(raw, name, form.value)
    for index in range(len(value)):
        item = {quoted(f"{name}[{index}]"): value[index]}
        if problem := number_problem(item, next(iter(item))):
            place = place_of(value, index) or place_of(raw, name)
            return Problem(message=problem.message, place=place, hint=problem.hint)
    return None


def must_be(raw: Mapping[str, Any], name: str, what: str, hint: str | None = None) -> Problem:
    """Say what an argument must be, and what it is."""
    return Problem(
        message=f"{name} must be {what}, got {described(raw[name])}",
        place=place_of(raw, name),
        hint=hint,
    )


def scheduler_mistakes(written: Written, known: Known) -> Iterator[Problem]:
    """Yield every mistake in what a config writes of a scheduler of a known class."""
    raw, own = written.raw, ARGUMENTS[known.family]
    others = [*COMMON, *(["param_name"] if known.target is ScheduledEntry.PARAM else [])]
    who = shown(written.kind)
    yield from argument_problems(raw, who, written.place, own, others, FOR_THE_BUILDER)
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
    """Yield arguments that do not go together."""
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
