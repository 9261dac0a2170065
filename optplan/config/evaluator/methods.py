"""The methods of plain data that a config may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import BaseDict
from optplan.config.evaluator.builtins import call_plain
from optplan.config.evaluator.data import (
    deep_copy,
    delete_item,
    elements_of,
    extend,
    key_checked,
    places_of,
    set_item,
    shallow_copy,
    update,
)
from optplan.config.evaluator.formatting import format_text
from optplan.config.evaluator.frame import TRUST_HINT
from optplan.config.limits import Refusal
from optplan.config.placed import PlacedDict, PlacedList, placed_dict, placed_list
from optplan.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from optplan.config.evaluator.frame import Call

    # Takes the call, the object itself, and the call's arguments.
    Method = Callable[..., Any]


def _append(call: Call, self: PlacedList, item: Any, /) -> None:
    self.append(item)
    self.raw_places.append(call.places[0])


def _extend(call: Call, self: PlacedList, items: Any, /) -> None:
    extend(call.frame, self, items, call.places[0])


def _insert(call: Call, self: PlacedList, index: Any, item: Any, /) -> None:
    call.frame.steps.charge(len(self))
    self.insert(index, item)
    self.raw_places.insert(index, call.places[1])


def _list_pop(call: Call, self: PlacedList, index: Any = -1, /) -> Any:
    call.frame.steps.charge(len(self) // 8)
    item = self.pop(index)
    self.raw_places.pop(index)
    return item


def _remove(call: Call, self: PlacedList, item: Any, /) -> None:
    call.frame.steps.charge_tree(self)
    call.frame.steps.charge_tree(item)
    delete_item(call.frame, self, self.index(item))


def _copy(call: Call, self: Any, /) -> Any:
    return shallow_copy(call.frame, self)


def _update(call: Call, self: PlacedDict, /, *args: Any, **entries: Any) -> None:
    if len(args) > 1:
        raise TypeError(f"update expected at most 1 argument, got {len(args)}")
    given = placed_dict((), {})
    for source in args:
        update(call.frame, given, source, call.places[0])
    given.update(entries)
    given.raw_places.update({name: call.places[name] for name in entries})
    if isinstance(self, BaseDict):
        call.frame.steps.charge_tree(given)
        self.update(given)
    else:
        update(call.frame, self, given, call.raw)


def _dict_pop(call: Call, self: PlacedDict, key: Any, /, *default: Any) -> Any:
    value = self.pop(key_checked(call.frame, key), *default)
    self.raw_places.pop(key, None)
    return value


def _setdefault(call: Call, self: PlacedDict, key: Any, default: Any = None, /) -> Any:
    if key_checked(call.frame, key) not in self:
        set_item(call.frame, self, key, default, call.raw)
        return default
    return self[key]


def _get(call: Call, self: PlacedDict, key: Any, default: Any = None, /) -> Any:
    return self.get(key_checked(call.frame, key), default)


def _items(call: Call, self: PlacedDict, /) -> Any:
    if isinstance(self, BaseDict):  # a list in mmengine
        items = elements_of(call.frame, dict.items(self))
        return placed_list(items, [call.raw] * len(items))
    return self.items()


def _values(call: Call, self: PlacedDict, /) -> Any:
    if isinstance(self, BaseDict):
        items = elements_of(call.frame, dict.values(self))
        return placed_list(items, places_of(self, len(items), call.raw))
    return self.values()


def _keys(_: Call, self: PlacedDict, /) -> Any:
    return dict.keys(self)


def _merge(call: Call, self: BaseDict, other: Any, /) -> None:
    if not isinstance(other, dict):
        raise TypeError(f"'{type(other).__name__}' object is no dict to merge")
    for value in (other, other, other, other, self):  # which is copied in the slow way
        call.frame.steps.charge_tree(value)
    self.merge(deep_copy(call.frame, other))


def _join(call: Call, self: str, items: Any, /) -> str:
    parts = elements_of(call.frame, items)
    if all(isinstance(part, str) for part in parts):
        call.frame.steps.charge_text(sum(map(len, parts)) + len(self) * len(parts))
    return self.join(parts)


def _replace(call: Call, self: str, old: str, new: str, count: int = -1, /) -> str:
    call.frame.steps.charge_text(len(self) + self.count(old) * len(new))
    return self.replace(old, new, count)


def _format(call: Call, self: str, /, *args: Any, **named: Any) -> str:
    return format_text(call.frame, self, args, named)


def _plain(name: str) -> Method:
    def method(call: Call, self: Any, /, *args: Any, **named: Any) -> Any:
        if isinstance(self, str):
            call.frame.steps.charge_search(self, args)
        call.frame.steps.charge_tree(self)
        return call_plain(call, getattr(self, name), list(args), named)

    return method


_TEXT = (
    "capitalize count endswith find index isdigit lower lstrip removeprefix removesuffix rsplit rstrip split"
    " startswith strip title upper"
)
_METHODS: dict[type, dict[str, Method]] = {
    BaseDict: {"deepcopy": lambda call, self: deep_copy(call.frame, self), "merge": _merge},
    dict: {
        "copy": _copy, "get": _get, "items": _items, "keys": _keys, "pop": _dict_pop,
        "setdefault": _setdefault, "update": _update, "values": _values,
    },
    list: {
        "append": _append, "copy": _copy, "count": _plain("count"), "extend": _extend,
        "index": _plain("index"), "insert": _insert, "pop": _list_pop, "remove": _remove,
    },
    tuple: {"count": _plain("count"), "index": _plain("index")},
    str: {
        **{name: _plain(name) for name in _TEXT.split()},
        "format": _format, "join": _join, "replace": _replace,
    },
}  # fmt: skip


def method_of(owner: Any, name: str) -> Method:
    """Return the method of that name.

    Raises:
        Refusal: A config cannot call it.
    """
    known = [methods for kind, methods in _METHODS.items() if isinstance(owner, kind)]
    for methods in known:
        if name in methods:
            return methods[name]
    if not known or (isinstance(owner, BaseDict) and name in owner):
        raise Refusal(f"calling '.{name}' is not done in a config", TRUST_HINT)
    kind = next(kind for kind in _METHODS if kind is not BaseDict and isinstance(owner, kind))
    near = did_you_mean(name, known[-1])
    if not hasattr(kind, name) and not isinstance(owner, BaseDict):
        raise Refusal(f"a {kind.__name__} has no method '{name}'", near)
    raise Refusal(
        f"the method '{name}' of a {kind.__name__} is not available to a config",
        f"{near} Or {TRUST_HINT}" if near else TRUST_HINT,
    )
