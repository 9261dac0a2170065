"""Arithmetic, comparisons and logic, with bounds on what they may make."""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import BaseDict
from optplan.config.evaluator.data import (
    elements_of,
    extend,
    is_data,
    key_checked,
    placed,
    places_of,
)
from optplan.config.evaluator.data import update as update_dict
from optplan.config.evaluator.frame import TRUST_HINT, Frame, Handler
from optplan.config.limits import MAX_INT_BITS, Refusal, check_int
from optplan.config.placed import PlacedDict, PlacedList, placed_dict, placed_list, placed_tuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from optplan.config.placed import RawPlace

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_FORMAT_WIDTH = re.compile(r"\*|\d{5}")
_NUMBER = re.compile(r"\d+")


def operate(frame: Frame, kind: type[ast.operator], left: Any, right: Any, raw: RawPlace) -> Any:
    """Return what a binary operator makes of two values.

    Args:
        frame: The frame whose steps are charged.
        kind: The operator's syntax class.
        left: Its left operand.
        right: Its right operand.
        raw: Where it stands, the place of elements that have none.

    Raises:
        Refusal: The result would be too large, or configs cannot use the operator on these.
    """
    if left.__class__ is float and right.__class__ is float and kind in _OPERATORS:
        return _OPERATORS[kind](left, right)
    if kind is ast.BitOr and isinstance(left, dict) and isinstance(right, dict):
        return _united(frame, left, right, raw)
    if kind not in _OPERATORS:
        raise Refusal("this operator is not evaluated in a config", TRUST_HINT)
    if not (is_data(left) and is_data(right)):
        raise Refusal("operators work on plain data only in a config", TRUST_HINT)
    frame.steps.charge_sizes(left, right)
    if isinstance(right, list | tuple | str) and kind is ast.Mult and isinstance(left, int):
        left, right = right, left
    if isinstance(left, str):
        return _with_text(frame, kind, left, right)
    if isinstance(left, list | tuple):
        return _with_sequence(frame, kind, left, right, raw)
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        names = f"'{type(left).__name__}' and '{type(right).__name__}'"
        raise Refusal(f"this operator is not evaluated for {names} in a config", TRUST_HINT)
    if isinstance(left, int) and isinstance(right, int):
        _check_growth(kind, left, right)
    return check_int(_OPERATORS[kind](left, right))


def _check_growth(kind: type[ast.operator], left: int, right: int) -> None:
    bits = left.bit_length()
    if kind is ast.Pow and right > 0:
        bits = bits * right if left not in (0, 1, -1) else 1
    elif kind is ast.LShift:
        bits += right
    elif kind is ast.Mult:
        bits += right.bit_length()
    else:
        return
    if bits > MAX_INT_BITS:
        raise Refusal("the number is too large")


def _with_text(frame: Frame, kind: type[ast.operator], left: str, right: Any) -> str:
    if kind is ast.Mult and isinstance(right, int):
        frame.steps.charge_text(len(left) * max(right, 0))
    elif kind is ast.Add and isinstance(right, str):
        frame.steps.charge_text(len(left) + len(right))
    elif kind is ast.Mod and "%" in left:
        _check_template(frame, left, right)
    result: str = _OPERATORS[kind](left, right)
    frame.steps.charge_text(len(result))
    return result


def _check_template(frame: Frame, template: str, values: Any) -> None:
    """Refuse a '%' template whose text could be too long, before it is made."""
    if _FORMAT_WIDTH.search(template):
        raise Refusal("the format is too wide")
    frame.steps.charge(template.count("%"))
    frame.steps.charge_tree(values)
    frame.steps.charge_text(sum(map(int, _NUMBER.findall(template))))
    if isinstance(values, dict):  # each field may name one and the same value
        frame.steps.charge_text(template.count("%(") * len(repr(values)))


def _with_sequence(
    frame: Frame, kind: type[ast.operator], left: Any, right: Any, raw: RawPlace
) -> Any:
    whole = list if isinstance(left, list) else tuple
    make: Any = placed_list if whole is list else placed_tuple
    places = places_of(left, len(left), raw)
    if kind is ast.Mult and isinstance(right, int):
        frame.steps.charge(len(left) * max(right, 0))
        return make(whole(left) * right, places * right)
    if kind is ast.Add and isinstance(right, whole):
        return make([*left, *right], places + places_of(right, len(right), raw))
    names = f"'{whole.__name__}' and '{type(right).__name__}'"
    raise TypeError(f"unsupported operand types: {names}")


def _united(frame: Frame, left: Any, right: Any, raw: RawPlace) -> Any:
    right = placed(right, raw)
    if isinstance(left, BaseDict):
        frame.steps.charge_tree(left)
        frame.steps.charge_tree(right)
        return left | right
    result = placed_dict(left, dict(placed(left, raw).raw_places))
    update_dict(frame, result, right, raw)
    return result


def operate_in_place(
    frame: Frame, kind: type[ast.operator], left: Any, right: Any, raw: RawPlace
) -> Any:
    """Return what an augmented assignment makes of its target's value: lists and dicts change.

    Raises:
        Refusal: The result would be too large, or configs cannot use the operator on these.
    """
    if isinstance(left, PlacedList) and kind is ast.Add:
        extend(frame, left, right, raw)
        return left
    if isinstance(left, PlacedDict) and isinstance(right, dict) and kind is ast.BitOr:
        frame.steps.charge_tree(right)
        if isinstance(left, BaseDict):
            left.update(placed(right, raw))
        else:
            update_dict(frame, left, right, raw)
        return left
    if isinstance(left, list | dict):
        what = "list" if isinstance(left, list) else "dict"
        raise Refusal(f"this operator does not change a {what} in a config", TRUST_HINT)
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
        frame.steps.left -= 1
        result = operate(frame, link.op.__class__, result, right, frame.raw(link))
    return result


def _unary(frame: Frame, node: ast.UnaryOp) -> Any:
    value = frame.value(node.operand)
    if isinstance(node.op, ast.Not):
        return not value
    if isinstance(node.op, ast.Invert) or not is_data(value):
        raise Refusal("this operator is not evaluated in a config", TRUST_HINT)
    frame.steps.charge_sizes(value)
    return -value if isinstance(node.op, ast.USub) else +value


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
        if isinstance(kind, ast.In | ast.NotIn):
            right = _searchable(frame, right, left)
        elif not isinstance(kind, ast.Is | ast.IsNot):
            frame.steps.charge_tree(left)
            frame.steps.charge_tree(right)
        result = _COMPARISONS[kind.__class__](left, right)
        if not result:
            return result
        left = right
    return result


def _searchable(frame: Frame, value: Any, wanted: Any) -> Any:
    """Charge a search for what is wanted, and return what to search."""
    if isinstance(value, dict | set):
        key_checked(frame, wanted)
        return value
    frame.steps.charge_tree(wanted)
    if not is_data(value):
        return elements_of(frame, value)
    frame.steps.charge_tree(value)
    return value


def _boolean(frame: Frame, node: ast.BoolOp) -> Any:
    stop = isinstance(node.op, ast.Or)
    result: Any = None
    for operand in node.values:
        result = frame.value(operand)
        if bool(result) is stop:
            return result
    return result


def _conditional(frame: Frame, node: ast.IfExp) -> Any:
    return frame.value(node.body if frame.value(node.test) else node.orelse)


HANDLERS: dict[type[ast.AST], Handler] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _conditional,
}
