"""The scheduler of the library's trainer, by the entries of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config import place_of
from optplan.dialects.huggingface.arguments import TrainerArgs
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread
from optplan.schedule.written import LibraryScheduler, Section, library_section

FACTORY = "transformers.Trainer.create_scheduler"
_TYPE = "lr_scheduler_type"


def section_of(data: Mapping[str, Any], unread: tuple[Unread, ...]) -> Section:
    """Return the one scheduler of a file.

    Args:
        data: The file's entries.
        unread: What else may move the lr.
    """
    place = place_of(data, _TYPE) or place_of(data, next(iter(data)))
    return library_section(FACTORY, TrainerScheduler(), data, place, unread)


class TrainerScheduler(LibraryScheduler):
    """What the library's trainer makes."""

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        return TrainerArgs(written=raw).schedule

    def name(self, arguments: Mapping[str, Any]) -> str:
        return f"transformers {arguments.get(_TYPE, 'linear')}"

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        from optplan.dialects.huggingface.run_scheduler import trainer_scheduler

        return trainer_scheduler(TrainerArgs(written=arguments), optimizer, training)
