"""What stands left of an assignment."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import METHOD_NAMES, BaseDict
from optplan.config.evaluator.data import delete_item, places_of, set_item, taken
from optplan.config.limits import Refusal
from optplan.config.placed import placed_list
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """Bind a value to a target, whatever its form.

    Raises:
        Refusal: It cannot be assigned to.
    """
    if isinstance(target, ast.Name):
        name = target.id
        frame.names[name] = value
        frame.marks[name] = (frame.file, target.lineno, target.col_offset)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(frame, target, value)
    elif isinstance(target, ast.Subscript):
        container = frame.value(target.value)
        set_item(frame, container, frame.value(target.slice), value, frame.raw(target))
    elif isinstance(target, ast.Attribute):
        owner = frame.value(target.value)
        set_item(frame, owner, attribute_key(owner, target.attr), value, frame.raw(target))
    else:
        raise Refusal("this cannot be assigned to")


def attribute_key(owner: Any, name: str) -> str:
    """The key that an attribute of a base's dict stands for.

    Raises:
        Refusal: The owner has no such attributes.
    """
    if isinstance(owner, BaseDict) and name not in METHOD_NAMES and not name.startswith("__"):
        return name
    if isinstance(owner, Symbol):
        raise Refusal("what is imported cannot be changed in a config")
    if isinstance(owner, dict):
        raise Refusal(f"a plain dict has no attribute '{name}'", f"write ['{name}'] instead")
    raise Refusal(f"the attribute '{name}' cannot be set in a config")


def _unpack(frame: Frame, target: ast.Tuple | ast.List, value: Any) -> None:
    items = taken(frame, value)
    places = places_of(value, len(items), None)
    starred = [at for at, node in enumerate(target.elts) if isinstance(node, ast.Starred)]
    if not starred:
        _check_count(len(target.elts), len(items))
        for node, item in zip(target.elts, items, strict=True):
            assign(frame, node, item)
        return
    if len(starred) > 1:
        raise SyntaxError("multiple starred expressions in assignment")
    at = starred[0]
    after = len(target.elts) - at - 1
    if len(items) < at + after:
        raise ValueError(f"not enough values to unpack (expected at least {at + after})")
    stop = len(items) - after
    for node, item in zip(target.elts[:at], items[:at], strict=True):
        assign(frame, node, item)
    rest = target.elts[at]
    assert isinstance(rest, ast.Starred)
    raws: list[RawPlace] = [raw or frame.raw(rest) for raw in places[at:stop]]
    assign(frame, rest.value, placed_list(items[at:stop], raws))
    for node, item in zip(target.elts[at + 1 :], items[stop:], strict=True):
        assign(frame, node, item)


def _check_count(expected: int, given: int) -> None:
    if given > expected:
        raise ValueError(f"too many values to unpack (expected {expected})")
    if given < expected:
        raise ValueError(f"not enough values to unpack (expected {expected}, got {given})")


def delete(frame: Frame, target: ast.expr) -> None:
    """Do what ``del target`` does.

    Raises:
        Refusal: It cannot be deleted.
    """
    frame.budget.spend(1)
    if isinstance(target, ast.Name):
        if target.id not in frame.names:
            raise Refusal(f"the name '{target.id}' is not defined")
        del frame.names[target.id]
        frame.marks.pop(target.id, None)
    elif isinstance(target, ast.Tuple | ast.List):
        for node in target.elts:
            delete(frame, node)
    elif isinstance(target, ast.Subscript):
        container = frame.value(target.value)
        delete_item(frame, container, frame.value(target.slice))
    elif isinstance(target, ast.Attribute):
        owner = frame.value(target.value)
        delete_item(frame, owner, attribute_key(owner, target.attr))
    else:
        raise Refusal("this cannot be deleted")
