"""A library's own function that makes one scheduler of a config's flat entries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from optplan.schedule.training import Training


class LibraryScheduler(ABC):
    """What a dialect tells of the scheduler that its library makes.

    Attributes:
        counts_epochs: Its arguments count epochs, also where it is stepped after each iteration.
    """

    counts_epochs: ClassVar[bool] = False

    @abstractmethod
    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        """Return what the library reads of a config, its defaults among it."""

    @abstractmethod
    def name(self, arguments: Mapping[str, Any]) -> str:
        """Return what reports call it."""

    @abstractmethod
    def by_epoch(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether it is stepped after each epoch, not after each iteration."""

    @abstractmethod
    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        """Return the scheduler, None for none. This imports the library."""

    def zero_start(self, arguments: Mapping[str, Any]) -> str | None:
        """Return the argument by which the first lr is 0; None where it is not."""
        return None
