"""What the schedulers add to the difference of two configs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optplan.cli.scheduling import Length, schedule_for, training_of
from optplan.config import Config
from optplan.errors import OptplanError
from optplan.plan import Plan
from optplan.plan.changes import CourseChange, PlanDiff, all_names
from optplan.plan.clusters import Patterns
from optplan.schedule import Schedule, find_schedulers
from optplan.schedule.parting import Parting, are_same, partings, same_unit

_READ = ("param_scheduler", "train_cfg", "sched", "epochs")


def with_schedules(
    diff: PlanDiff, configs: tuple[Config, Config], per_epoch: int | None
) -> PlanDiff:
    """The difference with that of the configs' schedulers.

    Args:
        diff: What the plans differ in.
        configs: The two configs.
        per_epoch: How many iterations one epoch has.
    """
    if _are_written_alike(configs):
        return diff
    length = Length(per_epoch=per_epoch)
    try:
        schedules = [
            _schedule(config, plan, length)
            for config, plan in zip(configs, (diff.before, diff.after), strict=True)
        ]
        return _compared(diff, schedules[0], schedules[1])
    except OptplanError as error:
        why = "; ".join(str(problem) for problem in error.problems)
        return replace(diff, uncompared=f"the schedulers are others, and cannot be compared: {why}")


def _are_written_alike(configs: tuple[Config, Config]) -> bool:
    """Whether both configs say the same of schedulers and length, or neither says anything."""
    first, second = ({name: config.to_dict().get(name) for name in _READ} for config in configs)
    return first == second


def _schedule(config: Config, plan: Plan, length: Length) -> Schedule:
    section = find_schedulers(config.data)
    training = training_of(config, section, length)
    return schedule_for(plan, config, section, training)


def _compared(diff: PlanDiff, first: Schedule, second: Schedule) -> PlanDiff:
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
        courses=tuple(_changes(found, pair[0].unit.value, diff)),
        length=(before, after) if before != after else None,
        remarks=remarks,
    )


def _length(schedule: Schedule) -> str:
    training = schedule.training
    return f"{training.length} {'epoch' if training.by_epoch else 'iteration'}s"


def _changes(found: Sequence[Parting], unit: str, diff: PlanDiff) -> Iterator[CourseChange]:
    """The partings, those of one hyper-parameter at one step together."""
    together: dict[tuple[str, int], list[Parting]] = {}
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
