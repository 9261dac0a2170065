"""The builtin functions that a config may call, each done within bounds.

A name such as ``len`` evaluates to the function itself, so that data which holds one equals the
reference's; calling it goes through the table here, never to the function directly.
"""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import METHOD_NAMES, BaseDict
from optplan.config.evaluator.data import (
    deep,
    each,
    is_data,
    key_checked,
    placed,
    places_of,
    shallow,
    taken,
)
from optplan.config.limits import Refusal, check_int, size_of
from optplan.config.placed import PlacedDict, placed_list, placed_tuple

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace

    # Takes the frame, the place of the call, and the call's arguments.
    Call = Callable[..., Any]

_FACTORIAL_STEPS = 100

BUILTINS: dict[str, Any] = {
    function.__name__: function
    for function in (
        dict, list, tuple, set, range, len, int, float, str, bool, round, sum, min, max, abs,
        enumerate, zip, sorted, reversed, any, all, isinstance, hasattr, getattr,
    )
}  # fmt: skip


def _dict(frame: Frame, raw: RawPlace, /, *args: Any, **entries: Any) -> PlacedDict:
    result = PlacedDict()
    result.raw_places = {}
    if len(args) > 1:
        raise TypeError(f"dict expected at most 1 argument, got {len(args)}")
    for source in args:
        update(frame, result, source, raw)
    result.update(entries)
    result.raw_places.update(dict.fromkeys(entries, raw))
    return result


def update(frame: Frame, target: PlacedDict, source: Any, raw: RawPlace) -> None:
    """Put all entries of a dict, or of pairs, into a dict, each with its place."""
    if isinstance(source, dict):
        frame.budget.spend(len(source))
        dict.update(target, source)
        target.raw_places.update(placed(source, raw).raw_places)
        return
    for pair in each(frame, source):
        key, value = taken(frame, pair)
        dict.__setitem__(target, key_checked(frame, key), value)
        target.raw_places[key] = raw


def _list(frame: Frame, raw: RawPlace, source: Any = ()) -> Any:
    items = taken(frame, source)
    return placed_list(items, places_of(source, len(items), raw))


def _tuple(frame: Frame, raw: RawPlace, source: Any = ()) -> Any:
    if isinstance(source, tuple):
        return source
    items = taken(frame, source)
    return placed_tuple(items, places_of(source, len(items), raw))


def _set(frame: Frame, _: RawPlace, source: Any = ()) -> set[Any]:
    return {key_checked(frame, item) for item in taken(frame, source)}


def _number(kind: type) -> Call:
    def convert(frame: Frame, _: RawPlace, *args: Any, **named: Any) -> Any:
        for value in args:
            if not isinstance(value, int | float | str):
                raise TypeError(f"{kind.__name__}() takes no '{type(value).__name__}' here")
            frame.budget.spend_tree(value)
        return check_int(kind(*args, **named))

    return convert


def _str(frame: Frame, _: RawPlace, value: Any = "") -> str:
    from optplan.config.evaluator.formatting import text_of

    return text_of(frame, value)


def _bool(_: Frame, __: RawPlace, value: Any = False) -> bool:
    return bool(value)


def _range(frame: Frame, _: RawPlace, *bounds: Any) -> range:
    frame.budget.spend_size(*bounds)
    return range(*[check_int(bound) for bound in bounds])


def _len(_: Frame, __: RawPlace, value: Any) -> int:
    return len(value)


def _round(frame: Frame, _: RawPlace, number: Any, ndigits: Any = None) -> Any:
    frame.budget.spend_size(number)
    if isinstance(ndigits, int) and abs(ndigits) > 1000:
        raise Refusal("rounding to that many digits is not done")
    return round(number, ndigits)


def _abs(frame: Frame, _: RawPlace, number: Any) -> Any:
    frame.budget.spend_size(number)
    return abs(number)


