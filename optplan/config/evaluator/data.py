"""What counts as plain data, and how it is iterated, changed and copied within the step limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import BaseDict
from optplan.config.limits import Refusal, size_of, table_steps
from optplan.config.placed import PlacedDict, PlacedList, placed_dict, placed_list, placed_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace

VIEWS: tuple[type[Any], ...] = (type({}.keys()), type({}.values()), type({}.items()))
DATA: tuple[type[Any], ...] = (
    int, float, str, type(None), dict, list, tuple, set, complex, bytes, range, *VIEWS,
)  # fmt: skip
ITERATORS: tuple[type[Any], ...] = (
    enumerate, zip, reversed, type(reversed([])), type(reversed({})), type(iter(range(0))),
    type(_ for _ in ()),
)  # fmt: skip


def is_data(value: object) -> bool:
    """Return whether operators and functions may work on a value."""
    return isinstance(value, DATA)


def placed(value: Any, raw: RawPlace) -> Any:
    """Return a plain container as one with a place for all it holds, any other value as it is."""
    kind = value.__class__
    if kind is list:
        return placed_list(value, [raw] * len(value))
    if kind is tuple:
        return placed_tuple(value, [raw] * len(value))
    if kind is dict:
        return placed_dict(value, dict.fromkeys(value, raw))
    return value


def key_checked(frame: Frame, key: Any) -> Any:
    """Charge a lookup of a key, and return the key."""
    if key.__class__ is not str:
        frame.steps.charge_key(key)
    return key


def iterate(frame: Frame, value: Any, *, extra: int = 0) -> Iterator[Any]:
    """Yield the elements of an iterable, each charged.

    Args:
        frame: The frame whose steps are charged.
        value: The iterable.
        extra: What each element costs besides its step.

    Raises:
        Refusal: It is no iterable of plain data.
    """
    if not (is_data(value) or isinstance(value, ITERATORS)):
        raise Refusal(f"'{type(value).__name__}' object is not iterable in a config")
    steps = frame.steps
    if isinstance(value, dict | set):
        steps.charge(table_steps(value))
    step = 1 + extra + (size_of(value) if isinstance(value, range) else 0)
    for item in value:
        steps.left -= step
        if steps.left < 0:
            steps.charge(0)
        yield item


def elements_of(frame: Frame, value: Any) -> list[Any]:
    """Return all elements of an iterable.

    Raises:
        Refusal: There are too many, or it is no iterable of plain data.
    """
    return list(iterate(frame, value))


def places_of(value: Any, count: int, raw: RawPlace) -> list[RawPlace]:
    """Return the places of a container's elements or keys, in their order."""
    if isinstance(value, PlacedDict):
        return [value.raw_places.get(key, raw) for key in dict.keys(value)]
    places = getattr(value, "raw_places", None)
    return list(places) if places is not None else [raw] * count


def extend(frame: Frame, target: PlacedList, value: Any, raw: RawPlace) -> None:
    """Append all elements of an iterable to a list, which may be that iterable."""
    items = elements_of(frame, value)
    places = places_of(value, len(items), raw)
    target.extend(items)
    target.raw_places.extend(places)


def update(frame: Frame, target: PlacedDict, source: Any, raw: RawPlace) -> None:
    """Put all entries of a dict, or of pairs, into a dict, each with its place."""
    if isinstance(source, dict):
        frame.steps.charge(len(source))
        dict.update(target, source)
        target.raw_places.update(placed(source, raw).raw_places)
        return
    for pair in iterate(frame, source):
        key, value = elements_of(frame, pair)
        dict.__setitem__(target, key_checked(frame, key), value)
        target.raw_places[key] = raw


def set_item(frame: Frame, container: Any, key: Any, value: Any, raw: RawPlace) -> None:
    """Set a key, index or slice of a container.

    Raises:
        TypeError: The container is no dict or list.
    """
    if isinstance(container, PlacedDict):
        if isinstance(container, BaseDict):
            frame.steps.charge_tree(value)
        container[key_checked(frame, key)] = value
        container.raw_places[key] = raw
    elif not isinstance(container, PlacedList):
        raise TypeError(f"'{type(container).__name__}' object does not support item assignment")
    elif isinstance(key, slice):
        items = elements_of(frame, value)
        places = places_of(value, len(items), raw)
        frame.steps.charge(len(container))
        container[key] = items
        container.raw_places[key] = places
    else:
        container[key] = value
        container.raw_places[key] = raw


def delete_item(frame: Frame, container: Any, key: Any) -> None:
    """Delete a key, index or slice of a container.

    Raises:
        TypeError: The container is no dict or list.
    """
    if isinstance(container, PlacedDict):
        del container[key_checked(frame, key)]
        container.raw_places.pop(key, None)
    elif isinstance(container, PlacedList):
        frame.steps.charge(len(container))
        del container[key]
        del container.raw_places[key]
    else:
        raise TypeError(f"'{type(container).__name__}' object doesn't support item deletion")


def shallow_copy(frame: Frame, value: Any) -> Any:
    """Return what ``copy.copy`` returns."""
    if isinstance(value, BaseDict):
        frame.steps.charge_tree(value)
        return value.copy()
    if isinstance(value, PlacedDict):
        frame.steps.charge(len(value))
        return placed_dict(value, dict(value.raw_places))
    if isinstance(value, PlacedList):
        frame.steps.charge(len(value))
        return placed_list(value, list(value.raw_places))
    return set(value) if isinstance(value, set) else value


def deep_copy(frame: Frame, value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Return what ``copy.deepcopy`` returns: what is one object inside stays one.

    Raises:
        Refusal: It is too much, or holds an iterator.
    """
    if not isinstance(value, dict | list | tuple | set):
        if isinstance(value, (*ITERATORS, *VIEWS)):
            raise Refusal("an iterator cannot be copied")
        return value
    memo = {} if memo is None else memo
    if id(value) in memo:
        return memo[id(value)]
    frame.steps.charge(1 + len(value))
    places = places_of(value, len(value), None)
    if isinstance(value, PlacedDict):
        copied: Any = value.__class__()
        copied.raw_places = dict(value.raw_places)
        memo[id(value)] = copied
        for key, item in dict.items(value):
            dict.__setitem__(copied, key, deep_copy(frame, item, memo))
    elif isinstance(value, list):
        memo[id(value)] = copied = placed_list((), places)
        copied.extend([deep_copy(frame, item, memo) for item in value])
    elif isinstance(value, tuple):
        items = [deep_copy(frame, item, memo) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        copied = memo.setdefault(id(value), value if same else placed_tuple(items, places))
    else:
        memo[id(value)] = copied = set(value)
    return copied
