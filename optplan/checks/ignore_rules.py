"""Which files are left out of a folder: patterns of the tool's configuration, and what git ignores.

Patterns are those of gitignore(5). They may come from a stranger: each is matched in linear time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from optplan.checks.paths import matches
from optplan.config.files.file_reader import DISK
from optplan.errors import ConfigError
from optplan.places import path_below

_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class _Pattern:
    glob: str
    is_negated: bool
    needs_folder: bool


@dataclass(frozen=True)
class IgnoreRules:
    """Patterns that hold below a folder.

    Args:
        folder: The folder, absolute.
        lines: The lines of a ``.gitignore``.
    """

    folder: str
    lines: tuple[str, ...]

    @cached_property
    def _patterns(self) -> tuple[_Pattern, ...]:
        return tuple(found for line in self.lines if (found := _pattern(line)) is not None)

    def decide(self, path: str, *, is_folder: bool) -> bool | None:
        """Return whether a path is ignored or, by ``!``, is not; None where no pattern matches it."""
        names = _names_below(path, self.folder)
        for pattern in reversed(self._patterns):
            if (is_folder or not pattern.needs_folder) and matches(pattern.glob, names, whole=True):
                return not pattern.is_negated
        return None

    def ignores(self, path: str) -> bool:
        """Return whether a file or a folder that it is in is ignored."""
        names = _names_below(path, self.folder)
        folders = ("/".join((self.folder, *names[:end])) for end in range(1, len(names)))
        if any(self.decide(one, is_folder=True) for one in folders):
            return True
        return bool(self.decide(path, is_folder=False))


class GitIgnore:
    """What git ignores in the repositories that files are in; nothing outside of one."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[IgnoreRules, ...] | None] = {}
        self._folders: dict[str, bool] = {}

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Return whether a path, or a folder of its repository that it is in, is ignored."""
        path = os.path.abspath(path)
        if is_folder and path in self._folders:
            return self._folders[path]
        found = self._decide(path, is_folder=is_folder)
        if is_folder:
            self._folders[path] = found
        return found

    def _decide(self, path: str, *, is_folder: bool) -> bool:
        parent = os.path.dirname(path)
        rules = self._rules_of(parent)
        if not rules:
            return False
        if parent != rules[0].folder and self.ignores(parent, is_folder=True):
            return True
        for one in reversed(rules):
            if (decision := one.decide(path, is_folder=is_folder)) is not None:
                return decision
        return False

    def _rules_of(self, folder: str) -> tuple[IgnoreRules, ...] | None:
        """Return the rules for what is in a folder, the repository's first; None outside of one."""
        if folder not in self._rules:
            parent = os.path.dirname(folder)
            if os.path.exists(os.path.join(folder, ".git")):
                above: tuple[IgnoreRules, ...] | None = _read(folder, ".git/info/exclude")
            else:
                above = None if parent == folder else self._rules_of(parent)
            own = () if above is None else _read(folder, ".gitignore")
            self._rules[folder] = None if above is None else (*above, *own)
        return self._rules[folder]


def _read(folder: str, name: str) -> tuple[IgnoreRules, ...]:
    lines: tuple[str, ...] = ()
    with suppress(OSError, ConfigError):
        text = DISK.read(os.path.join(folder, name)).decode("utf-8", "replace")
        lines = tuple(text.splitlines())
    return (IgnoreRules(folder, lines),)


def _names_below(path: str, folder: str) -> Sequence[str]:
    """Return the parts of a path below a folder; none where it is not below it."""
    inside = path_below(path, folder)
    return inside.split(os.sep) if inside else ()


def _pattern(line: str) -> _Pattern | None:
    """Return the pattern in a line; None for an empty one and a comment."""
    text = re.sub(r"(?<!\\) +$", "", line)
    if not text or text.startswith("#"):
        return None
    is_negated = text.startswith("!")
    body = text.removeprefix("!") if is_negated else text
    needs_folder = body.endswith("/")
    inner = body.strip("/")
    if not inner:
        return None
    is_anchored = "/" in body.rstrip("/")
    glob = _ESCAPED.sub(lambda match: f"[{match[1]}]" if match[1] in "*?[" else match[1], inner)
    return _Pattern(glob if is_anchored else f"**/{glob}", is_negated, needs_folder)


def rules_of(folder: str, lines: Iterable[str]) -> IgnoreRules:
    """Return the rules that a tool's configuration in a folder names."""
    return IgnoreRules(os.path.abspath(folder or "."), tuple(lines))
