"""Targets of assignments and of ``del``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import METHOD_NAMES, BaseDict
from optplan.config.evaluator.data import delete_item, elements_of, set_item
from optplan.config.evaluator.frame import TRUST_HINT
from optplan.config.limits import Refusal
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    from optplan.config.evaluator.frame import Frame


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
        _unpack(frame, target.elts, value)
    elif isinstance(target, ast.Subscript):
        container = frame.value(target.value)
        set_item(frame, container, frame.value(target.slice), value, frame.raw(target))
    elif isinstance(target, ast.Attribute):
        owner = frame.value(target.value)
        set_item(frame, owner, attribute_key(owner, target.attr), value, frame.raw(target))
    else:
        raise Refusal("'*' in a target is not evaluated in a config", TRUST_HINT)


def attribute_key(owner: Any, name: str) -> str:
    """Return the key that an attribute of a base's dict stands for.

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


def _unpack(frame: Frame, targets: list[ast.expr], value: Any) -> None:
    items = elements_of(frame, value)
    if any(isinstance(target, ast.Starred) for target in targets):
        raise Refusal("'*' in a target is not evaluated in a config", TRUST_HINT)
    if len(items) > len(targets):
        raise ValueError(f"too many values to unpack (expected {len(targets)})")
    if len(items) < len(targets):
        raise ValueError(f"not enough values to unpack (expected {len(targets)}, got {len(items)})")
    for target, item in zip(targets, items, strict=True):
        assign(frame, target, item)


def delete(frame: Frame, target: ast.expr) -> None:
    """Do what ``del target`` does.

    Raises:
        Refusal: It cannot be deleted.
    """
    frame.steps.charge(1)
    if isinstance(target, ast.Name):
        if target.id not in frame.names:
            raise Refusal(f"the name '{target.id}' is not defined")
        del frame.names[target.id]
        frame.marks.pop(target.id, None)
    elif isinstance(target, ast.Subscript):
        container = frame.value(target.value)
        delete_item(frame, container, frame.value(target.slice))
    elif isinstance(target, ast.Attribute):
        owner = frame.value(target.value)
        delete_item(frame, owner, attribute_key(owner, target.attr))
    else:
        raise Refusal("this form of 'del' is not evaluated in a config", TRUST_HINT)