def _sum(frame: Frame, raw: RawPlace, values: Any, start: Any = 0) -> Any:
    items = taken(frame, values)
    if isinstance(start, str):
        raise TypeError("sum() can't sum strings [use ''.join(seq) instead]")
    if all(isinstance(item, int | float) for item in items):
        return check_int(sum(items, start))
    from ast import Add

    from optplan.config.evaluator.operators import operate

    kind: type[ast.operator] = Add
    for item in items:
        start = operate(frame, kind, start, item, raw)
    return start


def _extreme(function: Callable[..., Any]) -> Call:
    def extreme(frame: Frame, raw: RawPlace, *args: Any, key: Any = None, **named: Any) -> Any:
        items = taken(frame, args[0]) if len(args) == 1 else list(args)
        for item in items:
            frame.budget.spend_tree(item)
        return function(items, key=as_key(frame, raw, key), **named)

    return extreme


def as_key(frame: Frame, raw: RawPlace, key: Any) -> Callable[[Any], Any] | None:
    """A ``key=`` argument as a function.

    Raises:
        Refusal: It is none of the functions that a config may call.
    """
    if key is None:
        return None
    function = callable_for(key)
    return lambda value: function(frame, raw, value)


def _sorted(
    frame: Frame, raw: RawPlace, values: Any, *, key: Any = None, reverse: Any = False
) -> Any:
    items = taken(frame, values)
    places = places_of(values, len(items), raw)
    return placed_list(*_in_order(frame, raw, items, places, key, reverse))


