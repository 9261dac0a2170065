"""The dicts that a child config sees its bases as.

A child reaches into its bases with attributes (``_base_.model.head``), and a dict that it takes
from there keeps behaving otherwise than a plain one: it copies the containers that are put into
it, its ``update`` merges, its ``pop`` needs no default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from optplan.config.placed import PlacedDict, PlacedList, PlacedTuple, placed_list, placed_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names that mean something else than an entry when they stand after a dot.
METHOD_NAMES = frozenset(dir(dict)) | {
    "build_lazy", "deepcopy", "freeze", "lazy", "merge", "raw_places", "scope", "to_dict",
    "unfreeze",
}  # fmt: skip


class BaseDict(PlacedDict):
    """A dict of a base config, whose entries are attributes too."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name == "raw_places":  # a dict that no config file holds
            places: dict[Any, Any] = {}
            self.raw_places = places
            return places
        if name in self:
            return self[name]
        raise AttributeError(f"the base config has no '{name}' here")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "raw_places":
            super().__setattr__(name, value)
        elif name in METHOD_NAMES:
            raise AttributeError(f"'{name}' is the name of a method; write ['{name}'] instead")
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, adopted(value))

    def update(self, other: Any = (), /, **entries: Any) -> None:
        """Merge dicts into dicts, key by key; set everything else."""
        given = dict(dict.items(other)) if isinstance(other, dict) else dict(other)
        given.update(entries)
        places = getattr(other, "raw_places", {})
        for key, value in given.items():
            old = self.get(key)
            if key in self and isinstance(old, dict) and isinstance(value, dict):
                old.update(value)
            else:
                self[key] = value
            self.raw_places[key] = places.get(key)

    def merge(self, other: dict[Any, Any]) -> None:
        """Merge a dict in, as a child config is merged into its bases."""
        from copy import deepcopy

        merged = _merged(deepcopy(other), self)
        self.clear()
        for key, value in dict.items(merged):
            self[key] = value
        self.raw_places = merged.raw_places

    def pop(self, key: Any, default: Any = None, /) -> Any:
        """Take a key out; without one, the default."""
        return super().pop(key, default)

    def setdefault(self, key: Any, default: Any = None, /) -> Any:
        """Return the value of a key, which is set first where it is missing."""
        if key in self:
            return self[key]
        self[key] = default
        return default

    def copy(self) -> BaseDict:
        """Return a copy whose values are the same objects, but for lists and tuples."""
        result = BaseDict()
        for key, value in dict.items(self):
            result[key] = value
        result.raw_places = dict(self.raw_places)
        return result

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> BaseDict:
        from copy import deepcopy

        result = BaseDict()
        memo[id(self)] = result
        for key, value in dict.items(self):
            dict.__setitem__(result, key, deepcopy(value, memo))
        result.raw_places = dict(self.raw_places)
        return result

    def __or__(self, other: Any) -> BaseDict:
        if not isinstance(other, dict):
            return NotImplemented
        result = adopted(PlacedDict(self))
        result.raw_places = dict(self.raw_places)
        result.update(other)
        assert isinstance(result, BaseDict)
        return result

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(dict.keys(self))


def _merged(new: Any, old: Any) -> Any:
    delete = dict.pop(new, "_delete_", False)
    if not isinstance(old, dict):
        return new
    result = PlacedDict() if delete else PlacedDict(old)
    result.raw_places = {} if delete else dict(getattr(old, "raw_places", {}))
    places = getattr(new, "raw_places", {})
    for key, value in dict.items(new):
        if isinstance(value, dict):
            value = _merged(value, result.get(key))  # noqa: PLW2901
        dict.__setitem__(result, key, value)
        result.raw_places[key] = places.get(key)
    return result


def adopted(value: Any) -> Any:
    """Return ``value`` as a dict of a base holds it: lists, tuples and plain dicts are copied."""
    kind = value.__class__
    if kind is PlacedDict or kind is dict:
        result = BaseDict()
        for key, item in dict.items(value):
            dict.__setitem__(result, key, adopted(item))
        result.raw_places = dict(getattr(value, "raw_places", {}))
        return result
    if kind is PlacedList or kind is list:
        items = [adopted(item) for item in value]
        return placed_list(items, list(getattr(value, "raw_places", None) or [None] * len(items)))
    if kind is PlacedTuple or kind is tuple:
        items = [adopted(item) for item in value]
        return placed_tuple(items, getattr(value, "raw_places", None) or [None] * len(items))
    return value


def as_base(value: Any, kind: type[PlacedDict] = BaseDict) -> None:
    """Turn every dict inside ``value`` into one of a base, or back into a plain one."""

    def visit(value: Any) -> None:
        if isinstance(value, PlacedDict):
            value.__class__ = kind
            for item in dict.values(value):
                if isinstance(item, dict | list | tuple):
                    visit(item)
        elif isinstance(value, list | tuple):
            for item in value:
                if isinstance(item, dict | list | tuple):
                    visit(item)

    visit(value)
