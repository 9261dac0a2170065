"""Write a config as a user would, with the place that each value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from keyword import iskeyword
from math import isfinite
from typing import Any

from optplan.config import Symbol, place_of
from optplan.dialects import recognition_of
from optplan.places import Place
from optplan.plan import plain
from optplan.reporters.formats.json import json_text
from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.formats.visible import visible
from optplan.reporters.words import place_data, where_text

_COLUMNS = (Column(shrink_to=30), Column())
_INDENT = "    "
_LONGEST_INLINE = 60


def config_text(
    entries: Mapping[str, Any], names: Sequence[str], *, width: int | None, color: bool
) -> str:
    """Return assignments, a line for each value, each line with its place.

    Args:
        entries: The config's top level.
        names: The entries to print.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    from optplan.reporters.formats.terminal import Paragraph, Table, render

    rows = [
        (Cell(_visible_code(code)), Cell(_place_text(place), "dim"))
        for name in names
        for code, place in _lines(f"{name} = ", entries[name], place_of(entries, name), "", "")
    ]
    found = recognition_of(entries)
    is_older = found is not None and found.title == "mmcv 1.x"
    head = Paragraph(f"# for {found}" if is_older else "", indent=0)
    return render([head, Table(_COLUMNS, rows, indent=0, gap=3)], width=width, color=color)


def _visible_code(code: str) -> str:
    indent = len(code) - len(code.lstrip())
    return code[:indent] + visible(code[indent:])


def _place_text(place: Place | None) -> str:
    if place is None:
        return ""
    return where_text(place.source.path or place.source.name, place.line)


def _lines(
    head: str, value: Any, place: Place | None, indent: str, end: str
) -> Iterator[tuple[str, Place | None]]:
    """Yield the lines of one value: what is short in one line, else one for each of its parts."""
    if isinstance(value, Mapping) and value:
        as_call = all(_is_name(key) for key in value)
        yield f"{indent}{head}{'dict(' if as_call else '{'}", place
        for key, item in value.items():
            start = f"{key}=" if as_call else f"{_code(key)}: "
            yield from _lines(start, item, place_of(value, key), indent + _INDENT, ",")
        yield f"{indent}{')' if as_call else '}'}{end}", None
    elif isinstance(value, list | tuple) and not _is_short(value):
        brackets = "[]" if isinstance(value, list) else "()"
        yield f"{indent}{head}{brackets[0]}", place
        for index, item in enumerate(value):
            yield from _lines("", item, place_of(value, index), indent + _INDENT, ",")
        yield f"{indent}{brackets[1]}{end}", None
    else:
        yield f"{indent}{head}{_code(value)}{end}", place


def _is_name(key: object) -> bool:
    return isinstance(key, str) and key.isidentifier() and not iskeyword(key)


def _is_short(value: Sequence[Any]) -> bool:
    """Return whether a list fits into one line and holds no dict worth a place of its own."""
    return not _holds_dict(value) and len(_code(value)) <= _LONGEST_INLINE


def _holds_dict(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_dict, value))
    return isinstance(value, Mapping)


def _code(value: Any) -> str:
    """Return a value as Python writes it; a symbol by its dotted name."""
    if isinstance(value, Symbol):
        return str(value)
    if isinstance(value, Mapping):
        return "dict()"  # one with entries has lines of its own
    if isinstance(value, float) and not isfinite(value):
        return f"float('{value}')"
    if isinstance(value, list):
        return "[" + ", ".join(map(_code, value)) + "]"
    if isinstance(value, tuple):
        inside = ", ".join(map(_code, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def config_json(path: str | None, entries: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the entries as ``schemas/config-1.0.schema.json`` describes them."""
    data = {
        "format_version": "1.0",
        "config": path,
        "values": {name: plain(entries[name]) for name in names},
        "places": dict(_pointers(entries, names, "")),
    }
    return json_text(data)


def _pointers(container: Any, keys: Sequence[Any], above: str) -> Iterator[tuple[str, Any]]:
    """Yield places by JSON pointer (RFC 6901), so that keys with dots stay apart."""
    for key in keys:
        pointer = f"{above}/{str(key).replace('~', '~0').replace('/', '~1')}"
        place = place_of(container, key)
        if place is not None:
            yield (pointer, place_data(place))
        value = container[key]
        if isinstance(value, Mapping):
            yield from _pointers(value, list(value), pointer)
        elif isinstance(value, list | tuple):
            yield from _pointers(value, range(len(value)), pointer)