def _in_order(
    frame: Frame, raw: RawPlace, items: list[Any], places: list[RawPlace], key: Any, reverse: Any
) -> tuple[list[Any], list[RawPlace]]:
    frame.budget.spend(len(items) * len(items).bit_length() // 16)
    for item in items:
        frame.budget.spend_tree(item)
    function = as_key(frame, raw, key)
    keys = items if function is None else [function(item) for item in items]
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    return [items[at] for at in order], [places[at] for at in order]


def sort(
    frame: Frame, raw: RawPlace, target: Any, *, key: Any = None, reverse: Any = False
) -> None:
    """Do what ``target.sort()`` does."""
    items, places = _in_order(frame, raw, list(target), target.raw_places, key, reverse)
    target[:] = items
    target.raw_places[:] = places


def _reversed(frame: Frame, _: RawPlace, values: Any) -> Any:
    frame.budget.spend(1)
    if not isinstance(values, list | tuple | str | range | dict):
        raise TypeError(f"'{type(values).__name__}' object is not reversible")
    return reversed(values)


def _any(frame: Frame, _: RawPlace, values: Any) -> bool:
    return any(each(frame, values))


def _all(frame: Frame, _: RawPlace, values: Any) -> bool:
    return all(each(frame, values))


def _enumerate(frame: Frame, _: RawPlace, values: Any, start: Any = 0) -> Any:
    # each number is made anew, and takes room
    return enumerate(each(frame, values, extra=size_of(start)), start)


def _zip(frame: Frame, _: RawPlace, *values: Any, strict: Any = False) -> Any:
    return zip(*[each(frame, value) for value in values], strict=bool(strict))


def _isinstance(frame: Frame, _: RawPlace, value: Any, kinds: Any) -> bool:
    frame.budget.spend_tree(kinds)
    return isinstance(value, kinds)


# Not in all dicts of the reference, or only in those here.
_UNCERTAIN = frozenset({"raw_places", "scope"})


def _hasattr(_: Frame, __: RawPlace, owner: Any, name: Any) -> bool:
    return _attribute(owner, name)[0]


def _getattr(_: Frame, __: RawPlace, owner: Any, name: Any, *default: Any) -> Any:
    if len(default) > 1:
        raise TypeError(f"getattr expected at most 3 arguments, got {2 + len(default)}")
    is_there, found = _attribute(owner, name)
    if is_there and found is None and not (isinstance(owner, BaseDict) and name in owner):
        raise Refusal(f"the attribute '{name}' is not available to a config")
    if not is_there and not default:
        raise AttributeError(f"'{type(owner).__name__}' object has no attribute '{name}'")
    return found if is_there else default[0]


def _attribute(owner: Any, name: Any) -> tuple[bool, Any]:
    """Whether a value has an attribute, and which; None where it is a method, which is no value here.

    The entries of a base's dicts are attributes.
    """
    if not isinstance(name, str):
        raise TypeError("attribute name must be string")
    if not is_data(owner):
        raise Refusal("the attributes of this are not looked up in a config")
    if isinstance(owner, BaseDict):
        if name in METHOD_NAMES - _UNCERTAIN:
            return True, None
        if name in _UNCERTAIN or (name.startswith("_") and name not in owner):
            raise Refusal(f"the attribute '{name}' is not available to a config")
        return name in owner, dict.get(owner, name)
    kinds = (dict, list, tuple)  # for the classes with places, which have attributes of their own
    kind = next((kind for kind in kinds if isinstance(owner, kind)), type(owner))
    return hasattr(kind, name), None


def _copy(frame: Frame, _: RawPlace, value: Any) -> Any:
    return shallow(frame, value)


def _deepcopy(frame: Frame, _: RawPlace, value: Any) -> Any:
    return deep(frame, value)


def _pure(function: Callable[..., Any]) -> Call:
    def call(frame: Frame, _: RawPlace, *args: Any, **named: Any) -> Any:
        for value in (*args, *named.values()):
            if not is_data(value):
                raise TypeError(f"{function.__name__}() takes plain data only")
            frame.budget.spend_tree(value)
        args = tuple([taken(frame, one) if isinstance(one, range) else one for one in args])
        return check_int(function(*args, **named))

    return call


def _factorial(frame: Frame, _: RawPlace, number: Any) -> int:
    frame.budget.spend(_FACTORIAL_STEPS)
    if isinstance(number, int) and number > 1000:
        raise Refusal("the number is too large")
    return math.factorial(number)


def _prod(frame: Frame, raw: RawPlace, values: Any, *, start: Any = 1) -> Any:
    from ast import Mult

    from optplan.config.evaluator.operators import operate

    kind: type[ast.operator] = Mult
    for item in taken(frame, values):
        start = operate(frame, kind, start, item, raw)
    return start


def _lcm(frame: Frame, _: RawPlace, *numbers: Any) -> int:
    result = 1
    for number in numbers:
        frame.budget.spend_size(result, number)
        result = check_int(math.lcm(result, number))
    return result


def _fsum(frame: Frame, _: RawPlace, values: Any) -> float:
    return math.fsum(taken(frame, values))


_CALLS: dict[Any, Call] = {
    dict: _dict, OrderedDict: _dict, list: _list, tuple: _tuple, set: _set, range: _range,
    len: _len, int: _number(int), float: _number(float), str: _str, bool: _bool, round: _round,
    sum: _sum, min: _extreme(min), max: _extreme(max), abs: _abs, enumerate: _enumerate,
    zip: _zip, sorted: _sorted, reversed: _reversed, any: _any, all: _all,
    isinstance: _isinstance, hasattr: _hasattr, getattr: _getattr, copy.copy: _copy, copy.deepcopy: _deepcopy,
    math.factorial: _factorial, math.prod: _prod, math.lcm: _lcm, math.fsum: _fsum,
}  # fmt: skip


def callable_for(function: Any) -> Call:
    """What calling one of the functions known to a config does.

    Raises:
        Refusal: It is not one of them.
    """
    try:
        known = _CALLS.get(function)
    except TypeError:
        known = None
    if known is not None:
        return known
    from optplan.config.evaluator.modules import AVAILABLE

    for module in ("math", "os.path"):
        if any(function is value for value in AVAILABLE[module].values()) and callable(function):
            return _CALLS.setdefault(function, _pure(function))
    from optplan.config.evaluator.frame import TRUST_HINT

    raise Refusal("calling this is not done in a config", TRUST_HINT)
