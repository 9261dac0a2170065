"""Dataclasses and named tuples as plain data for JSON, and back, by their fields.

The metadata of a field may have ``json``, its name there where that is another (None: it is left out), and ``optional``: it is left
out where it is None, False, or holds nothing. What is read is held against the types of the fields: a whole
number is at least 0 and every number finite. ``Annotated[int, 1]`` is at least 1, ``Annotated[float, Above(0)]``
more than 0, and ``Annotated[str, ("a", "b")]`` one of these words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from optplan.plan.values import plain

OPTIONAL = {"optional": True}
_Made = TypeVar("_Made")
_Reader = Callable[[Any], Any]
# Sizes and indices beyond this are no count of anything, and cannot be reckoned with as floats.
_LARGEST = 2**63 - 1
_DEEPEST = 64
_SCALARS: Mapping[Any, tuple[str, tuple[type, ...]]] = {
    bool: ("true or false", (bool,)),
    int: ("an integer", (int,)),
    float: ("a number", (int, float)),
    str: ("a string", (str,)),
}


@dataclass(frozen=True, slots=True)
class Above:
    """A number that another has to be more than."""

    bound: float


def named(name: str) -> dict[str, str]:
    """Return the metadata of a field that has another name in JSON."""
    return {"json": name}


def to_data(value: object) -> Any:
    """Return a value as nested dicts and lists, in the order of the fields."""
    if value is None or type(value) in _SCALARS:
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
    """Return each field of a class with its name in JSON, and whether it may be left out."""
    if hasattr(kind, "_fields"):
        return [(name, name, False) for name in kind._fields]
    return [
        (one.name, one.metadata.get("json", one.name), "optional" in one.metadata)
        for one in fields(kind)
        if one.metadata.get("json", one.name) is not None
    ]


def from_data(kind: type[_Made], data: Any, *, is_open: bool = False) -> _Made:
    """Return the value that :func:`to_data` made data of.

    Args:
        kind: Its class.
        data: The data.
        is_open: Accept fields that are not known, as a newer minor version may have.

    Raises:
        MisfitError: Something in the data does not fit.
    """
    wanted: Any = kind
    made: _Made = _reader(wanted, is_open)(data)
    return made


@cache
def _reader(kind: Any, is_open: bool) -> _Reader:
    """Return what makes values of a type out of data."""
    limit = None
    if get_origin(kind) is Annotated:
        kind, limit = get_args(kind)
    if isinstance(limit, tuple):
        return _one_of(limit, str)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _one_of([one.value for one in kind], kind)
    is_nullable = isinstance(kind, UnionType)
    if is_nullable:
        kind = next(one for one in get_args(kind) if one is not NoneType)
    words, types, read = _of_type(kind, limit, is_open)
    expected = f"{words} or null" if is_nullable else words

    def checked(data: Any) -> Any:
        if data is None and is_nullable:
            return None
        if type(data) not in types:
            raise MisfitError(f"expected {expected}, got {got(data)}")
        return read(data)

    return checked


def _of_type(kind: Any, limit: Any, is_open: bool) -> tuple[str, tuple[type, ...], _Reader]:
    """Return how a type is called, what its data may be, and what reads that."""
    if kind in (int, float):
        least = 0 if kind is int and limit is None else limit
        return *_SCALARS[kind], _number(least, is_whole=kind is int)
    if kind in _SCALARS:
        return *_SCALARS[kind], _same
    if get_origin(kind) is tuple:
        return "a list", (list,), _items(_reader(get_args(kind)[0], is_open))
    if get_origin(kind) is Mapping:
        item = get_args(kind)[1]
        return "an object", (dict,), _free if item is Any else _values(_reader(item, is_open))
    return "an object", (dict,), _fields_read(kind, is_open)


def _one_of(words: Sequence[str], kind: Callable[[str], Any]) -> _Reader:
    def read(data: Any) -> Any:
        if type(data) is not str or data not in words:
            raise MisfitError(f"expected one of {', '.join(map(got, words))}, got {got(data)}")
        return kind(data)

    return read


def _number(least: Any, *, is_whole: bool) -> _Reader:
    above = least.bound if isinstance(least, Above) else None
    at_least = None if above is not None else least

    def read(data: Any) -> Any:
        if is_whole and data > _LARGEST:
            raise MisfitError(f"expected at most {_LARGEST}, got {got(data)}")
        _refuse_infinite(data)
        if above is not None and data <= above:
            raise MisfitError(f"expected more than {above:g}, got {got(data)}")
        if at_least is not None and data < at_least:
            raise MisfitError(f"expected at least {at_least}, got {got(data)}")
        return data

    return read


def _refuse_infinite(data: float) -> None:
    try:
        is_finite = isfinite(data)
    except OverflowError:  # an integer larger than every float
        is_finite = False
    if not is_finite:
        raise MisfitError(f"expected a finite number, got {got(data)}")


def _same(data: Any) -> Any:
    return data


def _items(read: _Reader) -> _Reader:
    return lambda data: tuple([at(index, read, item) for index, item in enumerate(data)])


def _values(read: _Reader) -> _Reader:
    return lambda data: {name: at(name, read, item) for name, item in data.items()}


def _fields_read(kind: Any, is_open: bool) -> _Reader:
    """Return what makes a dataclass or a named tuple."""
    hints = get_type_hints(kind, include_extras=True)
    readers = {}
    for field, name, is_optional in _fields_of(kind):
        hint = hints[field]
        if is_optional and isinstance(hint, UnionType):  # there, or left out
            hint = next(one for one in get_args(hint) if one is not NoneType)
        readers[name] = field, _reader(hint, is_open)
    needed = [name for _, name, is_optional in _fields_of(kind) if not is_optional]

    def read(data: Any) -> Any:
        for name in needed:
            if name not in data:
                raise MisfitError("it is missing", name)
        found = {}
        for name, item in data.items():
            if name in readers:
                field, read_field = readers[name]
                found[field] = at(name, read_field, item)
            elif is_open:
                _free(item)
            else:
                raise MisfitError("there is no such field", name)
        return kind(**found)

    return read


def _free(data: Any, depth: int = 0) -> Any:
    """Read a value that no type describes; it must still be finite and of a depth that can be walked."""
    if isinstance(data, int | float):
        if not isinstance(data, int):
            _refuse_infinite(data)
    elif isinstance(data, dict | list):
        if depth == _DEEPEST:
            raise MisfitError(f"it is nested more than {_DEEPEST} levels deep")
        for name, item in data.items() if isinstance(data, dict) else enumerate(data):
            at(name, lambda one: _free(one, depth + 1), item)
    return data if depth else plain(data)


_SHOWN = 60
_LONGEST = 10  # parts of a path that a message shows


class MisfitError(Exception):
    """A value that does not fit.

    Args:
        problem: What is wrong with it.
        path: The keys and indices that lead to it.
    """

    def __init__(self, problem: str, *path: str | int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = [*reversed(path)]

    def __str__(self) -> str:
        return f"{path_text(self.path[::-1])}: {self.problem}"


def at(name: str | int, read: Callable[[Any], Any], data: Any) -> Any:
    """Read what stands under a name or an index.

    Raises:
        MisfitError: It does not fit; the name is in the path.
    """
    try:
        return read(data)
    except MisfitError as error:
        error.path.append(name)
        raise


def path_text(path: Sequence[str | int]) -> str:
    """Return where a value is: ``parameters[3].lr``; 'the file' for the whole, and a long path is cut."""
    text = "".join(
        f".{part}"
        if isinstance(part, str) and part.isidentifier() and part.isascii()
        else f"[{json.dumps(part)}]"
        for part in path[:_LONGEST]
    ) + "…" * (len(path) > _LONGEST)
    return text.removeprefix(".") or "the file"


def got(value: object) -> str:
    """Return a value as a message shows it: its JSON text, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
