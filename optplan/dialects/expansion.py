"""Bound what the interpolations of a file may take, before a library resolves them.

A text that names another twice, which names a third twice, is a page of a stranger's that takes an hour and all the
memory: omegaconf looks each name up anew. Here every name is followed once, and what it stands for is counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from optplan.config.limits import MAX_TEXT
from optplan.errors import ConfigError
from optplan.places import Place

MAX_LOOKUPS = 10_000
_DEEPEST = 100
_INSIDE = re.compile(r"\$\{([^${}]*)\}")
# What looks something up by a name that is its first argument.
_BY_NAME = re.compile(r"oc\.(?:select|dict\.keys|dict\.values)\s*:([^,]*)(?:,.*)?", re.DOTALL)
_NAME = re.compile(r"(\.*)([\w@/$*-]*(?:\.[\w@/$*-]+)*)")
_BRACKETS = re.compile(r"\.?\[([^\[\]]*)\]")

_Path = tuple[str, ...]


class _Size(NamedTuple):
    lookups: int
    characters: int


def refuse_expansion(data: Any, path: str, place: Place | None = None) -> None:
    """Refuse interpolations that would take too long, that are circles, or that read the environment.

    Args:
        data: The file's entries, as mappings, lists and values.
        path: Where the section stands that is to be resolved, as ``a.b``; '' for all.
        place: Where it is written.

    Raises:
        ConfigError: What the section stands for is more than 10,000 values or 1 MB of text, or an interpolation is
            no plain name.
    """
    _Expansion(data, place).size(tuple(filter(None, path.split("."))))


class _Expansion:
    """What the entries of a file stand for, each counted once."""

    def __init__(self, data: Any, place: Place | None) -> None:
        self._data = data
        self._place = place
        self._known: dict[_Path, _Size] = {}
        self._open: set[_Path] = set()

    def size(self, path: _Path) -> _Size:
        if (known := self._known.get(path)) is not None:
            return known
        if path in self._open or len(self._open) > _DEEPEST:
            name = ".".join(path)
            kind = "stands for itself" if path in self._open else "stands for too long a chain"
            raise self._refusal(f"{name!r} {kind}")
        self._open.add(path)
        sizes = self._parts(path)
        found = _Size(1 + sum(one.lookups for one in sizes), sum(one.characters for one in sizes))
        self._open.discard(path)
        if found.lookups > MAX_LOOKUPS or found.characters > MAX_TEXT:
            raise self._refusal(f"{'.'.join(path)!r} stands for more than can be read")
        self._known[path] = found
        return found

    def _parts(self, path: _Path) -> list[_Size]:
        value = self._at(path)
        if isinstance(value, Mapping):
            return [self.size((*path, str(name))) for name in value]
        if isinstance(value, list | tuple):
            return [self.size((*path, str(at))) for at in range(len(value))]
        own = _Size(1, len(value) if isinstance(value, str) else 0)
        if not isinstance(value, str) or "${" not in value:
            return [own]
        if "${" in _INSIDE.sub("", value):
            raise self._refusal(f"{value!r} computes the name of what it stands for")
        names = [name for word in _INSIDE.findall(value) for name in self._named(word, path)]
        return [own, *(self.size(one) for name in names for one in self._passed(name))]

    def _named(self, word: str, path: _Path) -> list[_Path]:
        """Return what the words between the braces name: nothing where they are a value alone."""
        by_name = _BY_NAME.fullmatch(word.strip())
        text = (by_name[1] if by_name else word).strip().strip("'\"")
        resolver = text.partition(":")[0]
        if resolver == "oc.decode":
            return []
        name = _NAME.fullmatch(
            _BRACKETS.sub(r".\1", text).removeprefix("." if text[:1] == "[" else "")
        )
        if name is None:
            what = (
                f"is what {resolver!r} returns, which is not called"
                if ":" in text
                else "is no name"
            )
            raise self._refusal(f"'${{{word}}}' {what}")
        parts = tuple(filter(None, name[2].split(".")))
        above = path[: max(len(path) - len(name[1]), 0)] if name[1] else ()
        return [(*above, *parts)]

    def _passed(self, name: _Path) -> list[_Path]:
        """Return what is looked up on the way to a name, and where the way ends."""
        passed: list[_Path] = []
        end = 1
        while end < len(name):
            value = self._at(name[:end])
            if not isinstance(value, str) or not (inside := _INSIDE.fullmatch(value.strip())):
                end += 1
                continue
            passed.append(name[:end])
            if len(passed) > _DEEPEST:
                raise self._refusal(f"{value!r} stands for too long a chain")
            name = (*(self._named(inside[1], name[:end]) or [()])[0], *name[end:])
            end = 1
        return [*passed, name]

    def _at(self, path: _Path) -> Any:
        found = self._data
        for part in path:
            if isinstance(found, Mapping):
                keyed = (value for name, value in found.items() if str(name) == part)
                found = found[part] if part in found else next(keyed, None)
            elif isinstance(found, list | tuple) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            else:
                return None
        return found

    def _refusal(self, message: str) -> ConfigError:
        return ConfigError(message, place=self._place, hint="give the value: --set NAME=VALUE")
