"""The scheduler of a recipe, by torchtune's own functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.placed import placed_dict
from optplan.errors import ScheduleError
from optplan.places import Place
from optplan.runtime.installed import find_installed
from optplan.schedule.training import EpochLengthError, Training
from optplan.schedule.unread import Unread
from optplan.schedule.written import LibraryScheduler, Section, library_section

_HOME = "torchtune.training.lr_schedulers"
# By where a recipe may import them from.
_KNOWN = {
    f"{home}.{name}": name
    for home in (_HOME, "torchtune.training", "torchtune.modules")
    for name in ("get_cosine_schedule_with_warmup",)
}
_KIND = "type"


def is_known(kind: str) -> bool:
    """Return whether a name is one of torchtune's own schedules."""
    return kind in _KNOWN


def section_of(
    kind: str, arguments: Mapping[str, Any], place: Place | None, unread: tuple[Unread, ...]
) -> Section:
    """Return the one scheduler of a recipe.

    Args:
        kind: The function.
        arguments: What the recipe gives it.
        place: Where its name is written.
        unread: What else may move the lr.
    """
    raw = placed_dict(
        {**arguments, _KIND: _KNOWN[kind]}.items(), getattr(arguments, "raw_places", {})
    )
    return library_section(f"{_HOME}.{_KNOWN[kind]}", TuneScheduler(), raw, place, unread)


class TuneScheduler(LibraryScheduler):
    """What torchtune's functions make, which recipes step after each update."""

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        return dict(raw)

    def name(self, arguments: Mapping[str, Any]) -> str:
        return f"torchtune's {arguments[_KIND]}"

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        if training.iterations is None:
            raise EpochLengthError(
                "the schedule ends with the training, after how many updates?",
                hint="give --iters-per-epoch N",
            )
        if find_installed("torchtune") is None:
            raise ScheduleError(
                "the schedule is made by torchtune, which is not installed",
                hint="pip install torchtune torchao",
            )
        from torchtune.training import lr_schedulers

        given = {name: value for name, value in arguments.items() if name != _KIND}
        make: Any = getattr(lr_schedulers, arguments[_KIND])
        return make(optimizer, num_training_steps=training.iterations, last_epoch=-1, **given)
