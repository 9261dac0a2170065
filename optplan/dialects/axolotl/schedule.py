"""The scheduler of axolotl's trainer, which it steps after each update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.schedule.training import EpochLengthError, Training
from optplan.schedule.written import LibraryScheduler


class AxolotlScheduler(LibraryScheduler):
    """What the trainer makes."""

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        return dict(raw)

    def name(self, arguments: Mapping[str, Any]) -> str:
        return f"axolotl's {arguments.get('lr_scheduler', 'cosine')}"

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        from optplan.dialects.axolotl.build import scheduler_of

        if training.iterations is None:
            raise EpochLengthError(
                "the schedule ends with the training, after how many updates?",
                hint="give --iters N, or --iters-per-epoch N, the updates of an epoch",
            )
        return scheduler_of(arguments, optimizer, training.iterations)
