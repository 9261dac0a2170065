"""Add the schedulers of functions to the difference of two plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.app.config_schedule import Length, class_defaults_of, schedule_for, training_of
from optplan.app.function_schedules import attached_schedule, stepped_alike
from optplan.app.schedule_divergence import compared, course_changes, unread_changes
from optplan.config import Config
from optplan.constructors.training_extras import STEPS
from optplan.dialects import find_schedulers, find_unread
from optplan.errors import OptplanError, listed
from optplan.plan.changes import PlanDiff, UnreadChange
from optplan.schedule.divergence import are_same, partings, starts_alike
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread

if TYPE_CHECKING:
    from optplan.dialects.attachments import Attachments

Run = Callable[[], "Attachments"]

# For how many of their steps schedulers are compared, since a function does not say how long it trains.
_LEAST, _MOST = 2_000, 50_000
_UNIT = "scheduler step"


def with_attached(diff: PlanDiff, runs: Sequence[Run]) -> PlanDiff:
    """Return the difference of two functions with that of their schedulers, and of what else they make.

    Args:
        diff: What the plans differ in.
        runs: Run each function.
    """
    found = [run() for run in runs]
    diff = _with_unread(diff, [_beside(one) for one in found])
    if found[0].code != found[1].code:
        diff = replace(diff, unread=(*diff.unread, _ELSE))
    names = [_names(one) for one in found]
    if not any(names) and not any(one.unread for one in found):
        return diff
    if (why := _not_comparable(found, names)) is not None:
        return replace(diff, uncompared=why)
    said = [[(one.said.interval, one.said.frequency) for one in side.schedulers] for side in found]
    if len(said[0]) == len(said[1]) and said[0] != said[1]:
        return replace(diff, uncompared="the schedulers are stepped at other intervals")
    return _or_why(diff, lambda: _compared(diff, runs, _length(found), names))


def with_config(
    diff: PlanDiff, run: Run, config: Config, per_epoch: int | None, *, is_first: bool
) -> PlanDiff:
    """Return the difference of a function and a config with that of their schedulers.

    Args:
        diff: What the plans differ in.
        run: Runs the function.
        config: The config, which says how long the training is.
        per_epoch: How many iterations one epoch has.
        is_first: The config is the first side.
    """
    found, section = run(), find_schedulers(config)
    sides = [list(find_unread(config)), _beside(found)]
    diff = _with_unread(diff, sides if is_first else sides[::-1])
    diff = replace(diff, unread=(*diff.unread, _ELSE))
    names = [[str(one.kind) for one in section.shared], _names(found)]
    if section.is_empty and not names[1] and not found.unread:
        return diff
    if (why := _not_comparable([found], names)) is not None:
        return replace(diff, uncompared=why)
    plans = (diff.before, diff.after) if is_first else (diff.after, diff.before)

    def compare() -> PlanDiff:
        training = training_of(config, Length(per_epoch=per_epoch))
        own = schedule_for(plans[0], config, section, training)
        other = attached_schedule(run, plans[1], training, class_defaults_of(plans[1]))
        remarks = list(diff.remarks)
        if any(one.said.interval is None for one in found.schedulers):
            remarks.append(f"taken to be stepped once an {other.unit.value}: {listed(names[1])}")
        pair = (own, other) if is_first else (other, own)
        return compared(replace(diff, remarks=tuple(remarks)), *pair)

    return _or_why(diff, compare)


_ELSE = UnreadChange(text="what else the code of a function does", is_alike=None)


def _or_why(diff: PlanDiff, compare: Callable[[], PlanDiff]) -> PlanDiff:
    """Return the difference with that of the schedulers, or with why they cannot be compared."""
    try:
        return compare()
    except OptplanError as error:
        why = "; ".join(str(problem) for problem in error.problems)
        return replace(diff, uncompared=f"the schedulers cannot be compared: {why}")


def _not_comparable(found: Sequence[Attachments], names: Sequence[list[str]]) -> str | None:
    unread = [text for one in found for text in one.unread]
    if unread:
        return f"what may move the lr is not read: {listed(list(dict.fromkeys(unread)))}"
    if not all(names):
        return f"one side alone has a scheduler: {listed(names[0] or names[1])}"
    return None


def _beside(found: Attachments) -> list[Unread]:
    return [Unread(name=name, written=written) for name, written in found.beside.items()]


def _with_unread(diff: PlanDiff, sides: Sequence[Sequence[Unread]]) -> PlanDiff:
    changes = [
        replace(one, effect="change the training")
        for one in unread_changes(*sides)
        if not (one.is_alike and one.text.startswith(STEPS))  # all of their code was compared
    ]
    return replace(diff, unread=(*diff.unread, *changes))


def _names(found: Attachments) -> list[str]:
    return [type(one.said.scheduler).__name__ for one in found.schedulers]


def _length(found: Sequence[Attachments]) -> int:
    """Return for how many steps to compare: beyond the largest number in the schedulers, or to their end."""
    kept = [vars(one.said.scheduler) for side in found for one in side.schedulers]
    numbers = [value for state in kept for value in _numbers(list(state.values()))]
    length = min(max([_LEAST, *(2 * number for number in numbers)]), _MOST)
    ends = [end for state in kept if isinstance(end := state.get("total_steps"), int)]
    return min([length, *ends])


def _numbers(value: Any) -> list[int]:
    if isinstance(value, dict | list | tuple):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, int) else []


def _compared(
    diff: PlanDiff, runs: Sequence[Run], length: int, names: Sequence[list[str]]
) -> PlanDiff:
    training = Training(by_epoch=False, length=length)
    first, second = (
        attached_schedule(_alike(run), plan, training, class_defaults_of(plan))
        for run, plan in zip(runs, (diff.before, diff.after), strict=True)
    )
    found = list(partings(first, second))
    if not found and not are_same(first, second):
        text = f"the schedulers are others ({listed(names[0])} and {listed(names[1])}), and "
        if starts_alike(first, second):
            text += f"give the same in the first {length} steps: what comes later is not compared"
        else:
            text += "nothing that they move starts alike: their courses are not compared"
        return replace(diff, uncompared=text)
    return replace(diff, courses=tuple(course_changes(found, _UNIT, diff)))


def _alike(run: Run) -> Run:
    return lambda: stepped_alike(run())
