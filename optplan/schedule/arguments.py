"""Whether the value of a scheduler's argument has its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from optplan.config import place_of
from optplan.config.paramwise import described, number_problem
from optplan.errors import Problem, quoted
from optplan.schedule.catalog import Argument, SchedulerForm

_CHOICES = {
    SchedulerForm.ANNEALING: ("cos", "linear"),
    SchedulerForm.COMPARISON: ("less", "greater"),
    SchedulerForm.THRESHOLD: ("rel", "abs"),
}


def argument_problem(raw: Mapping[str, Any], name: str, argument: Argument) -> Problem | None:
    """What is wrong with an argument that is given, or None."""
    value = raw[name]
    if value is None and argument.default is None:
        return None
    match argument.form:
        case SchedulerForm.ANY:
            return None
        case (
            SchedulerForm.TEXT
            | SchedulerForm.ANNEALING
            | SchedulerForm.COMPARISON
            | SchedulerForm.THRESHOLD
        ):
            return _word_problem(raw, name, argument.form)
        case SchedulerForm.NUMBERS:
            return _numbers_problem(raw, name, argument.form)
        case SchedulerForm.NUMBER_OR_NUMBERS:
            if isinstance(value, list | tuple):
                return _numbers_problem(raw, name, argument.form)
            return number_problem(raw, name)
        case (
            SchedulerForm.NUMBER
            | SchedulerForm.FRACTION
            | SchedulerForm.FLOAT_FRACTION
            | SchedulerForm.BELOW_ONE
            | SchedulerForm.PERIOD
            | SchedulerForm.COUNT
        ):
            return number_problem(raw, name) or _range_problem(raw, name, argument.form)
        case _:
            assert_never(argument.form)


def whole_problem(raw: Mapping[str, Any], name: str, least: int) -> Problem | None:
    """What is wrong with a value that has to be a whole number of at least so much."""
    value = raw[name]
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return None
    return _must_be(raw, name, f"a whole number of at least {least}")


def _range_problem(raw: Mapping[str, Any], name: str, form: SchedulerForm) -> Problem | None:
    value = raw[name]
    fits = {
        SchedulerForm.NUMBER: True,
        SchedulerForm.FRACTION: 0 <= value <= 1,
        SchedulerForm.FLOAT_FRACTION: isinstance(value, float) and 0 <= value <= 1,
        SchedulerForm.BELOW_ONE: value < 1,
        SchedulerForm.PERIOD: value > 0,
        SchedulerForm.COUNT: isinstance(value, int) and value > 0,
    }
    return None if fits[form] else _must_be(raw, name, form.value)


def _word_problem(raw: Mapping[str, Any], name: str, form: SchedulerForm) -> Problem | None:
    value = raw[name]
    words = _CHOICES.get(form)
    if isinstance(value, str) and (words is None or value in words):
        return None
    return _must_be(raw, name, form.value)


def _numbers_problem(raw: Mapping[str, Any], name: str, form: SchedulerForm) -> Problem | None:
    value = raw[name]
    if not isinstance(value, list | tuple):
        return _must_be(raw, name, form.value)
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
