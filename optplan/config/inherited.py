"""Hints for arguments that a class does not take because they are inherited, or a ``_delete_`` left over."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from optplan.config.placed import place_of
from optplan.places import Place, Source

DELETE = "_delete_"
# How the entry is written in data files.
_ENTRIES = {
    ".json": f'"{DELETE}": true',
    ".yaml": f"{DELETE}: true",
    ".yml": f"{DELETE}: true",
    ".toml": f"{DELETE} = true",
}
_SIGN_OF_PURE = re.compile(
    r"^(?:with\s+read_base\b|(?:from|import)\s+(?!(?:collections|copy|datetime|functools|itertools|math|os"
    r"|pathlib|platform|re|sys)\b))",
    re.MULTILINE,
)


def inherited_hint(written: Mapping[str, Any], name: str, decider: str = "type") -> str | None:
    """Return a hint for an argument that the class of a section does not take; None where it is just another word.

    Args:
        written: The section, which knows the places of its entries.
        name: The argument.
        decider: The entry that decides which arguments are taken.
    """
    place, kind = place_of(written, name), place_of(written, decider)
    if name == DELETE:
        return _nothing_to_delete(place)
    if place is None or kind is None or not _is_other_file(place.source, kind.source):
        return None
    if _is_pure(kind.source):
        return f"it is inherited: assign the whole dict in {_line(kind)}, and do not update it"
    written_so = entry_written(os.path.splitext(kind.source.name)[1])
    return f"it is inherited: give {written_so} in {_line(kind)}"


def _is_other_file(base: Source, own: Source) -> bool:
    """Return whether a value is inherited by what a file writes; an override is in no file."""
    are_files = all(one.name.endswith((".py", *_ENTRIES)) for one in (base, own))
    return are_files and (base.path, base.name) != (own.path, own.name)


def _nothing_to_delete(place: Place | None) -> str:
    if place is not None and _is_pure(place.source):
        return (
            "there is nothing to delete: in the pure-Python style an assignment replaces the whole dict; "
            "use .update to keep what it had"
        )
    return f"there is nothing to delete: no base config has this dict; leave {DELETE} out"


def _is_pure(source: Source) -> bool:
    """Return whether a file is in the pure-Python style: it reads bases, or imports what is no help for computing."""
    return (
        source.name.endswith(".py")
        and "_base_" not in source.text
        and _SIGN_OF_PURE.search(source.text) is not None
    )


def entry_written(suffix: str) -> str:
    """Return how the entry is written in a file of this ending."""
    return _ENTRIES.get(suffix, f"{DELETE}=True")


def _line(place: Place) -> str:
    return f"{place.source.name}:{place.line}"
