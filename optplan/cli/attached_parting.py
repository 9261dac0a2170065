"""What the schedulers of functions add to the difference of two plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.cli.attached import attached_schedule, stepped_alike
from optplan.cli.parting import course_changes
from optplan.cli.scheduling import class_defaults_of
from optplan.errors import OptplanError, listed
from optplan.plan.changes import PlanDiff
from optplan.schedule.parting import are_same, partings
from optplan.schedule.training import Training

if TYPE_CHECKING:
    from optplan.constructors.attached import Attachments

Run = Callable[[], "Attachments"]

# For how many of their steps schedulers are compared, since a function does not say how long it trains.
_LEAST, _MOST = 2_000, 50_000
_UNIT = "scheduler step"


def with_attached(diff: PlanDiff, runs: Sequence[Run]) -> PlanDiff:
    """Return the difference of two functions with that of their schedulers.

    Args:
        diff: What the plans differ in.
        runs: Run each function.
    """
    found = [run() for run in runs]
    names = [_names(one) for one in found]
    unread = [text for one in found for text in one.unread]
    if unread:
        text = f"what may move the lr is not read: {listed(list(dict.fromkeys(unread)))}"
        return replace(diff, uncompared=text)
    if not any(names):
        return diff
    if not all(names):
        return replace(
            diff, uncompared=f"one side alone has a scheduler: {listed(names[0] or names[1])}"
        )
    said = [[(one.said.interval, one.said.frequency) for one in side.schedulers] for side in found]
    if len(said[0]) == len(said[1]) and said[0] != said[1]:
        return replace(diff, uncompared="the schedulers are stepped at other intervals")
    try:
        return _compared(diff, runs, _length(found), names)
    except OptplanError as error:
        why = "; ".join(str(problem) for problem in error.problems)
        return replace(diff, uncompared=f"the schedulers cannot be compared: {why}")


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
        text = f"the schedulers are others ({listed(names[0])} and {listed(names[1])})"
        text += f", and give the same in the first {length} steps: what comes later is not compared"
        return replace(diff, uncompared=text)
    return replace(diff, courses=tuple(course_changes(found, _UNIT, diff)))


def _alike(run: Run) -> Run:
    return lambda: stepped_alike(run())
