"""Arithmetic and comparisons, with bounds on what they may make."""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import BaseDict
from optplan.config.evaluator.data import extend, is_data, key_checked, placed, taken
from optplan.config.evaluator.frame import EXPRESSIONS
from optplan.config.limits import MAX_INT_BITS, Refusal, check_int
from optplan.config.placed import (
    PlacedDict,
    PlacedList,
    placed_dict,
    placed_list,
    placed_tuple,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace

_SIMPLE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_FORMAT_WIDTH = re.compile(r"\*|\d{5}")
_NUMBER = re.compile(r"\d+")
_SET_VIEWS: tuple[type[Any], ...] = (type({}.keys()), type({}.items()))
_LOOKED_UP: tuple[type[Any], ...] = (dict, set, frozenset, type({}.keys()))


def operate(frame: Frame, kind: type[ast.operator], left: Any, right: Any, raw: RawPlace) -> Any:
    """What a binary operator makes of two values.

    Args:
        frame: The frame whose budget it goes to.
        kind: The operator's syntax class.
        left: Its left operand.
        right: Its right operand.
        raw: Where it stands, the place of elements that have none.

    Raises:
        Refusal: The result would be too large, or the operands are no data.
    """
    if left.__class__ is float and right.__class__ is float and kind in _SIMPLE:
        return _SIMPLE[kind](left, right)
    if not (is_data(left) and is_data(right)) or kind not in _SIMPLE:
        raise Refusal("this operator works on plain data only")
    frame.budget.spend_size(left, right)
    if isinstance(right, list | tuple | str) and kind is ast.Mult and isinstance(left, int):
        left, right = right, left
    if isinstance(left, str):
        return _with_text(frame, kind, left, right)
    if isinstance(left, list | tuple) and kind in _OF_SEQUENCES:
        return _OF_SEQUENCES[kind](frame, left, right, raw)
    if isinstance(left, dict) and kind is ast.BitOr:
        return _united(frame, left, right, raw)
    if isinstance(left, bytes) or isinstance(right, bytes):
        raise Refusal("bytes are not computed with")
    left, right = _as_sets(frame, left, right)
    if isinstance(left, int) and isinstance(right, int):
        _check_growth(kind, left, right)
    return check_int(_SIMPLE[kind](left, right))


def _check_growth(kind: type[ast.operator], left: int, right: int) -> None:
    if kind is ast.Pow and right > 0:
        bits = left.bit_length() * right if left not in (0, 1, -1) else 1
    elif kind is ast.LShift:
        bits = left.bit_length() + right
    else:
        bits = left.bit_length() + right.bit_length() if kind is ast.Mult else 0
    if bits > MAX_INT_BITS:
        raise Refusal("the number is too large")


def _with_text(frame: Frame, kind: type[ast.operator], left: str, right: Any) -> str:
    if kind is ast.Mult and isinstance(right, int):
        frame.budget.spend_text(len(left) * max(right, 0))
        return left * right
    if kind is ast.Add and isinstance(right, str):
        frame.budget.spend_text(len(left) + len(right))
    elif kind is ast.Mod and "%" in left:
        _check_template(frame, left, right)
    result: str = _SIMPLE[kind](left, right)
    frame.budget.spend_text(len(result))
    return result


def _check_template(frame: Frame, template: str, values: Any) -> None:
    """Refuse a '%' template whose text could be too long, before it is made."""
    if _FORMAT_WIDTH.search(template):
        raise Refusal("the format is too wide")
    frame.budget.spend(template.count("%"))
    frame.budget.spend_text(sum(map(int, _NUMBER.findall(template))))
    frame.budget.spend_tree(values)
    if isinstance(values, dict):  # each field may name one and the same value
        frame.budget.spend_text(template.count("%(") * len(repr(values)))


def _as_sets(frame: Frame, left: Any, right: Any) -> tuple[Any, Any]:
    """The operands, as sets where one is a view: it works with any iterable, however long."""
    if not (isinstance(left, _SET_VIEWS) or isinstance(right, _SET_VIEWS)):
        return left, right
    first, second = (
        {key_checked(frame, item) for item in taken(frame, value)} for value in (left, right)
    )
    return first, second


def _places(value: Any, raw: RawPlace) -> list[RawPlace]:
    return list(getattr(value, "raw_places", None) or [raw] * len(value))


def _joined(_: Frame, left: Any, right: Any, raw: RawPlace) -> Any:
    whole = list if isinstance(left, list) else tuple
    if not isinstance(right, whole):
        raise TypeError(
            f"can only concatenate {whole.__name__} (not '{type(right).__name__}') to {whole.__name__}"
        )
    places = _places(left, raw) + _places(right, raw)
    if whole is list:
        return placed_list([*left, *right], places)
    return placed_tuple([*left, *right], places)


def _repeated(frame: Frame, left: Any, right: Any, raw: RawPlace) -> Any:
    if not isinstance(right, int):
        raise TypeError(f"can't multiply sequence by non-int of type '{type(right).__name__}'")
    frame.budget.spend(len(left) * max(right, 0))
    places = _places(left, raw) * right
    if isinstance(left, list):
        return placed_list(list(left) * right, places)
    return placed_tuple(tuple(left) * right, places)


_OF_SEQUENCES: dict[type[ast.operator], Callable[[Frame, Any, Any, RawPlace], Any]] = {
    ast.Add: _joined,
    ast.Mult: _repeated,
}


def _united(frame: Frame, left: Any, right: Any, raw: RawPlace) -> Any:
    if not isinstance(right, dict):
        raise TypeError(f"unsupported operand type(s) for |: 'dict' and '{type(right).__name__}'")
    right = placed(right, raw)
    if isinstance(left, BaseDict):
        frame.budget.spend_tree(left)
        frame.budget.spend_tree(right)
        return left | right
    result = placed_dict(left, {**placed(left, raw).raw_places, **right.raw_places})
    dict.update(result, right)
    return result


def operate_in_place(
    frame: Frame, kind: type[ast.operator], left: Any, right: Any, raw: RawPlace
) -> Any:
    """What an augmented assignment makes of its target's value: lists, dicts and sets change.

    Raises:
        Refusal: The result would be too large, or the operands are no data.
    """
    if isinstance(left, PlacedList):
        if kind is ast.Add:
            extend(frame, left, right, raw)
            return left
        if kind is ast.Mult:
            repeated = _repeated(frame, left, right, raw)
            left[:] = repeated
            left.raw_places = repeated.raw_places
            return left
    if isinstance(left, PlacedDict) and kind is ast.BitOr and isinstance(right, dict):
        frame.budget.spend_tree(right)
        merged = placed(right, raw)
        left.update(merged)
        left.raw_places.update(merged.raw_places)
        return left
    if isinstance(left, set) and isinstance(right, set | frozenset):
        changed = operate(frame, kind, left, right, raw)
        left.clear()
        left.update(changed)
        return left
    return operate(frame, kind, left, right, raw)


def _binary(frame: Frame, node: ast.BinOp) -> Any:
    # A long chain `a + b + c …` leans to the left: walk down it without recursion.
    chain = [node]
    while isinstance(node.left, ast.BinOp):
        node = node.left
        chain.append(node)
    result = frame.value(node.left)
    for link in reversed(chain):
        right = frame.value(link.right)
        frame.budget.left -= 1
        try:
            result = operate(frame, link.op.__class__, result, right, frame.raw(link))
        except Exception as error:
            from optplan.errors import ConfigError

            if isinstance(error, ConfigError | RecursionError | MemoryError):
                raise
            raise frame.error(error, link) from None
    return result


def _unary(frame: Frame, node: ast.UnaryOp) -> Any:
    value = frame.value(node.operand)
    if isinstance(node.op, ast.Not):
        return not value
    if not is_data(value):
        raise Refusal("this operator works on plain data only")
    frame.budget.spend_size(value)
    if isinstance(node.op, ast.USub):
        return -value
    return +value if isinstance(node.op, ast.UAdd) else ~value


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def _compare(frame: Frame, node: ast.Compare) -> Any:
    left = frame.value(node.left)
    result: Any = True
    for kind, right_node in zip(node.ops, node.comparators, strict=True):
        right = frame.value(right_node)
        if not isinstance(kind, ast.Is | ast.IsNot):
            if isinstance(kind, ast.In | ast.NotIn):
                right = _searchable(frame, right, left)
            else:
                frame.budget.spend_tree(left)
                frame.budget.spend_tree(right)
        result = _COMPARISONS[kind.__class__](left, right)
        if not result:
            return result
        left = right
    return result


def _searchable(frame: Frame, value: Any, wanted: Any) -> Any:
    """Charge a search for what is wanted, and return what it goes through."""
    if isinstance(value, _LOOKED_UP) and not isinstance(wanted, set):
        key_checked(frame, wanted)
        return value
    frame.budget.spend_tree(wanted)
    if isinstance(value, range):
        frame.budget.spend_size(value)
        # Python looks at every number of a range for anything that is no int.
        return value if isinstance(wanted, int) else taken(frame, value)
    if not is_data(value):
        return taken(frame, value)
    frame.budget.spend_tree(value)
    return value


def _boolean(frame: Frame, node: ast.BoolOp) -> Any:
    stop = isinstance(node.op, ast.Or)
    result: Any = None
    for operand in node.values:
        result = frame.value(operand)
        if bool(result) is stop:
            return result
    return result


EXPRESSIONS.update(
    {
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Compare: _compare,
        ast.BoolOp: _boolean,
        ast.IfExp: lambda frame, node: frame.value(
            node.body if frame.value(node.test) else node.orelse
        ),
    }
)
