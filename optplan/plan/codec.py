"""Dataclasses and named tuples as plain data for JSON, and back, by their fields.

The metadata of a field may have ``json``, its name there where that is another, and ``optional``: it is left
out where it is None, False, or holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from optplan.plan.values import plain

OPTIONAL = {"optional": True}
_Made = TypeVar("_Made")
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})


def named(name: str) -> dict[str, str]:
    """Return the metadata of a field that has another name in JSON."""
    return {"json": name}


def to_data(value: object) -> Any:
    """Return a value as nested dicts and lists, in the order of the fields."""
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        items = [to_data(item) for item in value]
        return items if names is None else dict(zip(names, items, strict=True))
    if isinstance(value, Enum):
        return value.value
    kind: Any = type(value)
    if is_dataclass(value):
        data = {}
        for field, name, is_optional in _fields_of(kind):
            item = getattr(value, field)
            if item or isinstance(item, str) or not is_optional:
                data[name] = to_data(item)
        return data
    return plain(value)


@cache
def _fields_of(kind: Any) -> list[tuple[str, str, bool]]:
    """Return each field of a dataclass with its name in JSON, and whether it may be left out."""
    return [
        (one.name, one.metadata.get("json", one.name), "optional" in one.metadata)
        for one in fields(kind)
    ]


def from_data(kind: type[_Made], data: Any) -> _Made:
    """Return the value that :func:`to_data` made data of; it must be valid, and may have more fields."""
    wanted: Any = kind
    made: _Made = _reader(wanted)(data)
    return made


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what makes values of a type out of data."""
    if isinstance(kind, UnionType):
        inner = [_reader(one) for one in get_args(kind) if one is not type(None)]
        return lambda data: None if data is None else inner[0](data)
    if get_origin(kind) is tuple:
        item = _reader(get_args(kind)[0])
        return lambda data: tuple(map(item, data))
    is_class = is_dataclass(kind)
    if is_class:
        return _maker(kind, [(field, name) for field, name, _ in _fields_of(kind)])
    if hasattr(kind, "_fields"):
        return _maker(kind, [(name, name) for name in kind._fields])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _same if kind in _AS_IT_IS else plain


def _same(data: Any) -> Any:
    return data


def _maker(kind: Any, names: list[tuple[str, str]]) -> Callable[[Any], Any]:
    """Return what makes a dataclass or a named tuple; a field that is not there has its default."""
    hints = get_type_hints(kind)
    readers = [(field, name, _reader(hints[field])) for field, name in names]

    def made(data: Any) -> Any:
        return kind(**{field: read(data[name]) for field, name, read in readers if name in data})

    return made
