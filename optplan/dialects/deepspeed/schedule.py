"""The scheduler that DeepSpeed's engine makes of its section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.placed import place_of
from optplan.errors import OptplanError, ScheduleError
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread
from optplan.schedule.written import LibraryScheduler, Section, library_section

_BY_TRAINER = "transformers' trainer fills it in: show its own arguments, the file that names this one as deepspeed"
FACTORY = "deepspeed.DeepSpeedEngine._scheduler_from_config"


def section_of(data: Mapping[str, Any], unread: tuple[Unread, ...]) -> Section:
    """Return the scheduler of a file; none where it has no section.

    Args:
        data: The file's entries.
        unread: What else may move the lr.

    Raises:
        ScheduleError: The section has no type, or leaves values to another trainer.
    """
    section = data.get("scheduler")
    if section is None:
        return Section(unread=unread)
    params = section.get("params") if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(section.get("type"), str):
        raise ScheduleError("the scheduler has no type", place=place_of(data, "scheduler"))
    refuse_auto(params or {}, "scheduler.params", ScheduleError)
    raw, place = {"scheduler": section}, place_of(section, "type")
    return library_section(FACTORY, EngineScheduler(), raw, place, unread)


def refuse_auto(params: Mapping[str, Any], where: str, error: type[OptplanError]) -> None:
    """Refuse values that are left to the trainer which starts DeepSpeed.

    Raises:
        error: There are such.
    """
    for name, value in params.items():
        if value == "auto":
            raise error(
                f"{where}.{name} is 'auto', which says nothing by itself",
                place=place_of(params, name),
                hint=_BY_TRAINER,
            )


class EngineScheduler(LibraryScheduler):
    """What the engine makes."""

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        section = raw["scheduler"]
        return {"type": section["type"], **(section.get("params") or {})}

    def name(self, arguments: Mapping[str, Any]) -> str:
        return f"DeepSpeed's {arguments['type']}"

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        from optplan.dialects.deepspeed.build import engine_of

        params = {name: value for name, value in arguments.items() if name != "type"}
        with engine_of({"scheduler": {"type": arguments["type"], "params": params}}) as engine:
            return engine._scheduler_from_config(optimizer)
