"""Hold what differs between two plans, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from optplan.delegation import delegated
from optplan.plan.plan import Plan, PlannedParameter, RuleUse


class Absent(Enum):
    """The mark of an entry that one side does not have; None is a value that an entry may have."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent.ABSENT


class ChangeKind(StrEnum):
    """What a field is: names of options and extra entries are free, and may be those of values."""

    VALUE = "value"
    OPTION = "option"
    EXTRA = "extra"
    PARAMETER = "parameter"
    OPTIMIZER = "optimizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field with its value before and after; either may be ``ABSENT``."""

    kind: ChangeKind
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The parameters that change alike.

    Args:
        change: What changes. Where ``before`` equals ``after``, another rule gives the same value.
        rule_before, rule_after: What decided the value; None where no rule did, or none is known.
        names: The parameters.
        patterns: Patterns that match exactly these among the parameters of both plans.
        elements: How many elements they have, on the side with more of them.
    """

    change: Change
    rule_before: RuleUse | None
    rule_after: RuleUse | None
    names: tuple[str, ...]
    patterns: tuple[str, ...]
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerChange:
    """A change of an optimizer as a whole.

    Args:
        optimizer: The optimizer's name, None for the only one.
        change: What changes; an optimizer of one side alone is a change of its ``type``.
        parameters: How many parameters it reaches: those that change with it, for the base lr and
            the base weight decay; None where this is not counted.
    """

    optimizer: str | None
    change: Change
    parameters: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSided:
    """Parameters that one plan alone has."""

    names: tuple[str, ...]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseChange:
    """Parameters that start alike, and that schedulers part later.

    Args:
        field: The hyper-parameter.
        unit: What steps are counted in.
        step: The first step at which it differs.
        before, after: The values there, of the first setting; None where one depends on a metric.
        settings: How many settings there are.
        names: The parameters.
        patterns: Patterns that match exactly these.
    """

    field: str
    unit: str
    step: int
    before: float | None
    after: float | None
    settings: int
    names: tuple[str, ...]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerChange:
    """An attribute of a scheduler that a checkpoint's state overwrites with another value.

    Args:
        scheduler: The scheduler: ``param_scheduler[0] MultiStepLR``.
        field: The attribute.
        before, after: The values.
        note: What resuming does: ``the checkpoint's stay``.
    """

    scheduler: str
    field: str
    before: Any
    after: Any
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadChange:
    """Something that may move the settings, on either side, and is not read.

    Args:
        text: What it is, and where it is written.
        is_alike: Whether both sides write the same; None where nothing says so, as of a checkpoint, which is
            no difference.
        effect: What it may do.
    """

    text: str
    is_alike: bool | None
    effect: str = "move the lr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwritten:
    """Something of a config that has no effect, since resuming overwrites it with another value.

    Args:
        entry: What it is: ``lr``, ``param_scheduler[0] MultiStepLR milestones``.
        rule: What decided it in the config, where a rule did.
    """

    entry: str
    rule: RuleUse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A training that goes on from a checkpoint.

    Args:
        saved_by: Who saved it: ``Lightning``.
        progress: How far it had come: ``epoch``, ``step``.
        overwritten: What of the config has no effect.
    """

    saved_by: str
    progress: Mapping[str, int | float]
    overwritten: tuple[Overwritten, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDiff:
    """How two plans differ.

    Args:
        before, after: The plans.
        clusters: Changes of parameters that no change of a base value explains, the largest first.
        optimizers: Changes of the optimizers and of the constructor.
        only_before, only_after: Parameters that one plan alone has.
        rules: Values that are the same by another rule: no difference.
        versions: Packages of other versions, with both: no difference.
        common: How many parameters both plans have.
        changed: How many of those change, also if a base value is all that changes them.
        misfits: Why one side cannot be loaded into the other; only for a checkpoint.
        remarks: What else there is to know; no difference.
        courses: What schedulers part later, though it starts alike.
        length: How long the trainings are, in words, where that differs.
        uncompared: Why schedulers that are written differently could not be compared.
        unread: What else may move the settings, and is not read: a difference where it is not written alike.
        schedulers: What resuming from a checkpoint makes of the config's schedulers.
        resumption: What a side that is a checkpoint is; None without one.
    """

    before: Plan
    after: Plan
    clusters: tuple[Cluster, ...]
    optimizers: tuple[OptimizerChange, ...]
    only_before: OneSided
    only_after: OneSided
    rules: tuple[Cluster, ...]
    versions: Mapping[str, tuple[str | None, str | None]]
    common: int
    changed: int
    misfits: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    courses: tuple[CourseChange, ...] = ()
    length: tuple[str, str] | None = None
    uncompared: str | None = None
    unread: tuple[UnreadChange, ...] = ()
    schedulers: tuple[SchedulerChange, ...] = ()
    resumption: Resumption | None = None

    def __str__(self) -> str:
        return str(delegated("diff_text", self))

    def _repr_html_(self) -> str:
        return str(delegated("diff_html", self))

    @property
    def is_same(self) -> bool:
        """Whether every number is the same on both sides, over the whole training."""
        return not (
            self.clusters
            or self.optimizers
            or self.only_before.names
            or self.only_after.names
            or self.misfits
            or self.courses
            or self.length
            or self.uncompared
            or self.schedulers
            or any(one.is_alike is False for one in self.unread)
        )

    def rows(self) -> tuple[tuple[PlannedParameter | None, PlannedParameter | None], ...]:
        """Return both sides' rows of each parameter, None where a side has none, in the order of the names."""
        befores = {row.name: row for row in self.before.parameters}
        afters = {row.name: row for row in self.after.parameters}
        names = all_names(self.before, self.after)
        return tuple((befores.get(name), afters.get(name)) for name in names)


def all_names(first: Plan, second: Plan) -> list[str]:
    """Return the names of both plans by their places; the same whichever plan comes first."""
    places: dict[str, int] = {}
    for plan in (first, second):
        for place, row in enumerate(plan.parameters):
            places[row.name] = min(place, places.get(row.name, place))
    return sorted(places, key=lambda name: (places[name], name))
