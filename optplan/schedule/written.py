"""Schedulers as a config writes them, before any of them is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from optplan.config import Symbol
from optplan.places import Place
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread

# The argument that holds schedulers themselves.
NESTED = "schedulers"


class LibraryScheduler(ABC):
    """A library's own function that makes one scheduler of a config's flat entries.

    Attributes:
        counts_epochs: Its arguments count epochs, also where it is stepped after each iteration.
        looks_at: The entry of a group, beside hyper-parameters, by which it moves groups in different ways.
    """

    counts_epochs: ClassVar[bool] = False
    looks_at: ClassVar[str | None] = None

    @abstractmethod
    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        """Return what the library reads of a config, its defaults among it."""

    @abstractmethod
    def name(self, arguments: Mapping[str, Any]) -> str:
        """Return what reports call it."""

    def by_epoch(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether it is stepped after each epoch, not after each iteration."""
        return False

    @abstractmethod
    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        """Return the scheduler, None for none. This imports the library."""

    def unread(self, raw: Mapping[str, Any], training: Training) -> tuple[Unread, ...]:
        """Return what the library moves beside it and is not read for such a training."""
        return ()

    def may_accumulate(self, raw: Mapping[str, Any]) -> bool:
        """Return whether several iterations may make one step of the optimizer."""
        return False

    def zero_start(self, arguments: Mapping[str, Any]) -> str | None:
        """Return the argument by which the first lr is 0; None where it is not."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One scheduler as it stands in the config: its type and its dict.

    Args:
        kind: Its type.
        raw: Its dict.
        place: Where it is written.
        hook: What it moves, where it is a policy of mmcv 1.x.
        library: What makes it of flat entries, where that is a library's own function.
    """

    kind: str | Symbol | type
    raw: Mapping[str, Any]
    place: Place | None
    hook: str | None = None
    library: LibraryScheduler | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The schedulers of a config.

    Args:
        shared: Those of every optimizer.
        own: Those of single optimizers, by their names; where there are any, nothing is shared.
        place: Where they are written.
        unread: What else may move the lr, and is not read.
    """

    shared: tuple[Written, ...] = ()
    own: Mapping[str, tuple[Written, ...]] = field(default_factory=dict)
    place: Place | None = None
    unread: tuple[Unread, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no scheduler at all."""
        return not self.shared and not any(self.own.values())


def library_section(
    kind: str,
    library: LibraryScheduler,
    raw: Mapping[str, Any],
    place: Place | None,
    unread: tuple[Unread, ...] = (),
) -> Section:
    """Return the one scheduler that a library makes of a config.

    Args:
        kind: The function that makes it.
        library: Runs it.
        raw, place: As for :class:`Written`.
        unread: What else may move the lr.
    """
    made = Written(kind=kind, raw=raw, place=place, library=library)
    return Section(shared=(made,), unread=unread)


def types_in(section: Section) -> list[object]:
    """Return the types of the schedulers of a section, of those inside others as well."""
    written = [one for part in (section.shared, *section.own.values()) for one in part]
    inner = [part for one in written for part in _sequence(one.raw.get(NESTED))]
    types = [one.get("type") for one in inner if isinstance(one, Mapping)]
    return [*(one.kind for one in written), *types]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
