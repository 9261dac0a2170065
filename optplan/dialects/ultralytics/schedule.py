"""The scheduler of ultralytics' trainer, which it steps after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.placed import place_of
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread
from optplan.schedule.written import LibraryScheduler, Section, Written

_READ = ("cos_lr", "lrf")


def section_of(data: Mapping[str, Any], unread: tuple[Unread, ...]) -> Section:
    """Return the one scheduler of a file.

    Args:
        data: The file's entries.
        unread: What else moves the lr.
    """
    place = place_of(data, "lrf") or place_of(data, "cos_lr") or place_of(data, "optimizer")
    kind = "ultralytics.BaseTrainer._setup_scheduler"
    made = Written(kind=kind, raw=data, place=place, library=UltralyticsScheduler())
    return Section(shared=(made,), unread=unread)


class UltralyticsScheduler(LibraryScheduler):
    """What the trainer makes."""

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        return {name: raw[name] for name in _READ if name in raw}

    def name(self, arguments: Mapping[str, Any]) -> str:
        return f"ultralytics' {'cosine' if arguments.get('cos_lr') else 'linear'}"

    def by_epoch(self, arguments: Mapping[str, Any]) -> bool:
        return True

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        from optplan.dialects.ultralytics.build import scheduler_of

        return scheduler_of(arguments, optimizer, training.epochs)
