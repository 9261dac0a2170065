"""The methods of plain data that a config may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import BaseDict, as_base
from optplan.config.evaluator.builtins import sort, update
from optplan.config.evaluator.data import (
    deep,
    delete_item,
    extend,
    key_checked,
    places_of,
    set_item,
    shallow,
    taken,
)
from optplan.config.limits import Refusal
from optplan.config.placed import PlacedDict, PlacedList, placed_dict, placed_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace

    # Takes the frame, the place of the call, the places of its arguments (by number or name),
    # the object itself, and the call's arguments.
    Method = Callable[..., Any]
    Places = dict[Any, RawPlace]


def _list_append(_: Frame, __: RawPlace, at: Places, self: PlacedList, item: Any, /) -> None:
    self.append(item)
    self.raw_places.append(at[0])


def _list_extend(frame: Frame, _: RawPlace, at: Places, self: PlacedList, items: Any, /) -> None:
    extend(frame, self, items, at[0])


def _list_insert(
    frame: Frame, _: RawPlace, at: Places, self: PlacedList, index: Any, item: Any, /
) -> None:
    frame.budget.spend(len(self))
    self.insert(index, item)
    self.raw_places.insert(index, at[1])


def _list_pop(frame: Frame, _: RawPlace, __: Places, self: PlacedList, index: Any = -1, /) -> Any:
    frame.budget.spend(len(self) // 8)
    item = self.pop(index)
    self.raw_places.pop(index)
    return item


def _list_remove(frame: Frame, _: RawPlace, __: Places, self: PlacedList, item: Any, /) -> None:
    frame.budget.spend_tree(self)
    delete_item(frame, self, self.index(item))


def _list_clear(_: Frame, __: RawPlace, ___: Places, self: PlacedList, /) -> None:
    self.clear()
    self.raw_places.clear()


def _list_reverse(frame: Frame, _: RawPlace, __: Places, self: PlacedList, /) -> None:
    frame.budget.spend(len(self))
    self.reverse()
    self.raw_places.reverse()


def _list_sort(frame: Frame, raw: RawPlace, _: Places, self: PlacedList, /, **options: Any) -> None:
    sort(frame, raw, self, **options)


def _copy(frame: Frame, _: RawPlace, __: Places, self: Any, /) -> Any:
    return shallow(frame, self)


def _dict_update(
    frame: Frame, raw: RawPlace, at: Places, self: PlacedDict, /, *args: Any, **entries: Any
) -> None:
    if len(args) > 1:
        raise TypeError(f"update expected at most 1 argument, got {len(args)}")
    given = placed_dict((), {})
    if args:
        update(frame, given, args[0], at[0])
    given.update(entries)
    for name in entries:
        given.raw_places[name] = at[name]
    if isinstance(self, BaseDict):
        frame.budget.spend_tree(given)
        self.update(given)
    else:
        update(frame, self, given, raw)


def _dict_pop(
    frame: Frame, _: RawPlace, __: Places, self: PlacedDict, key: Any, /, *default: Any
) -> Any:
    key = key_checked(frame, key)
    value = self.pop(key, *default)
    self.raw_places.pop(key, None)
    return value


def _dict_popitem(_: Frame, __: RawPlace, ___: Places, self: PlacedDict, /) -> tuple[Any, Any]:
    key, value = self.popitem()
    self.raw_places.pop(key, None)
    return key, value


def _dict_setdefault(
    frame: Frame, raw: RawPlace, _: Places, self: PlacedDict, key: Any, default: Any = None, /
) -> Any:
    if key_checked(frame, key) not in self:
        set_item(frame, self, key, default, raw)
        return default
    return self[key]


def _dict_clear(_: Frame, __: RawPlace, ___: Places, self: PlacedDict, /) -> None:
    self.clear()
    self.raw_places.clear()


def _dict_get(
    frame: Frame, _: RawPlace, __: Places, self: PlacedDict, key: Any, default: Any = None, /
) -> Any:
    return self.get(key_checked(frame, key), default)


def _dict_items(frame: Frame, raw: RawPlace, _: Places, self: PlacedDict, /) -> Any:
    if isinstance(self, BaseDict):
        items = taken(frame, dict.items(self))
        return placed_list(items, [raw] * len(items))
    return self.items()


def _dict_values(frame: Frame, raw: RawPlace, _: Places, self: PlacedDict, /) -> Any:
    if isinstance(self, BaseDict):
        items = taken(frame, dict.values(self))
        return placed_list(items, places_of(self, len(items), raw))
    return self.values()


def _dict_keys(_: Frame, __: RawPlace, ___: Places, self: PlacedDict, /) -> Any:
    return dict.keys(self)


def _searched(name: str) -> Method:
    def search(frame: Frame, _: RawPlace, __: Places, self: Any, /, *args: Any) -> Any:
        frame.budget.spend_tree(self)
        for value in args:
            frame.budget.spend_tree(value)
        return getattr(self, name)(*args)

    return search


def _set_method(name: str) -> Method:
    def change(frame: Frame, _: RawPlace, __: Places, self: Any, /, *args: Any) -> Any:
        if name in _OF_ONE_ELEMENT:
            return getattr(self, name)(*[key_checked(frame, value) for value in args])
        frame.budget.spend_size(self)
        return getattr(self, name)(
            *[[key_checked(frame, item) for item in taken(frame, value)] for value in args]
        )

    return change


def _text_method(name: str) -> Method:
    def call(frame: Frame, raw: RawPlace, _: Places, self: str, /, *args: Any, **named: Any) -> Any:
        for value in (self, *args, *named.values()):
            frame.budget.spend_tree(value)
        if name in {"zfill", "ljust", "rjust", "center"} and isinstance(args[0], int):
            frame.budget.spend_text(max(args[0], 0))
        elif name == "replace":
            old, new = args[:2]
            frame.budget.spend_text(len(self) + self.count(old) * len(new))
        elif name in _SLOW_SEARCHES:
            frame.budget.spend_search(self, args)
        result = getattr(self, name)(*args, **named)
        if isinstance(result, list):
            frame.budget.spend(len(result))
            return placed_list(result, [raw] * len(result))
        if isinstance(result, str):
            frame.budget.spend_text(len(result))
        return result

    return call


def _text_join(frame: Frame, _: RawPlace, __: Places, self: str, items: Any, /) -> str:
    parts: Sequence[Any] = taken(frame, items)
    if all(isinstance(part, str) for part in parts):
        frame.budget.spend_text(sum(map(len, parts)) + len(self) * len(parts))
    return self.join(parts)


def _text_format(
    frame: Frame, _: RawPlace, __: Places, self: str, /, *args: Any, **named: Any
) -> str:
    from optplan.config.evaluator.formatting import format_text

    return format_text(frame, self, list(args), named)


_OF_ONE_ELEMENT = frozenset({"add", "discard", "remove"})
# Searches from the right, and for any of many characters, take the product of both lengths.
_SLOW_SEARCHES = frozenset({"lstrip", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "strip"})
_TEXT = (
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal"
    " isdigit isidentifier islower isnumeric isspace istitle isupper ljust lower lstrip partition"
    " removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split"
    " splitlines startswith strip swapcase title upper zfill"
)
_SET = (
    "add difference difference_update discard intersection intersection_update isdisjoint issubset"
    " issuperset remove symmetric_difference symmetric_difference_update union update"
)

METHODS: dict[type, dict[str, Method]] = {
    dict: {
        "clear": _dict_clear, "copy": _copy, "get": _dict_get, "items": _dict_items,
        "keys": _dict_keys, "pop": _dict_pop, "popitem": _dict_popitem,
        "setdefault": _dict_setdefault, "update": _dict_update, "values": _dict_values,
    },
    list: {
        "append": _list_append, "clear": _list_clear, "copy": _copy, "count": _searched("count"),
        "extend": _list_extend, "index": _searched("index"), "insert": _list_insert,
        "pop": _list_pop, "remove": _list_remove, "reverse": _list_reverse, "sort": _list_sort,
    },
    tuple: {"count": _searched("count"), "index": _searched("index")},
    str: {
        **{name: _text_method(name) for name in _TEXT.split()},
        "join": _text_join, "format": _text_format,
    },
    set: {
        **{name: _set_method(name) for name in _SET.split()},
        "clear": _set_method("clear"), "copy": _set_method("copy"), "pop": _set_method("pop"),
    },
    float: {"is_integer": lambda _, __, ___, self: self.is_integer()},
}  # fmt: skip


# A merge copies what is merged in once more, in the slow way of the standard library.
_COPIES = 4


def _base_merge(frame: Frame, _: RawPlace, __: Places, self: BaseDict, other: Any, /) -> None:
    if not isinstance(other, dict):
        raise TypeError(f"'{type(other).__name__}' object is no dict to merge")
    for _copy in range(_COPIES):
        frame.budget.spend_tree(other)
    frame.budget.spend_tree(self)
    self.merge(deep(frame, other))


def _base_deepcopy(frame: Frame, _: RawPlace, __: Places, self: BaseDict, /) -> Any:
    return deep(frame, self)


def _base_to_dict(frame: Frame, _: RawPlace, __: Places, self: BaseDict, /) -> Any:
    copied = deep(frame, self)
    as_base(copied, PlacedDict)
    return copied


_BASE_METHODS: dict[str, Method] = {
    "deepcopy": _base_deepcopy,
    "merge": _base_merge,
    "to_dict": _base_to_dict,
}


def method_of(owner: Any, name: str) -> Method | None:
    """The method of that name, or None where plain data has no such method for a config.

    Raises:
        Refusal: The owner is an ordinary value, but the method is not available.
    """
    if isinstance(owner, BaseDict) and name in _BASE_METHODS:
        return _BASE_METHODS[name]
    for kind, methods in METHODS.items():
        if isinstance(owner, kind):
            if name in methods:
                return methods[name]
            if isinstance(owner, BaseDict) and name in owner:
                return None
            from optplan.config.evaluator.frame import TRUST_HINT
            from optplan.errors import did_you_mean

            near = did_you_mean(name, methods)
            raise Refusal(
                f"the method '{name}' of a {kind.__name__} is not available to a config",
                near or TRUST_HINT,
            )
    return None
