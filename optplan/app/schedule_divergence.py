"""Add the schedulers to the difference of two configs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optplan.app.config_schedule import Length, schedule_for, training_of
from optplan.config import Config
from optplan.dialects import dialect_of, find_schedulers, find_unread
from optplan.errors import OptplanError
from optplan.plan import Plan
from optplan.plan.changes import CourseChange, PlanDiff, UnreadChange, all_names
from optplan.plan.names.clusters import Patterns
from optplan.schedule import Schedule
from optplan.schedule.divergence import Divergence, are_same, partings, same_unit
from optplan.schedule.unread import Unread


def with_schedules(
    diff: PlanDiff,
    configs: tuple[Config, Config],
    per_epoch: int | None,
    *,
    is_cached: bool = False,
) -> PlanDiff:
    """Return the difference with that of the configs' schedulers.

    Args:
        diff: What the plans differ in.
        configs: The two configs.
        per_epoch: How many iterations one epoch has.
        is_cached: Whether what torch's optimizers have may be cached.
    """
    first, second = (find_unread(config) for config in configs)
    diff = replace(diff, unread=(*diff.unread, *unread_changes(first, second)))
    said = [dialect_of(config).scheduler_entries(config) for config in configs]
    if said[0] == said[1]:
        return diff
    if not all(said):
        remark = "one side alone has schedulers or says how long it trains: they are not compared"
        return replace(diff, remarks=(*diff.remarks, remark))
    length = Length(per_epoch=per_epoch)
    try:
        schedules = [
            _schedule(config, plan, length, is_cached=is_cached)
            for config, plan in zip(configs, (diff.before, diff.after), strict=True)
        ]
        return compared(diff, schedules[0], schedules[1])
    except OptplanError as error:
        why = "; ".join(str(problem) for problem in error.problems)
        return replace(diff, uncompared=f"the schedulers are others, and cannot be compared: {why}")


def unread_changes(first: Sequence[Unread], second: Sequence[Unread]) -> Iterator[UnreadChange]:
    """Yield what is not read on either side, that of one name together."""
    sides = [{one.name: one for one in side} for side in (first, second)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = (side.get(name) for side in sides)
        places = [str(one.place) for one in (before, after) if one and one.place]
        where = f" ({', '.join(dict.fromkeys(places))})" if places else ""
        alike = before is not None and after is not None and before.written == after.written
        yield UnreadChange(text=f"{name}{where}", is_alike=alike)


def _schedule(config: Config, plan: Plan, length: Length, *, is_cached: bool) -> Schedule:
    section = find_schedulers(config)
    training = training_of(config, length)
    return schedule_for(plan, config, section, training, is_cached=is_cached)


def compared(diff: PlanDiff, first: Schedule, second: Schedule) -> PlanDiff:
    """Return the difference with that of two schedules."""
    pair = same_unit(first, second)
    if pair is None:
        text = "the schedulers count epochs on one side, iterations on the other: give --iters-per-epoch N"
        return replace(diff, uncompared=text)
    before, after = (_length(schedule) for schedule in pair)
    found = list(partings(*pair))
    remarks = diff.remarks
    if not found and not are_same(*pair):
        remarks = (*remarks, "other schedulers, by which nothing parts that starts alike")
    return replace(
        diff,
        courses=tuple(course_changes(found, pair[0].unit.value, diff)),
        length=(before, after) if before != after else None,
        remarks=remarks,
    )


def _length(schedule: Schedule) -> str:
    training = schedule.training
    return f"{training.length} {'epoch' if training.by_epoch else 'iteration'}s"


def course_changes(
    found: Sequence[Divergence], unit: str, diff: PlanDiff
) -> Iterator[CourseChange]:
    """Yield the partings, those of one hyper-parameter at one step together."""
    together: dict[tuple[str, int], list[Divergence]] = {}
    for parting in found:
        together.setdefault((parting.field, parting.step), []).append(parting)
    names = all_names(diff.before, diff.after)
    patterns = Patterns(names)
    for (field, step), alike in together.items():
        members = {name for parting in alike for name in parting.names}
        parted = [name for name in names if name in members]
        yield CourseChange(
            field=field,
            unit=unit,
            step=step,
            before=alike[0].before,
            after=alike[0].after,
            settings=len(alike),
            names=tuple(parted),
            patterns=patterns.of(parted),
        )
