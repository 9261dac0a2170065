"""Assignments, loops, conditions and imports."""

from __future__ import annotations

import ast
from typing import Any

from optplan.config.evaluator.data import iterate, set_item
from optplan.config.evaluator.formatting import text_of
from optplan.config.evaluator.frame import TRUST_HINT, Frame, Handler
from optplan.config.evaluator.modules import import_from, import_module
from optplan.config.evaluator.operators import operate_in_place
from optplan.config.evaluator.targets import assign, attribute_key, delete
from optplan.config.limits import Refusal, size_of


def _assign(frame: Frame, node: ast.Assign) -> None:
    value_node = node.value
    value: Any = (
        value_node.value if isinstance(value_node, ast.Constant) else frame.value(value_node)
    )
    frame.steps.left -= len(node.targets)
    for target in node.targets:
        assign(frame, target, value)


def _assign_annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(frame, node.target, frame.value(node.value))


def _assign_in_place(frame: Frame, node: ast.AugAssign) -> None:
    target = node.target
    raw = frame.raw(target)
    kind = node.op.__class__
    if isinstance(target, ast.Name):
        old = frame.value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
        assign(frame, target, operate_in_place(frame, kind, old, frame.value(node.value), raw))
        return
    owner = frame.value(target.value)
    if isinstance(target, ast.Subscript):
        key = frame.value(target.slice)
    else:
        key = attribute_key(owner, target.attr)
    if not isinstance(owner, dict | list):
        raise TypeError(f"'{type(owner).__name__}' object does not support item assignment")
    old = owner[key]
    new = operate_in_place(frame, kind, old, frame.value(node.value), raw)
    set_item(frame, owner, key, new, raw)


def _for(frame: Frame, node: ast.For) -> None:
    if node.orelse:
        raise Refusal("'else' of a loop is not evaluated in a config", TRUST_HINT)
    for item in iterate(frame, frame.value(node.iter)):
        assign(frame, node.target, item)
        frame.run(node.body)


def _if(frame: Frame, node: ast.If) -> None:
    frame.run(node.body if frame.value(node.test) else node.orelse)


def _assert(frame: Frame, node: ast.Assert) -> None:
    if not frame.value(node.test):
        raise AssertionError("" if node.msg is None else text_of(frame, frame.value(node.msg)))


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        delete(frame, target)


def _expression(frame: Frame, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        frame.value(node.value)


def _import(frame: Frame, node: ast.Import) -> None:
    frame.steps.charge(len(node.names))
    for alias in node.names:
        import_module(frame, alias.name, alias.asname, frame.raw(node))


def _import_from(frame: Frame, node: ast.ImportFrom) -> None:
    module = "." * node.level + (node.module or "")
    frame.steps.charge(len(node.names) * (1 + size_of(module)))
    for alias in node.names:
        if alias.name == "*":
            raise Refusal(f"'from {module} import *' is not read outside 'with read_base()'")
        import_from(frame, module, alias.name, alias.asname, frame.raw(node))


HANDLERS: dict[type[ast.AST], Handler] = {
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AnnAssign: _assign_annotated,
    ast.AugAssign: _assign_in_place,
    ast.Delete: _delete,
    ast.Expr: _expression,
    ast.For: _for,
    ast.If: _if,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Pass: lambda _, __: None,
}
