"""The least and the last lr of each parameter over the training."""

from __future__ import annotations

from optplan.checks.expectations import LrCourse
from optplan.checks.facts.context import Context
from optplan.errors import OptplanError
from optplan.schedule import Schedule, courses_of
from optplan.schedule.key_steps import telling_steps

_LOOKS = 256
_ROUNDING = 1e-12


def lr_over_training(context: Context) -> LrCourse | None:
    """Return the least and the last lr of each parameter, as far as its schedulers tell.

    Where an epoch has a number of iterations that is not known, there is a pair for each of two numbers.

    Returns:
        None where nothing is known: without a plan, where schedulers are wrong, and for a function, whose
        schedulers are not read here.
    """
    if context.planned is None or context.config.word:
        return None
    if context.schedulers is None:
        rows = context.rows.items()
        return {name: ((row.lr, row.lr),) for name, row in rows if row.lr is not None}
    found: dict[str, tuple[tuple[float, float], ...]] = {}
    for per_epoch in context.schedulers.lengths:
        schedule = context.schedule_with(per_epoch)
        values = _of_schedule(schedule) if schedule is not None else None
        if values is None:
            return None
        for name, pair in values.items():
            found[name] = (*found.get(name, ()), pair)
    return found


def _of_schedule(schedule: Schedule) -> dict[str, tuple[float, float]] | None:
    last = schedule.length - 1
    turns = telling_steps(schedule.all_specs, schedule.training, schedule.unit)
    steps = {*turns, *(last * look // (_LOOKS - 1) for look in range(_LOOKS))}
    try:
        courses = courses_of(schedule, [step for step in steps if step <= last]).values["lr"]
    except OptplanError:
        return None
    found = {}
    for track, course in zip(schedule.tracks, courses, strict=True):
        known = [value for value in course if value is not None]
        if len(known) == len(course):
            least = min(known)
            # a product of many factors comes to 0 by rounding alone
            least = 0.0 if abs(least) <= _ROUNDING * max(known) else least
            found.update(dict.fromkeys(track.names, (least, known[-1])))
    return found
