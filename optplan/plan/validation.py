"""Check a saved plan when it is read: that it is one, and that its parts fit each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from optplan.errors import PlanError
from optplan.names import Status
from optplan.plan.codec import MisfitError, got

_Read = TypeVar("_Read")
_VERSION = re.compile(r"[0-9]+\.[0-9]+")
# What is null for a parameter that is in no group, and given for one that is optimized.
_PLACES = ("optimizer", "group", "setting")
_UNGROUPED = (Status.DUPLICATE, Status.UNCOVERED)


def parsed(text: str | bytes) -> Any:
    """Return JSON data.

    Raises:
        PlanError: The text is none.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise PlanError("not a saved plan: it is nested too deeply") from None
    except ValueError as error:
        raise PlanError(f"not a saved plan: {error}") from error


def refuse_other_data(data: Any, format_version: str) -> bool:
    """Refuse data from JSON that is no whole saved plan.

    Args:
        data: The data.
        format_version: The format that is read.

    Returns:
        Whether it is of a newer minor format, which may have fields that are not known here.

    Raises:
        PlanError: It is none, or one of a newer major format.
    """
    version = data.get("format_version") if isinstance(data, dict) else None
    if not isinstance(version, str):
        if version is not None:
            raise PlanError(f"the saved plan is damaged: format_version is {version!r}, not text")
        raise PlanError("not a saved plan: it has no format_version")
    if version.partition(".")[0] != format_version.partition(".")[0]:
        raise PlanError(
            f"the saved plan has format {version}, this optplan reads {format_version}",
            hint="save it again with this version",
        )
    if "view" in data:
        raise PlanError(
            f"not a saved plan: it is the {data['view']} view of one",
            hint="save it without --view",
        )
    if "narrowed" in data:
        raise PlanError(
            f"the saved plan is not whole, it was narrowed by {data['narrowed']}",
            hint="save it again without these options",
        )
    return version != format_version


def fitting(data: Mapping[str, Any], read: Callable[[], _Read]) -> _Read:
    """Return the plan that data is read as, if its parts fit each other.

    Raises:
        PlanError: A field is wrong.
    """
    try:
        found = read()
        _check_consistency(data)
    except MisfitError as error:
        raise PlanError(f"the saved plan is damaged: {error}") from None
    return found


def _check_consistency(data: Mapping[str, Any]) -> None:
    """Raise :class:`MisfitError` where parts of a plan that fit their types do not fit each other."""
    if not _VERSION.fullmatch(data["format_version"]):
        raise MisfitError("expected two numbers with a dot between", "format_version")
    for name in ("optplan", "torch", "timm"):
        if name not in data["versions"]:
            raise MisfitError("it is missing", "versions", name)
    if not data["optimizers"]:
        raise MisfitError("it is empty", "optimizers")
    _check_settings(data)
    _check_rows(data["parameters"], data)
    used = {row["setting"] for row in data["parameters"]}
    for index in range(len(data["settings"])):
        if index not in used:
            raise MisfitError("no parameter has it", "settings", index)


def _check_rows(rows: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> None:
    if not rows:
        raise MisfitError("it is empty", "parameters")
    statuses: dict[str, str] = {}
    for index, row in enumerate(rows):
        if row["name"] in statuses:
            raise MisfitError(f"{got(row['name'])} is named twice", "parameters", index, "name")
        statuses[row["name"]] = row["status"]
    for index, row in enumerate(rows):
        try:
            _check_places(row, data)
            _check_aliases(row, statuses)
        except MisfitError as error:
            error.path += [index, "parameters"]
            raise


def _check_settings(data: Mapping[str, Any]) -> None:
    for index, setting in enumerate(data["settings"]):
        if setting["index"] != index:
            raise MisfitError(
                f"expected {index}, got {setting['index']}", "settings", index, "index"
            )
        _check_index(setting["optimizer"], data, "optimizers", "settings", index, "optimizer")


def _check_places(row: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Check a row's optimizer, group and setting: there where its status says so, and in range."""
    status, given = row["status"], [name for name in _PLACES if row[name] is not None]
    if status in _UNGROUPED and given:
        raise MisfitError(f"expected null where the status is {status}", given[0])
    if len(given) < len(_PLACES) and (given or status == Status.OPTIMIZED):
        missing = next(name for name in _PLACES if name not in given)
        raise MisfitError(f"expected an integer where the status is {status}, got null", missing)
    if not given:
        return
    _check_index(row["optimizer"], data, "optimizers", "optimizer")
    if not data["settings"]:  # they are made of the rows, and may be left out
        return
    _check_index(row["setting"], data, "settings", "setting")
    owner = data["settings"][row["setting"]]["optimizer"]
    if owner != row["optimizer"]:
        raise MisfitError(
            f"setting {row['setting']} is of optimizer {owner}, not of {row['optimizer']}",
            "setting",
        )


def _check_aliases(row: Mapping[str, Any], statuses: Mapping[str, str]) -> None:
    if not row["aliases"] and row["status"] != Status.DUPLICATE:
        return
    for place, alias in enumerate(row["aliases"]):
        if alias not in statuses:
            raise MisfitError(f"there is no parameter {got(alias)}", "aliases", place)
    carriers = [one for one in row["aliases"] if statuses[one] != Status.DUPLICATE]
    if row["status"] == Status.DUPLICATE and not carriers:
        raise MisfitError("a duplicate needs the name that carries its tensor", "aliases")


def _check_index(index: int, data: Mapping[str, Any], of: str, *path: str | int) -> None:
    count = len(data[of])
    if index >= count:
        raise MisfitError(f"expected at most {count - 1}, got {index}", *path)
