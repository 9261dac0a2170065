"""The scheduler of ultralytics' trainer, which it steps after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.schedule.training import Training
from optplan.schedule.written import LibraryScheduler

_READ = ("cos_lr", "lrf")


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
