"""Keys that a constructor of other code looked for in the names of parameters, and did not find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optplan.checks.facts.context import Context
from optplan.checks.facts.known_constructors import ALL_OPTIONS
from optplan.config import place_of
from optplan.errors import close_matches
from optplan.places import Place

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedKey:
    """A key in ``custom_keys``, or at the top of ``paramwise_cfg`` where a constructor takes all entries for keys.

    Args:
        key: Its text.
        path: Its path inside ``paramwise_cfg``.
        place: Where it is written.
    """

    key: str
    path: str
    place: Place | None


def unmatched_keys(context: Context) -> tuple[WatchedKey, ...]:
    """Return the keys that are in no parameter's name, whose fields the constructor therefore did not read.

    A constructor that goes through all keys is known by having come by each of them. Those of ``custom_keys``
    are left out where the rules say what each key does.
    """
    raw, planned = context.raw, context.planned
    if raw is None or planned is None or planned.read is None:
        return ()
    found = list(_unmatched(context, planned.read, (), raw.paramwise))
    if planned.options is None:
        found += _unmatched(context, planned.read, ("custom_keys",), raw.custom_keys)
    return tuple(found)


def _unmatched(
    context: Context, read: frozenset[Path], above: Path, keys: Mapping[Any, Any]
) -> Iterator[WatchedKey]:
    below = {path[:depth] for path in read for depth in range(1, len(path))}
    if not all((*above, str(key)) in read | below for key in keys):
        return
    for key, fields in keys.items():
        path = (*above, str(key))
        if not isinstance(key, str) or path in below or not _is_key(key, fields, above):
            continue
        if not above and close_matches(key, ALL_OPTIONS, most=1):
            continue  # an option, or one that is misspelt
        if not any(key in name for name in context.rows):
            yield WatchedKey(key=key, path=".".join(path), place=place_of(keys, key))


def _is_key(key: str, fields: object, above: Path) -> bool:
    """Return whether an entry is a key: with fields that are read once it matches, else by where it stands."""
    if isinstance(fields, Mapping) and fields:
        return True
    return bool(above) and re.fullmatch(r"[\w.]+", key) is not None
