"""Paths of configs: how reports write them, and the globs that settings name them by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from optplan.config.revisions import names_revision
from optplan.places import path_below


def is_in_package(path: str) -> bool:
    """Return whether a path is ``package::path``, a config of an installed package."""
    return "::" in path and not os.path.exists(path)


def is_in_revision(path: str) -> bool:
    """Return whether a path is ``REV:path``, a config as it stands in a git revision."""
    return ":" in path and names_revision(path) and not os.path.exists(path)


def shown_path(path: str) -> str:
    """Return a path as reports write it: relative to the current folder where it is below that."""
    return path if is_in_package(path) else relative_to(path, os.getcwd())


def relative_to(path: str, folder: str) -> str:
    """Return a path with slashes, relative to a folder where it is below that, otherwise absolute."""
    return _relative_to(path, folder, os.getcwd())


@lru_cache(maxsize=4096)  # many configs inherit from one file
def _relative_to(path: str, folder: str, here: str) -> str:
    absolute = os.path.normpath(os.path.join(here, os.path.expanduser(path)))
    return (path_below(absolute, folder) or absolute).replace(os.sep, "/")


@cache
def _parts(pattern: str) -> tuple[str, ...]:
    """Return the parts between a glob's slashes; an absolute one begins with an empty part."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    parts = [part.replace("[^", "[!") for part in parts]
    return ("", *parts) if pattern.startswith("/") else tuple(parts)


def fits(pattern: str, path: str, folder: str) -> bool:
    """Return whether a glob that is relative to a folder means a config.

    ``**`` crosses folders, and a folder means all below it.
    """
    shown = path if is_in_package(path) else relative_to(path, folder)
    return matches(pattern, shown.split("/"))


def matches(pattern: str, names: Sequence[str], *, whole: bool = False) -> bool:
    """Return whether a glob matches a path, or a folder that it is in.

    The time is linear in the product of both lengths, whatever the glob.

    Args:
        pattern: The glob.
        names: The parts of the path.
        whole: It must match the path itself.
    """
    parts = _parts(pattern)
    states = {0} if parts else set()  # the parts that may come next
    for at, name in enumerate(names, 1):
        states = {later for state in states for later in _without_folders(parts, state)}
        if any(parts[state:] == ("**",) for state in states):
            return True
        states = {
            state + (parts[state] != "**")
            for state in states
            if (name if parts[state] == "**" else fnmatchcase(name, parts[state]))
        }
        if len(parts) in states and (at == len(names) or not whole):
            return True
        states.discard(len(parts))
    return False


def _without_folders(parts: tuple[str, ...], state: int) -> Iterator[int]:
    """Yield the parts that may come next where ``**`` stands for no folder; the last never does."""
    yield state
    while state + 1 < len(parts) and parts[state] == "**":
        state += 1
        yield state
