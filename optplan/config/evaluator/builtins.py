"""The builtin functions that a config may call, each within the step limit.

A name such as ``len`` evaluates to the function itself, so that data which holds one equals what
mmengine loads; a call goes through the tables here.
"""

from __future__ import annotations

import ast
import copy
import math
import os.path
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import METHOD_NAMES, BaseDict
from optplan.config.evaluator.data import (
    ITERATORS,
    deep_copy,
    elements_of,
    is_data,
    iterate,
    key_checked,
    places_of,
    shallow_copy,
    update,
)
from optplan.config.evaluator.formatting import text_of
from optplan.config.evaluator.frame import TRUST_HINT, Call
from optplan.config.evaluator.operators import operate
from optplan.config.limits import Refusal, check_int, size_of
from optplan.config.placed import PlacedDict, placed_dict, placed_list, placed_tuple

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_DIGITS = 1000

BUILTINS: dict[str, Any] = {
    function.__name__: function
    for function in (
        dict, list, tuple, set, range, len, int, float, str, bool, round, sum, min, max, abs,
        enumerate, zip, sorted, reversed, any, all, isinstance, hasattr, getattr, print,
    )
}  # fmt: skip

# Need no places of their arguments: called as they are.
_PLAIN = frozenset({
    len, int, float, bool, min, max, abs, zip, reversed, any, all,
    math.ceil, math.cos, math.exp, math.floor, math.log, math.log10, math.log2, math.pow, math.sin,
    math.sqrt,
    os.path.basename, os.path.dirname, os.path.join, os.path.splitext,
})  # fmt: skip


def _dict(call: Call, /, *args: Any, **entries: Any) -> PlacedDict:
    if len(args) > 1:
        raise TypeError(f"dict expected at most 1 argument, got {len(args)}")
    result = placed_dict((), {})
    for source in args:
        update(call.frame, result, source, call.raw)
    result.update(entries)
    result.raw_places.update(dict.fromkeys(entries, call.raw))
    return result


def _list(call: Call, source: Any = (), /) -> Any:
    items = elements_of(call.frame, source)
    return placed_list(items, places_of(source, len(items), call.raw))


def _tuple(call: Call, source: Any = (), /) -> Any:
    if isinstance(source, tuple):
        return source
    items = elements_of(call.frame, source)
    return placed_tuple(items, places_of(source, len(items), call.raw))


def _set(call: Call, source: Any = (), /) -> set[Any]:
    return {key_checked(call.frame, item) for item in elements_of(call.frame, source)}


def _sorted(call: Call, values: Any, /, *, reverse: Any = False) -> Any:
    items = elements_of(call.frame, values)
    call.frame.steps.charge_tree(items)
    places = places_of(values, len(items), call.raw)
    order = sorted(range(len(items)), key=items.__getitem__, reverse=bool(reverse))
    return placed_list([items[at] for at in order], [places[at] for at in order])


def _str(call: Call, value: Any = "", /) -> str:
    return text_of(call.frame, value)


def _range(call: Call, /, *bounds: Any) -> range:
    call.frame.steps.charge_sizes(*bounds)
    return range(*bounds)


def _round(call: Call, number: Any, ndigits: Any = None) -> Any:
    call.frame.steps.charge_sizes(number)
    if isinstance(ndigits, int) and abs(ndigits) > _MOST_DIGITS:
        raise Refusal("rounding to that many digits is not done")
    return round(number, ndigits)


def _sum(call: Call, values: Any, /, start: Any = 0) -> Any:
    items = elements_of(call.frame, values)
    if isinstance(start, str):
        raise TypeError("sum() can't sum strings [use ''.join(seq) instead]")
    if all(isinstance(item, int | float) for item in items):
        return check_int(sum(items, start))
    for item in items:
        start = operate(call.frame, ast.Add, start, item, call.raw)
    return start


def _enumerate(call: Call, values: Any, start: Any = 0) -> Any:
    # The numbers take room, too.
    return enumerate(iterate(call.frame, values, extra=size_of(start)), start)


def _isinstance(call: Call, value: Any, kinds: Any, /) -> bool:
    call.frame.steps.charge_tree(kinds)
    return isinstance(value, kinds)


def _hasattr(_: Call, owner: Any, name: Any, /) -> bool:
    return _is_attribute(owner, name)


def _getattr(_: Call, owner: Any, name: Any, /, *default: Any) -> Any:
    if _is_attribute(owner, name):
        if name in METHOD_NAMES:
            raise Refusal(f"the attribute '{name}' is not available to a config", TRUST_HINT)
        return dict.__getitem__(owner, name)
    if len(default) != 1:
        raise AttributeError(f"the base config has no '{name}' here")
    return default[0]


def _print(_: Call, /, *values: Any, **how: Any) -> None:
    """Print nothing: stdout carries the report alone."""


def _is_attribute(owner: Any, name: Any) -> bool:
    """Return whether a dict of a base has an attribute: a method, or one of its entries.

    Raises:
        Refusal: It is no dict of a base, or the name is that of an internal attribute.
    """
    if not isinstance(name, str):
        raise TypeError("attribute name must be string")
    if not isinstance(owner, BaseDict):
        raise Refusal("attributes are looked up in dicts of a base config only", TRUST_HINT)
    # What differs between our dicts and those of mmengine.
    if name in {"raw_places", "scope"} or (name.startswith("__") and name not in METHOD_NAMES):
        raise Refusal(f"the attribute '{name}' is not available to a config", TRUST_HINT)
    return name in METHOD_NAMES or name in owner


_SPECIAL: dict[Any, Callable[..., Any]] = {
    dict: _dict, OrderedDict: _dict, list: _list, tuple: _tuple, set: _set, sorted: _sorted,
    str: _str, range: _range, round: _round, sum: _sum, enumerate: _enumerate,
    isinstance: _isinstance, hasattr: _hasattr, getattr: _getattr, print: _print,
    copy.copy: lambda call, value: shallow_copy(call.frame, value),
    copy.deepcopy: lambda call, value: deep_copy(call.frame, value),
}  # fmt: skip


def call_function(call: Call, function: Any, args: list[Any], named: dict[str, Any]) -> Any:
    """Call a function that configs may use.

    Raises:
        Refusal: They may not use it, or the result is too large.
    """
    if not callable(function) or not (function in _SPECIAL or function in _PLAIN):
        raise Refusal("calling this is not done in a config", TRUST_HINT)
    special = _SPECIAL.get(function)
    if "key" in named and special is not _dict:
        raise Refusal("'key=' is not evaluated in a config", TRUST_HINT)
    if special is not None:
        return special(call, *args, **named)
    return call_plain(call, function, args, named)


def call_plain(
    call: Call, function: Callable[..., Any], args: list[Any], named: dict[str, Any]
) -> Any:
    """Call a function of plain data, charged by the size of its arguments and result.

    Raises:
        Refusal: An argument is no plain data, or the result is too large.
    """
    steps = call.frame.steps
    for value in (*args, *named.values()):
        if not is_data(value) and not isinstance(value, ITERATORS):
            raise Refusal("functions take plain data only in a config", TRUST_HINT)
        steps.charge_tree(value)
    lazy = [iterate(call.frame, one) if isinstance(one, ITERATORS) else one for one in args]
    result = function(*lazy, **named)
    steps.charge_result(result)
    return result
