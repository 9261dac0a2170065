"""TOML, with the places of its keys as far as a look at its lines tells them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from optplan.config.limits import MAX_DEPTH
from optplan.config.placed import placed_dict, placed_list
from optplan.errors import ConfigError
from optplan.places import Place

if TYPE_CHECKING:
    from optplan.config.placed import File, RawPlace

_PART = r"""(?:"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[A-Za-z0-9_-]++)"""
_KEY = re.compile(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=")
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*\]")
_PARTS = re.compile(_PART)
# A key of this many parts is nested too deeply; tomllib takes time quadratic in them.
_DEEP = re.compile(rf"(?<![\w.\"'-])(?:{_PART}[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}")
# Comments and texts; those of several lines may look like keys. One that nothing closes goes on
# to the end, or looking for its end at each of many would take quadratic time.
_TEXTS = re.compile(
    r"""#[^\n]*+|\"{3}(?:[^\\]|\\.)*?(?:\"{3,5}|\\?\Z)|'{3}.*?(?:'{3,5}|\Z)|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'""",
    re.DOTALL,
)
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_toml(file: File) -> Any:
    """Return the data of a TOML text.

    Raises:
        ConfigError: It is not TOML.
    """
    bare = _TEXTS.sub(lambda text: "\n" * text[0].count("\n") or '""', file.text)
    if (deep := _DEEP.search(bare)) is not None:
        line = bare.count("\n", 0, deep.start()) + 1
        raise ConfigError("the data is nested too deeply", place=Place(file.source, line, 1))
    try:
        data = tomllib.loads(file.text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        message = _AT.sub("", str(error))
        raise ConfigError(f"invalid TOML: {message}", place=_place_of(error, file)) from None
    return _placed(data, _key_places(file), (), None)


def _place_of(error: ValueError, file: File) -> Place:
    found = _AT.search(str(error))
    if found is None:
        return Place(file.source, 0, 0)
    if found[1] is None:
        lines = file.text.split("\n")
        return Place(file.source, len(lines), len(lines[-1]) + 1)
    return Place(file.source, int(found[1]), int(found[2]))


def _key_places(file: File) -> dict[tuple[Any, ...], RawPlace]:
    places: dict[tuple[Any, ...], RawPlace] = {}
    table: tuple[Any, ...] = ()
    counts: dict[tuple[Any, ...], int] = {}
    text = _TEXTS.sub(_without_long_text, file.text)
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        match = header or _KEY.match(line)
        if match is None:
            continue
        group = 2 if header else 1
        path = () if header else table
        for part in _PARTS.finditer(line, match.start(group), match.end(group)):
            path = (*path, _unquoted(part[0]))
            column = len(line[: part.start()].encode("utf-8", "replace"))
            places.setdefault(path, (file, number, column))
            if header and path in counts and part.end() != match.end(group):
                path = (*path, counts[path])
        if header:
            if header[1] == "[[":
                counts[path] = counts.get(path, -1) + 1
                path = (*path, counts[path])
                places[path] = (file, number, header.start(1))
            table = path
    return places


def _without_long_text(match: re.Match[str]) -> str:
    """Return the line breaks of a text of several lines; all else stays."""
    text = match[0]
    return "\n" * text.count("\n") if text.startswith(('"""', "'''")) else text


def _unquoted(part: str) -> str:
    if part[0] in "\"'":
        key = next(iter(tomllib.loads(f"{part} = 1")))
        return str(key)
    return part


def _placed(
    value: Any, places: dict[tuple[Any, ...], RawPlace], path: tuple[Any, ...], raw: RawPlace
) -> Any:
    if isinstance(value, dict):
        own = {key: places.get((*path, key), raw) for key in value}
        items = [
            (key, _placed(item, places, (*path, key), own[key])) for key, item in value.items()
        ]
        return placed_dict(items, own)
    if isinstance(value, list):
        found = [places.get((*path, at), raw) for at in range(len(value))]
        return placed_list(
            [_placed(item, places, (*path, at), found[at]) for at, item in enumerate(value)], found
        )
    return value
