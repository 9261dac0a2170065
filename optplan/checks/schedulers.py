"""The schedulers of a config, for the checks that judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from optplan.checks.torch_signatures import torch_optimizer
from optplan.checks.wording import plain_number
from optplan.config import Config, find_namespace
from optplan.errors import OptplanError, Problem, ScheduleError, did_you_mean, listed, quoted
from optplan.registries import Kind, is_replaced
from optplan.schedule.catalog import NO_END
from optplan.schedule.clockwork import Clockwork
from optplan.schedule.lanes import Lanes
from optplan.schedule.motion import Motion
from optplan.schedule.parsing import is_torch, parsed
from optplan.schedule.policy_parsing import UnknownPolicyError
from optplan.schedule.reading import Written, find_schedulers
from optplan.schedule.specs import AnySpec, ForeignSpec, Spec
from optplan.schedule.training import EpochLengthError, Training, Unit, find_training

if TYPE_CHECKING:
    from optplan.checks.base import Context

# Two lengths of an epoch: what holds with both is told.
_LEAST_PER_EPOCH = 20
_LONGER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedulers:
    """What a config says of its schedulers.

    How many iterations an epoch has stands in no config. Where a simulation needs a number, it is made
    with two different ones, and only what holds with both is reported.

    Args:
        specs: The schedulers that are not wrong, with how the config is to be quoted for each.
        training: How long the training is, with the smaller number.
        problems: What is wrong with the others, each with how its scheduler is quoted.
        is_whole: None is left out because some package may have it.
    """

    specs: tuple[tuple[AnySpec, str], ...]
    training: Training
    problems: tuple[tuple[Problem, str], ...] = ()
    is_whole: bool = True

    @property
    def lengths(self) -> tuple[int, ...]:
        """The two numbers of iterations that an epoch is assumed to have; one where none is needed."""
        least = self.training.per_epoch or _LEAST_PER_EPOCH
        if all(spec.by_epoch == self.training.by_epoch for spec, _ in self.specs):
            return (least,)
        return least, least * _LONGER

    def limit(self, spec: Spec) -> float | None:
        """The end of the training in what the config counts for a scheduler; None where that is not known."""
        if spec.converted:
            return self.training.length if self.training.by_epoch else None
        if spec.by_epoch:
            return self.training.epochs
        return None if self.training.by_epoch else self.training.length

    def span(self, spec: Spec) -> tuple[float, float]:
        """Between which epochs or iterations a scheduler acts, as the config counts them."""
        if not spec.converted:
            return spec.begin, spec.end
        end = self.training.length if self.training.by_epoch else 1
        return spec.raw.get("begin", 0), spec.raw.get("end", end)

    def length(self, spec: Spec, limit: float) -> str:
        """How long the training is, in what the config counts: ``80 epochs``."""
        count = plain_number(limit)
        unit = "epoch" if spec.by_epoch or spec.converted else "iteration"
        return f"{count} {unit}{'' if count == '1' else 's'}"

    def is_endless(self, spec: Spec) -> bool:
        """Whether a scheduler states the number that stands for no end."""
        return bool(spec.raw.get("end") == NO_END)


def schedulers_of(config: Config, per_epoch: int | None = None) -> Schedulers | None:
    """The schedulers of a config; None where it has none, or no length is known.

    Args:
        config: The config.
        per_epoch: How many iterations an epoch is assumed to have; None for the least.
    """
    try:
        section = find_schedulers(config.data)
        training = find_training(config.data)
        namespace = find_namespace(config)
    except OptplanError:
        return None  # scheduler-refused tells what is wrong with them
    written = dict(_quoted(section.shared, section.own))

    def is_users(name: str) -> bool:
        return is_replaced(Kind.SCHEDULERS, name, namespace)

    per_epoch = per_epoch or _per_epoch(list(written.values()), training)
    assumed = replace(training, per_epoch=per_epoch)
    found, problems, is_whole = [], [], True
    for path, one in written.items():
        try:
            parsed(one, training, is_users)
        except EpochLengthError:
            pass  # it is told what it is once the number is given
        except UnknownPolicyError:
            is_whole = False  # a package may well have it
            continue
        except ScheduleError as error:
            problems += [(problem, path) for problem in error.problems]
            continue
        try:
            found.append((parsed(one, assumed, is_users), path))
        except ScheduleError:
            continue  # nobody can say whether it is wrong without the number
    if not written:
        return None
    return Schedulers(
        specs=tuple(found), training=assumed, problems=tuple(problems), is_whole=is_whole
    )


def _quoted(
    shared: tuple[Written, ...], own: Mapping[str, tuple[Written, ...]]
) -> Iterator[tuple[str, Written]]:
    for place, one in enumerate(shared):
        path = f"param_scheduler[{place}]" if one.hook is None else f"{one.hook}_config"
        yield path, one
    for name, those in own.items():
        for place, one in enumerate(those):
            yield f"param_scheduler.{name}[{place}]", one


def _per_epoch(written: list[Written], training: Training) -> int:
    """A number of iterations that leaves room for all that is counted in iterations."""
    counted = [
        value
        for one in written
        for name in (("begin", "end") if one.hook is None else ("warmup_iters",))
        if one.hook is not None or not one.raw.get("by_epoch", True)
        if isinstance(value := one.raw.get(name), int)
    ]
    return max(_LEAST_PER_EPOCH, 2 * max(counted, default=0) // training.epochs)


def groups_of(context: Context) -> list[Mapping[str, Any]]:
    """What the groups hold at step 0: those of the plan, else one of the base values."""
    if context.schedule is not None:
        return [track.entries for track in context.schedule.tracks]
    if context.section is None or context.has_model:
        return []
    return [
        {name: v for name, v in context.section.optimizer.items() if isinstance(v, int | float)}
    ]


def last_values(context: Context, param: str) -> Iterator[list[float | None]]:
    """The values of the groups in the last step of the training, for each assumed length of an epoch.

    Without a model, where no other package's class is run, it is the base values that are moved. Nothing is
    given where schedulers cannot be run.
    """
    found = context.schedulers
    if found is None:
        return
    for per_epoch in found.lengths:
        try:
            yield _last(context, found, param, per_epoch)
        except OptplanError:
            continue


def _last(context: Context, found: Schedulers, param: str, per_epoch: int) -> list[float | None]:
    schedule = context.schedule_with(per_epoch)
    if schedule is not None:
        motion = Motion(schedule)
        motion.go(schedule.length - 1)
        return motion.values(param)
    training = replace(found.training, per_epoch=per_epoch)
    groups = groups_of(context)
    lanes = Lanes(
        groups,
        frozenset(name for group in groups for name in group),
        numbers=range(len(groups)),
        total=len(groups),
    )
    longer = schedulers_of(context.config, per_epoch) or found
    specs = [spec for spec, _ in longer.specs]
    by_epoch = training.by_epoch and all(spec.by_epoch for spec in specs)
    unit = Unit.EPOCH if by_epoch else Unit.ITERATION
    clock = Clockwork(specs, lanes, training, unit)
    clock.go(training.steps(unit) - 1)
    return lanes.value(param) or []


def problems_of_run(context: Context) -> tuple[Problem, ...]:
    """What the plan's groups are refused for, or what breaks down on the way, for both lengths of an epoch.

    Nothing is said of other packages' classes, which may not be installed here, but for torch's.
    """
    found = context.schedulers
    if found is None or not found.is_whole or not all(_is_here(spec) for spec, _ in found.specs):
        return ()
    told: list[tuple[Problem, ...]] = []
    for per_epoch in found.lengths:
        try:
            _run_through(context, found, per_epoch)
        except ScheduleError as error:
            told.append(error.problems)
        except OptplanError:
            return ()
    if len(told) < len(found.lengths):
        return ()
    return told[0]


def _is_here(spec: AnySpec) -> bool:
    return not isinstance(spec, ForeignSpec) or is_torch(spec.kind)


def _run_through(context: Context, found: Schedulers, per_epoch: int) -> None:
    """Go through the training with the plan's groups; without a model, look at the names alone.

    Raises:
        ScheduleError: It cannot be gone through.
    """
    if context.planned is not None and context.make_schedule is not None:
        schedule = context.make_schedule(context.config, context.planned.plan, per_epoch)
        Motion(schedule)
        return
    known = _group_names(context)
    for spec, _ in found.specs:
        is_param = isinstance(spec, Spec) and "param_name" in spec.raw
        if isinstance(spec, Spec) and is_param and known and spec.param not in known:
            raise ScheduleError(
                f"{spec.name} moves {quoted(spec.param)}, which the optimizer does not have",
                place=spec.at("param_name"),
                hint=did_you_mean(spec.param, known) or f"it has {listed(sorted(known), most=12)}",
            )


def _group_names(context: Context) -> frozenset[str]:
    """The entries of the groups of one of torch's optimizers; empty where they are not known."""
    raw = context.raw
    found = torch_optimizer(raw.optimizer_type) if raw is not None else None
    if raw is None or found is None:
        return frozenset()
    return (found.group_names | raw.optimizer.keys()) - {"type"}
