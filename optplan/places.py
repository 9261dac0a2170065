"""Places: the file, line and column that a value was written at, and how a path is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One text that values come from: a config file, a git blob, the command line.

    Args:
        name: What a report calls it: a posix path relative to the folder of the entry config,
            ``package::path``, or a word such as ``--set``.
        path: What an error message calls it: the path as the user would type it. ``None`` where
            there is no file.
        text: The text as it stands in the file, before any substitution.
    """

    name: str
    path: str | None = None
    text: str = field(default="", repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines, split as Python splits source lines."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Return line ``number``, counted from 1, or '' where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


class Place(NamedTuple):
    """Where a value was written; line and column count from 1, the column in characters."""

    source: Source
    line: int
    column: int

    def __str__(self) -> str:
        where = self.source.path or self.source.name
        return f"{where}:{self.line}:{self.column}" if self.line else where


def path_below(path: str, folder: str) -> str | None:
    """Return what of a path is below a folder: '' for the folder itself, None for what is not below it.

    Both are absolute and normalised. Where the system tells no case apart, as on Windows, ``c:`` is ``C:``.
    """
    start = folder.rstrip(os.sep) + os.sep
    if os.path.normcase(path[: len(start)]) == os.path.normcase(start):
        return path[len(start) :]
    return "" if os.path.normcase(path) == os.path.normcase(folder) else None


def relative_path(path: str, folder: str) -> str:
    """Return a path from a folder, with slashes; an absolute one where they are on different drives.

    Both are absolute and normalised, which makes this much quicker than ``os.path.relpath``.
    """
    parts, base = path.split(os.sep), folder.rstrip(os.sep).split(os.sep)
    here, there = (os.path.normcase(os.path.splitdrive(one)[0]) for one in (path, folder))
    if here != there:
        return "/".join(parts)
    same = 0
    while same < min(len(parts), len(base)) and (
        os.path.normcase(parts[same]) == os.path.normcase(base[same])
    ):
        same += 1
    return "/".join([*[".."] * (len(base) - same), *parts[same:]])
