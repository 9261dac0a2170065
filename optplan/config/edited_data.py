"""What a config's data must be once some of its entries are changed: the proof of an edit of its text."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from optplan.config.edits import Fix, FixKind, InexactError
from optplan.config.inherited import DELETE
from optplan.config.placed import place_of
from optplan.places import Place

Edits = Mapping[tuple[str, int, int], Fix]


def edits_by_place(fixes: Collection[Fix]) -> Edits:
    """Return fixes by the real path, line and column of their keys."""
    return {(os.path.realpath(fix.file), fix.line, fix.column): fix for fix in fixes}


def data_after(value: Any, edits: Edits, only: str | None = None) -> Any:
    """Return a config's data as it must be after the edits, in plain dicts and lists.

    Args:
        value: The data before, which knows its places.
        edits: The fixes, by the places of their keys.
        only: The file that replaces a dict that it inherits: nothing stays of what others wrote in it.

    Raises:
        InexactError: An entry of the new name stands there already, or a dict would be left empty.
    """
    if isinstance(value, list | tuple):
        return [data_after(item, edits) for item in value]
    if not isinstance(value, Mapping):
        return value
    fixes = {key: fix for key in value if (fix := _fix_of(value, key, edits)) is not None}
    replacing = [key for key, fix in fixes.items() if DELETE in {fix.new, fix.kind.value}]
    if replacing:
        only = _file(value, replacing[0])
    result: dict[Any, Any] = {}
    for key, item in value.items():
        fix = fixes.get(key)
        if only is not None and _file(value, key) != only:
            continue
        if fix is None or fix.kind is FixKind.REPLACE_BASE:
            result.setdefault(key, data_after(item, edits, only))
        elif fix.kind is FixKind.RENAME:
            if fix.new in value and _file(value, fix.new) == _file(value, key):
                raise InexactError(f"{fix.new!r} stands beside it")
            result[fix.new] = data_after(item, edits, only)
    if fixes and not result:
        raise InexactError(
            "it is the only entry there, and an empty dict may mean something else than none"
        )
    return result


def _fix_of(value: Mapping[Any, Any], key: Any, edits: Edits) -> Fix | None:
    place = place_of(value, key)
    if place is None or place.source.path is None or not isinstance(key, str):
        return None
    found = edits.get((os.path.realpath(place.source.path), place.line, place.column))
    return found if found is not None and found.old == key else None


def _file(value: Mapping[Any, Any], key: Any) -> str | None:
    place: Place | None = place_of(value, key)
    return None if place is None else place.source.path


def same_data(first: Any, second: Any) -> bool:
    """Return whether two configs hold the same, but for a ``_delete_`` that had nothing to delete."""
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(same_data, first, second))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        keys = first.keys() - {DELETE}
        return keys == second.keys() - {DELETE} and all(
            same_data(first[key], second[key]) for key in keys
        )
    return type(first) is type(second) and (first == second or repr(first) == repr(second))
