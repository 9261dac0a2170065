"""Copy a file's values into a tree, fill in values of bases, and merge trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.limits import MAX_DEPTH, MAX_INT_BITS, Refusal, StepCounter, size_of
from optplan.config.placed import PlacedDict, place_of, placed_dict, placed_list, placed_tuple
from optplan.config.substitution import END, MARKER
from optplan.config.symbols import Symbol, as_data
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from optplan.config.placed import RawPlace

_SIMPLE = frozenset({float, bool, type(None), complex, bytes, range})
_BIG = 1 << 64


class Copier:
    """Copy the values of a file into a tree in which no container occurs twice.

    Args:
        steps: The counter that copying is charged to.
        base: The merged bases, where ``{{ _base_.a.b }}`` stands for something of them.
    """

    def __init__(self, steps: StepCounter, base: PlacedDict | None = None) -> None:
        self.steps = steps
        self.base = base

    def _check_keys(self, container: PlacedDict) -> None:
        for key in container:
            if isinstance(key, str) and MARKER in key:
                place = container.raw_places.get(key)
                raise _error("'{{ _base_… }}' cannot stand for a key", place)

    def copied(self, value: Any, raw: RawPlace, depth: int = 0) -> Any:
        """Return a copy of ``value``, which stands at ``raw``.

        Raises:
            ConfigError: It holds too much, is nested too deeply, or is no data.
        """
        kind = value.__class__
        if kind is str:
            if self.base is not None and MARKER in value:
                return self._from_base(value, raw, depth)
            self.steps.left -= 1 + len(value) // 16
            return value
        if kind is bytes:
            self.steps.left -= 1 + len(value) // 16
            return value
        if kind in _SIMPLE or (kind is int and -_BIG < value < _BIG):
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
            self.steps.charge(steps)
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
        result.raw_places = places
        if self.base is not None:
            self._check_keys(result)
        return result

    def _sequence(self, value: Any, raw: RawPlace, depth: int) -> Any:
        self._spend(1 + len(value), raw)
        places = getattr(value, "raw_places", ())
        if len(places) != len(value):  # an executed file changes lists without their places
            places = [raw] * len(value)
        copied = self.copied
        items = [copied(item, place, depth + 1) for item, place in zip(value, places, strict=True)]
        if isinstance(value, list):
            return placed_list(items, list(places))
        return placed_tuple(items, places)

    def _other(self, value: Any, raw: RawPlace) -> Any:
        from optplan.config.evaluator.data import ITERATORS, VIEWS
        from optplan.config.evaluator.modules import Module

        if isinstance(value, int):
            self._spend(size_of(_checked_int(value, raw)), raw)
        elif isinstance(value, (*ITERATORS, *VIEWS, Module, slice)):
            name = value.__class__.__name__
            raise _error(f"a value of type '{name}' is no data for a config", raw)
        elif isinstance(value, set):
            self._spend(1 + len(value), raw)
            for item in value:
                self.copied(item, raw)
            return set(value)
        return as_data(value) if isinstance(value, Symbol) else value

    def _from_base(self, text: str, raw: RawPlace, depth: int) -> Any:
        path = text[len(MARKER) : -len(END)]
        if text != f"{MARKER}{path}{END}" or END in path:
            raise _error("'{{ _base_… }}' must be a whole value, not a part of a text", raw)
        found: Any = self.base
        for key in path.split("."):
            if not isinstance(found, dict) or key not in found:
                raise _error(f"the base config has no '{path}'", raw)
            found = dict.__getitem__(found, key)
        return Copier(self.steps).copied(found, raw, depth)


def _checked_int(number: int, raw: RawPlace) -> int:
    """Return the number.

    Raises:
        ConfigError: It is too large to be meant.
    """
    if number.bit_length() > MAX_INT_BITS:
        raise _error("the number is too large", raw)
    return number


def _error(message: str, raw: RawPlace, hint: str | None = None) -> ConfigError:
    place = None if raw is None else raw[0].place(raw[1], raw[2])
    return ConfigError(message, place=place, hint=hint)


def merge(base: PlacedDict, child: PlacedDict, steps: StepCounter) -> None:
    """Merge a child's values into those of its bases, which become the result.

    Nothing inside either of them changes, as it may occur elsewhere too.

    A dict goes into a dict key by key. A true ``_delete_`` in it makes it replace what the base
    has instead, and is taken out; where the base has no such key, ``_delete_`` stays as data.

    Raises:
        ConfigError: A dict meets something else in the base.
    """
    places = child.raw_places
    for key, value in dict.items(child):
        if isinstance(value, PlacedDict) and key in base:
            delete = False
            if "_delete_" in value:
                value = placed_dict(value, dict(value.raw_places))  # noqa: PLW2901
                delete = value.pop("_delete_")
                value.raw_places.pop("_delete_", None)
            if not delete:
                value = _merged(base, key, value, places.get(key), steps)  # noqa: PLW2901
        dict.__setitem__(base, key, value)
        base.raw_places[key] = places.get(key)


def _merged(
    base: PlacedDict, key: Any, value: PlacedDict, raw: RawPlace, steps: StepCounter
) -> PlacedDict:
    old = dict.__getitem__(base, key)
    if not isinstance(old, PlacedDict):
        raise _error(
            f"'{key}' is a dict here, but {_kind(old)} in the base config ({place_of(base, key)})",
            raw,
            "give it _delete_=True to replace what the base has",
        )
    steps.charge(len(old))
    result = placed_dict(dict.items(old), dict(old.raw_places))
    merge(result, value, steps)
    return result


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
    """Return a tree as plain dicts, lists and tuples, symbols as the reference prints them."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple([plain(item) for item in value])
    if isinstance(value, Symbol):
        return value.printed or value.dotted
    return value
