"""Plain data as the evaluator handles it: what counts as data, and how it is iterated and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import BaseDict
from optplan.config.limits import Refusal, size_of, table_steps
from optplan.config.placed import (
    PlacedDict,
    PlacedList,
    placed_dict,
    placed_list,
    placed_tuple,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace

DATA: tuple[type[Any], ...] = (
    int,
    float,
    str,
    type(None),
    dict,
    list,
    tuple,
    set,
    frozenset,
    complex,
    bytes,
    range,
)
VIEWS: tuple[type[Any], ...] = (type({}.keys()), type({}.values()), type({}.items()))
ITERATORS: tuple[type[Any], ...] = (
    enumerate, zip, reversed, type(iter([])), type(iter(range(0))), type(reversed([])),
    type(reversed({})),
    type(_ for _ in ()),
)  # fmt: skip
SCALARS = frozenset({int, float, str, bool, type(None), complex, bytes})


def is_data(value: object) -> bool:
    """Whether operators and methods may work on a value."""
    return isinstance(value, (*DATA, *VIEWS))


def placed(value: Any, raw: RawPlace) -> Any:
    """``value``, and where it is a plain container, one with a place for all it holds."""
    kind = value.__class__
    if kind is list:
        return placed_list(value, [raw] * len(value))
    if kind is tuple:
        return placed_tuple(value, [raw] * len(value))
    if kind is dict:
        return placed_dict(value, dict.fromkeys(value, raw))
    return value


def key_checked(frame: Frame, key: Any) -> Any:
    """A key of a dict or element of a set, taken off the budget."""
    if key.__class__ is not str:
        frame.budget.spend_key(key)
    return key


def _step_over(frame: Frame, value: Any) -> int:
    """Charge the beginning of an iteration, and return the steps that each element takes."""
    if isinstance(value, dict | set | frozenset):
        frame.budget.spend(table_steps(value))
    return 1 + size_of(value) if isinstance(value, range) else 1


def each(frame: Frame, value: Any, *, extra: int = 0) -> Iterator[Any]:
    """The elements of an iterable, each taken off the budget.

    Args:
        frame: The frame whose budget it goes to.
        value: The iterable.
        extra: What is taken off for each element besides.

    Raises:
        Refusal: It is no iterable of plain data.
    """
    if not (is_data(value) or isinstance(value, ITERATORS)):
        raise Refusal(f"'{type(value).__name__}' object is not iterable in a config")
    budget = frame.budget
    step = extra + _step_over(frame, value)
    for item in value:
        budget.left -= step
        if budget.left < 0:
            budget.spend(0)
        yield item


def taken(frame: Frame, value: Any) -> list[Any]:
    """All elements of an iterable.

    Raises:
        Refusal: There are too many, or it is no iterable of plain data.
    """
    if not is_data(value) or not hasattr(value, "__len__"):
        return list(each(frame, value))
    try:
        length = len(value)
    except OverflowError:
        raise Refusal("the range is too long") from None
    frame.budget.spend(length * _step_over(frame, value))
    return list(value)


def places_of(value: Any, count: int, raw: RawPlace) -> list[RawPlace]:
    """The places of a container's elements or keys, in their order."""
    if isinstance(value, PlacedDict):
        return [value.raw_places.get(key, raw) for key in dict.keys(value)]
    places = getattr(value, "raw_places", None)
    return list(places) if places is not None else [raw] * count


def extend(frame: Frame, target: PlacedList, value: Any, raw: RawPlace) -> None:
    """Append all elements of an iterable to a list, which may be that iterable."""
    items = taken(frame, value)
    places = places_of(value, len(items), raw)
    target.extend(items)
    target.raw_places.extend(places)


def set_item(frame: Frame, container: Any, key: Any, value: Any, raw: RawPlace) -> None:
    """Set a key, index or slice of a container.

    Raises:
        Refusal: The container is no dict or list.
    """
    if isinstance(container, PlacedDict):
        if isinstance(container, BaseDict):
            frame.budget.spend_tree(value)
        container[key_checked(frame, key)] = value
        container.raw_places[key] = raw
    elif isinstance(container, PlacedList):
        if isinstance(key, slice):
            items = taken(frame, value)
            places = places_of(value, len(items), raw)
            frame.budget.spend(len(container))
            container[key] = items
            container.raw_places[key] = places
        else:
            container[key] = value
            container.raw_places[key] = raw
    else:
        raise TypeError(f"'{type(container).__name__}' object does not support item assignment")


def delete_item(frame: Frame, container: Any, key: Any) -> None:
    """Delete a key, index or slice of a container.

    Raises:
        TypeError: The container is no dict or list.
    """
    if isinstance(container, PlacedDict):
        del container[key_checked(frame, key)]
        container.raw_places.pop(key, None)
    elif isinstance(container, PlacedList):
        frame.budget.spend(len(container))
        del container[key]
        del container.raw_places[key]
    else:
        raise TypeError(f"'{type(container).__name__}' object doesn't support item deletion")


def shallow(frame: Frame, value: Any) -> Any:
    """What ``copy.copy`` gives."""
    if isinstance(value, BaseDict):
        frame.budget.spend_tree(value)
        return value.copy()
    if isinstance(value, PlacedDict):
        frame.budget.spend(len(value))
        return placed_dict(value, dict(value.raw_places))
    if isinstance(value, PlacedList):
        frame.budget.spend(len(value))
        return placed_list(value, list(value.raw_places))
    return set(value) if isinstance(value, set) else value


def deep(frame: Frame, value: Any, memo: dict[int, Any] | None = None) -> Any:
    """What ``copy.deepcopy`` gives: what is one object inside stays one.

    Raises:
        Refusal: It is too much, or holds what is no data.
    """
    if value.__class__ in SCALARS or not isinstance(value, dict | list | tuple | set):
        if isinstance(value, (*ITERATORS, *VIEWS)):
            raise Refusal("an iterator cannot be copied")
        return value
    memo = {} if memo is None else memo
    if id(value) in memo:
        return memo[id(value)]
    frame.budget.spend(1 + len(value))
    if isinstance(value, PlacedDict):
        copied: Any = value.__class__()
        copied.raw_places = dict(value.raw_places)
        memo[id(value)] = copied
        for key, item in dict.items(value):
            dict.__setitem__(copied, key, deep(frame, item, memo))
        return copied
    if isinstance(value, list):
        copied = placed_list((), places_of(value, len(value), None))
        memo[id(value)] = copied
        copied.extend([deep(frame, item, memo) for item in value])
        return copied
    if isinstance(value, tuple):
        items = [deep(frame, item, memo) for item in value]
        if id(value) in memo:
            return memo[id(value)]
        same = all(new is old for new, old in zip(items, value, strict=True))
        copied = value if same else placed_tuple(items, places_of(value, len(value), None))
    else:
        copied = set(value)
    memo[id(value)] = copied
    return copied
