"""Find what is wrong with the arguments of a scheduler that optplan steps itself."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.config import place_of
from optplan.config.paramwise import number_problem
from optplan.errors import Problem
from optplan.schedule.arguments import (
    argument_problems,
    missing_argument,
    weights_problem,
    whole_problem,
)
from optplan.schedule.catalog import ARGUMENTS, COMMON, Family, Known, ScheduledEntry
from optplan.schedule.type_names import FOR_THE_BUILDER, is_converted, shown
from optplan.schedule.written import Written


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
