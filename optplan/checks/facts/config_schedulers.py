"""The schedulers of a config, for the checks that judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from optplan.checks.facts.wording import plain_number
from optplan.config import Config, find_namespace
from optplan.dialects import find_schedulers, find_training
from optplan.errors import OptplanError, Problem, ScheduleError, UsageError
from optplan.registries import RegistryKind, is_replaced
from optplan.schedule.catalog import NO_END
from optplan.schedule.parsing import parsed
from optplan.schedule.policy_parsing import UnknownPolicyError
from optplan.schedule.specs import AnySpec, HookSpec, Spec
from optplan.schedule.training import MOST_STEPS, EpochLengthError, Training
from optplan.schedule.written import Written

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
        is_whole: No scheduler is left out, wrong or not to be judged without the number.
        problems: What is wrong with the others, each with how its scheduler is quoted.
    """

    specs: tuple[tuple[AnySpec, str], ...]
    training: Training
    is_whole: bool = True
    problems: tuple[tuple[Problem, str], ...] = ()

    @property
    def lengths(self) -> tuple[int, ...]:
        """The two numbers of iterations that an epoch is assumed to have; one where none is needed."""
        least = self.training.per_epoch or _LEAST_PER_EPOCH
        is_long = least * _LONGER * self.training.length > MOST_STEPS
        counted = [(spec.by_epoch, _is_converted(spec)) for spec, _ in self.specs]
        units = {by_epoch and not converted for by_epoch, converted in counted}
        converted = any(converted for _, converted in counted)
        if is_long or not (converted or units - {self.training.by_epoch}):
            return (least,)
        return least, least * _LONGER

    def limit(self, spec: Spec) -> float | None:
        """Return the end of the training in what the config counts for a scheduler; None where that is not known."""
        if spec.converted:
            return self.training.length if self.training.by_epoch else None
        if spec.by_epoch:
            return self.training.epochs
        return None if self.training.by_epoch else self.training.length

    def span(self, spec: Spec) -> tuple[float, float]:
        """Return between which epochs or iterations a scheduler acts, as the config counts them."""
        if not spec.converted:
            return spec.begin, spec.end
        end = self.training.length if self.training.by_epoch else 1
        return spec.raw.get("begin", 0), spec.raw.get("end", end)

    def length(self, spec: Spec, limit: float) -> str:
        """Return how long the training is, in what the config counts: ``80 epochs``."""
        count = plain_number(limit)
        unit = "epoch" if spec.by_epoch or spec.converted else "iteration"
        return f"{count} {unit}{'' if count == '1' else 's'}"

    def is_endless(self, spec: Spec) -> bool:
        """Return whether a scheduler states the number that stands for no end."""
        return bool(spec.raw.get("end") == NO_END)


def _is_converted(spec: AnySpec) -> bool:
    return not isinstance(spec, HookSpec) and spec.converted


def schedulers_of(config: Config, per_epoch: int | None = None) -> Schedulers | None:
    """Return the schedulers of a config; None where it has none, or they cannot be read.

    Args:
        config: The config.
        per_epoch: How many iterations an epoch is assumed to have; None for the least.
    """
    try:
        section = find_schedulers(config)
        stated = _stated_training(config)
        namespace = find_namespace(config)
    except OptplanError:
        return None  # scheduler-refused tells what is wrong with them
    written = dict(_quoted(section.shared, section.own))
    if not written:
        return None

    def is_users(name: str) -> bool:
        return is_replaced(RegistryKind.SCHEDULERS, name, namespace)

    training = stated or _ENDLESS
    per_epoch = per_epoch or _per_epoch(list(written.values()), training)
    assumed = replace(training, per_epoch=per_epoch)
    found, problems = [], []
    for path, one in written.items():
        try:
            parsed(one, training, is_users)
        except EpochLengthError:
            pass  # it is told what it is once the number is given
        except UnknownPolicyError:
            continue  # a package may well have it
        except ScheduleError as error:
            problems += [(problem, path) for problem in error.problems]
            continue
        with suppress(ScheduleError):  # nobody can say whether it is wrong without the number
            found.append((parsed(one, assumed, is_users), path))
    return Schedulers(
        specs=tuple(found) if stated else (),
        training=assumed,
        is_whole=bool(stated) and len(found) == len(written),
        problems=tuple(problems),
    )


# Stands for a length that nobody states: what is wrong with this one is wrong with any.
_ENDLESS = Training(by_epoch=True, length=2**40)


def _stated_training(config: Config) -> Training | None:
    """Return how long the training is; None where the config leaves that to others.

    Raises:
        ScheduleError: What it says is wrong.
    """
    try:
        return find_training(config)
    except UsageError:
        return None


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
    """Return a number of iterations that leaves room for all that is counted in iterations."""
    counted = [
        value
        for one in written
        for name in (("begin", "end") if one.hook is None else ("warmup_iters",))
        if one.hook is not None or not one.raw.get("by_epoch", True)
        if isinstance(value := one.raw.get(name), int)
    ]
    wanted = max(_LEAST_PER_EPOCH, 2 * max(counted, default=0) // training.epochs)
    return max(1, min(wanted, MOST_STEPS // training.length))
