"""What is shown of a training in phases: the courses of each phase, and of each parameter over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optplan.names import Status
from optplan.plan.names.clusters import Patterns
from optplan.reporters.schedule.view import ScheduleView
from optplan.reporters.selection import Narrowing
from optplan.schedule.training import Unit
from optplan.schedule.trajectories import Course

ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """One phase: its steps in the whole training, and its courses, whose steps are counted from its begin.

    Args:
        label: What the command line calls it.
        begin, end: The first step, and the one after the last.
        view: Its courses.
    """

    label: str
    begin: int
    end: int
    view: ScheduleView


@dataclass(frozen=True, slots=True, kw_only=True)
class InPhase:
    """Where parameters are in one phase.

    Args:
        setting: The place of their setting among those that the phase shows; None where they are in no group.
        status: How they stand to the optimizer; ``absent`` where the model of the phase does not have them.
    """

    setting: int | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasedParameters:
    """Parameters that go the same way through all phases.

    Args:
        names: Their names.
        patterns: Patterns of these among the names that are shown.
        places: Where they are in each phase.
    """

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    places: tuple[InPhase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesView:
    """A training in phases.

    Args:
        phases: The phases, in their order.
        members: The parameters that are shown.
        per_epoch: How many steps an epoch has, where steps are iterations of epochs of one length.
        narrowing: What narrowed the parameters.
    """

    phases: tuple[PhaseView, ...]
    members: tuple[PhasedParameters, ...]
    per_epoch: int | None
    narrowing: Narrowing

    @property
    def unit(self) -> Unit:
        """Return what steps are counted in."""
        return self.phases[0].view.unit

    @property
    def length(self) -> int:
        """Return how many steps there are."""
        return self.phases[-1].end

    @property
    def steps(self) -> tuple[int, ...]:
        """Return the steps of the plot."""
        return tuple(one.begin + step for one in self.phases for step in one.view.courses.steps)

    @property
    def points(self) -> tuple[int, ...]:
        """Return the steps of the table."""
        return tuple(one.begin + step for one in self.phases for step in one.view.points)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the hyper-parameters that are not the same over the whole training, the lr in any case."""
        known = dict.fromkeys(field for one in self.phases for field in one.view.courses.values)
        return tuple(field for field in known if field == "lr" or self._moves(field))

    def _moves(self, field: str) -> bool:
        courses = (self.course(own, field) for own in self.members)
        return any(len({value for value in one if value is not None}) > 1 for one in courses)

    def course(self, own: PhasedParameters, field: str) -> Course:
        """Return what parameters have at the steps of the plot; None where they are not trained."""
        found: list[float | None] = []
        for phase, place in zip(self.phases, own.places, strict=True):
            trained = trained_course(phase.view, place, field)
            found += trained or (None,) * len(phase.view.courses.steps)
        return tuple(found)


def trained_course(view: ScheduleView, place: InPhase, field: str) -> Course | None:
    """Return what parameters have in one phase; None where they are not trained in it."""
    if (
        place.setting is None
        or place.status != Status.OPTIMIZED
        or field not in view.courses.values
    ):
        return None
    return view.courses_of(field)[place.setting]


def members_of(names: Sequence[str], phases: Sequence[PhaseView]) -> tuple[PhasedParameters, ...]:
    """Return the parameters of some names by the way that they go, in the order of their first ones."""
    places = [_places(phase.view) for phase in phases]
    absent = InPhase(setting=None, status=ABSENT)
    members: dict[tuple[InPhase, ...], list[str]] = {}
    for name in names:
        way = tuple(own.get(name, absent) for own in places)
        if any(place.status not in (Status.DUPLICATE, ABSENT) for place in way):
            members.setdefault(way, []).append(name)
    patterns = Patterns(list(names))
    return tuple(
        PhasedParameters(names=tuple(own), patterns=patterns.of(own), places=way)
        for way, own in members.items()
    )


def _places(view: ScheduleView) -> dict[str, InPhase]:
    settings = {
        name: place for place, setting in enumerate(view.settings) for name in setting.names
    }
    return {
        row.name: InPhase(setting=settings.get(row.name), status=row.status.value)
        for row in view.plan.parameters
    }
