"""Whether the value of a scheduler's argument has its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from optplan.config import place_of
from optplan.config.paramwise import described, number_problem
from optplan.errors import Problem, quoted
from optplan.schedule.catalog import Argument, SchedulerForm

_WORDS: Mapping[SchedulerForm, Callable[[Any], bool]] = {
    SchedulerForm.TEXT: lambda value: isinstance(value, str),
    SchedulerForm.ANNEALING: lambda value: value in ("cos", "linear"),
    SchedulerForm.COMPARISON: lambda value: value in ("less", "greater"),
    SchedulerForm.THRESHOLD: lambda value: value in ("rel", "abs"),
}
_NUMBERS: Mapping[SchedulerForm, Callable[[Any], bool]] = {
    SchedulerForm.NUMBER: lambda value: True,  # noqa: ARG005
    SchedulerForm.NUMBER_OR_NUMBERS: lambda value: True,  # noqa: ARG005
    SchedulerForm.FRACTION: lambda value: 0 <= value <= 1,
    SchedulerForm.FLOAT_FRACTION: lambda value: isinstance(value, float) and 0 <= value <= 1,
    SchedulerForm.BELOW_ONE: lambda value: value < 1,
    SchedulerForm.PERIOD: lambda value: value > 0,
    SchedulerForm.COUNT: lambda value: isinstance(value, int) and value > 0,
}
_LISTS = (SchedulerForm.NUMBERS, SchedulerForm.NUMBER_OR_NUMBERS)


def argument_problem(raw: Mapping[str, Any], name: str, argument: Argument) -> Problem | None:
    """Return what is wrong with an argument that is given, or None."""
    value, form = raw[name], argument.form
    if form is SchedulerForm.ANY or (value is None and argument.default is None):
        return None
    if form in _LISTS and isinstance(value, list | tuple):
        return _numbers_problem(raw, name)
    if form in _WORDS:
        return None if _WORDS[form](value) else _must_be(raw, name, form.value)
    if form in _NUMBERS and (problem := number_problem(raw, name)):
        return problem
    fits = form in _NUMBERS and _NUMBERS[form](value)
    return None if fits else _must_be(raw, name, form.value)


def whole_problem(raw: Mapping[str, Any], name: str, least: int) -> Problem | None:
    """Return what is wrong with a value that has to be a whole number of at least so much."""
    value = raw[name]
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return None
    return _must_be(raw, name, f"a whole number of at least {least}")


def _numbers_problem(raw: Mapping[str, Any], name: str) -> Problem | None:
    value = raw[name]
    for index in range(len(value)):
        item = {quoted(f"{name}[{index}]"): value[index]}
        if problem := number_problem(item, next(iter(item))):
            place = place_of(value, index) or place_of(raw, name)
            return Problem(message=problem.message, place=place, hint=problem.hint)
    return None


def _must_be(raw: Mapping[str, Any], name: str, what: str) -> Problem:
    return Problem(
        message=f"{name} must be {what}, got {described(raw[name])}", place=place_of(raw, name)
    )
