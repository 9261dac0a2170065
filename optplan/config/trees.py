"""What becomes of a file's values: copied into a tree, filled in from bases, merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.limits import MAX_DEPTH, MAX_INT_BITS, Budget, Refusal
from optplan.config.placed import (
    PlacedDict,
    place_of,
    placed_list,
    placed_tuple,
)
from optplan.config.substitution import MARKER
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from optplan.config.placed import RawPlace

_SIMPLE = frozenset({float, bool, type(None), complex, bytes, range})


class Copier:
    """Copies values into a tree, in which no container occurs twice.

    Args:
        budget: What the copying goes to.
        base: The merged bases, where ``{{ _base_.a.b }}`` stands for something of them.
    """

    def __init__(self, budget: Budget, base: PlacedDict | None = None) -> None:
        self.budget = budget
        self.base = base

    def copied(self, value: Any, raw: RawPlace, depth: int = 0) -> Any:
        """A copy of ``value``, which stands at ``raw``.

        Raises:
            ConfigError: It holds too much, is nested too deeply, or is no data.
        """
        kind = value.__class__
        if kind is str:
            if self.base is not None and MARKER in value:
                return self._from_base(value, raw, depth)
            self.budget.left -= 1 + len(value) // 16
            return value
        if kind in _SIMPLE:
            return value
        if depth > MAX_DEPTH:
            raise _error("the data is nested too deeply", raw)
        if isinstance(value, dict):
            return self._dict(value, raw, depth)
        if isinstance(value, list | tuple):
            return self._sequence(value, raw, depth)
        return self._other(value, raw)

    def _spend(self, steps: int, raw: RawPlace) -> None:
        try:
            self.budget.spend(steps)
        except Refusal:
            raise _error("the data is too large", raw) from None

    def _dict(self, value: dict[Any, Any], raw: RawPlace, depth: int) -> PlacedDict:
        self._spend(1 + len(value), raw)
        known = getattr(value, "raw_places", {})
        places: dict[Any, RawPlace] = {}
        result = PlacedDict()
        copied = self.copied
        for key, item in dict.items(value):
            places[key] = place = known.get(key, raw)
            result[key] = copied(item, place, depth + 1)
            if self.base is not None and isinstance(key, str) and MARKER in key:
                raise _error("'{{ _base_… }}' cannot stand for a key", place)
        result.raw_places = places
        return result

    def _sequence(self, value: Any, raw: RawPlace, depth: int) -> Any:
        self._spend(1 + len(value), raw)
        places = list(getattr(value, "raw_places", None) or [raw] * len(value))
        items = [
            self.copied(item, place, depth + 1) for item, place in zip(value, places, strict=True)
        ]
        return (
            placed_list(items, places) if isinstance(value, list) else placed_tuple(items, places)
        )

    def _other(self, value: Any, raw: RawPlace) -> Any:
        from optplan.config.evaluator.data import ITERATORS, VIEWS
        from optplan.config.evaluator.modules import Module

        if isinstance(value, int):
            if value.bit_length() > MAX_INT_BITS:
                raise _error("the number is too large", raw)
            return value
        if isinstance(value, (*ITERATORS, *VIEWS, Module, slice)):
            name = value.__class__.__name__
            raise _error(f"a value of type '{name}' is no data for a config", raw)
        if isinstance(value, set):
            self._spend(1 + len(value), raw)
            for item in value:
                self.copied(item, raw)
            return set(value)
        return value

    def _from_base(self, text: str, raw: RawPlace, depth: int) -> Any:
        if not text.startswith(MARKER) or MARKER in text[1:]:
            raise _error("'{{ _base_… }}' must be a whole value, not a part of a text", raw)
        path = text[len(MARKER) :]
        found: Any = self.base
        for key in path.split("."):
            if not isinstance(found, dict) or key not in found:
                raise _error(f"the base config has no '{path}'", raw)
            found = dict.__getitem__(found, key)
        return Copier(self.budget).copied(found, raw, depth)


def _error(message: str, raw: RawPlace) -> ConfigError:
    return ConfigError(message, place=None if raw is None else raw[0].place(raw[1], raw[2]))


def merge(base: PlacedDict, child: PlacedDict) -> None:
    """Merge a child's tree into that of its bases, which becomes the result.

    A dict goes into a dict key by key. A true ``_delete_`` in it makes it replace what the base
    has instead, and is taken out; where the base has no such key, ``_delete_`` stays as data.

    Raises:
        ConfigError: A dict meets something else in the base.
    """
    places = child.raw_places
    for key, value in dict.items(child):
        if isinstance(value, PlacedDict) and key in base:
            value.raw_places.pop("_delete_", None)
            if not dict.pop(value, "_delete_", False):
                old = dict.__getitem__(base, key)
                if not isinstance(old, PlacedDict):
                    raise ConfigError(
                        f"'{key}' is a dict here, but {_kind(old)} in the base config"
                        f" ({place_of(base, key)})",
                        place=place_of(child, key),
                        hint="give it _delete_=True to replace what the base has",
                    )
                merge(old, value)
                base.raw_places[key] = places.get(key)
                continue
        dict.__setitem__(base, key, value)
        base.raw_places[key] = places.get(key)


def _kind(value: object) -> str:
    for kind in (list, tuple, str):
        if isinstance(value, kind):
            return f"a {kind.__name__}"
    return f"of type {type(value).__name__}" if value is not None else "None"


def add_scope(value: Any, scope: str, raw: RawPlace) -> None:
    """Name the package that a config was inherited from, in the outermost dicts with a type."""
    if isinstance(value, PlacedDict):
        if "type" in value:
            if value.get("_scope_") is None:
                value["_scope_"] = scope
                value.raw_places["_scope_"] = raw
            return
        for key, item in value.items():
            add_scope(item, scope, value.raw_places.get(key))
    elif isinstance(value, list | tuple):
        for item in value:
            add_scope(item, scope, raw)


def plain(value: Any) -> Any:
    """A tree as plain dicts, lists and tuples, symbols as the reference prints them."""
    from optplan.config.symbols import Symbol

    if isinstance(value, dict):
        return {key: plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple([plain(item) for item in value])
    if isinstance(value, Symbol):
        return value.printed or value.dotted
    return value
