"""Read the schedulers of OpenMMLab's configs: MMEngine's ``param_scheduler``, and the policies of mmcv 1.x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optplan.config import Symbol, place_of
from optplan.config.paramwise import described
from optplan.errors import ScheduleError, close_matches
from optplan.places import Place
from optplan.schedule.unread import HOOK_SECTIONS, SECTION, Unread
from optplan.schedule.written import Section, Written


def read_schedulers(data: Mapping[str, Any], unread: tuple[Unread, ...]) -> Section:
    """Return the schedulers of ``param_scheduler``: one, a list, or either for each optimizer by its name.

    Args:
        data: The config's top level.
        unread: What else may move the lr.

    Raises:
        ScheduleError: Something else stands there.
    """
    found, place = data.get(SECTION), place_of(data, SECTION)
    if found is None:
        return Section(place=place, unread=unread)
    if isinstance(found, Mapping) and found and "type" not in found and _holds_parts(found):
        own = {
            str(name): tuple(_listed(part, place_of(found, name))) for name, part in found.items()
        }
        return Section(own=own, place=place, unread=unread)
    return Section(shared=tuple(_listed(found, place)), place=place, unread=unread)


def read_policies(data: Mapping[str, Any], unread: tuple[Unread, ...]) -> Section:
    """Return the policies of mmcv 1.x.

    Args:
        data: The config's top level.
        unread: What else may move the lr.

    Raises:
        ScheduleError: Something else stands there.
    """
    written = []
    for name, moved in HOOK_SECTIONS.items():
        raw = data.get(name)
        if raw is None:
            continue
        if not isinstance(raw, Mapping):
            raise ScheduleError(
                f"{name} must be a dict, got {described(raw)}", place=place_of(data, name)
            )
        policy, at = raw.get("policy"), place_of(raw, "policy") or place_of(data, name)
        if not isinstance(policy, str) or not policy:
            raise ScheduleError(
                f"{name} has no 'policy'"
                if policy is None
                else f"the policy must be a name, got {described(policy)}",
                place=at,
                hint=_misspelt(raw, "policy") or "write policy='step'",
            )
        written.append(Written(kind=policy, raw=raw, place=at, hook=moved))
    place = next((one.place for one in written), None)
    return Section(shared=tuple(written), place=place, unread=unread)


def _misspelt(raw: Mapping[str, Any], wanted: str) -> str | None:
    """Return a hint to rename the entry that looks like what is missing."""
    near = close_matches(wanted, map(str, raw), most=1, cutoff=0.8)
    return f"rename {near[0]!r} to {wanted!r}" if near and wanted not in raw else None


def _holds_parts(found: Mapping[str, Any]) -> bool:
    """Return whether a dict without a type holds schedulers by the optimizers' names."""
    return all(isinstance(part, Mapping | list | tuple) for part in found.values())


def _listed(found: object, place: Place | None) -> Iterator[Written]:
    if isinstance(found, Mapping):
        yield _written(found, place)
    elif isinstance(found, Sequence) and not isinstance(found, str):
        for index, one in enumerate(found):
            yield _written(one, place_of(found, index) or place)
    else:
        raise ScheduleError(
            f"{SECTION} must be a dict or a list of dicts, got {described(found)}", place=place
        )


def _written(found: object, place: Place | None) -> Written:
    if not isinstance(found, Mapping):
        raise ScheduleError(f"a scheduler must be a dict, got {described(found)}", place=place)
    if "type" not in found:
        first = next((at for name in found if (at := place_of(found, name))), place)
        raise ScheduleError(
            "a scheduler has no 'type'",
            place=first,
            hint="write type='PolyLR'",
        )
    kind, at = found["type"], place_of(found, "type") or place
    if not isinstance(kind, str | Symbol | type) or not kind:
        raise ScheduleError(f"a scheduler's type must be a name, got {described(kind)}", place=at)
    return Written(kind=kind, raw=found, place=at)
