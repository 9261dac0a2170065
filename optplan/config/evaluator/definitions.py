"""Functions and classes that a config defines: never run, and refused where they are used."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from optplan.config.evaluator.frame import TRUST_HINT, Frame, Handler, unsupported
from optplan.config.limits import Refusal

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Definition:
    """The value that a ``def`` or ``class`` statement binds; it is no entry of the config."""

    __slots__ = ("what",)

    def __init__(self, what: str) -> None:
        self.what = what

    def refuse(self, name: str) -> None:
        """Refuse to use it.

        Raises:
            Refusal: Always.
        """
        raise Refusal(f"'{name}' is {self.what} of the config's own, which is not run", TRUST_HINT)


def _define(frame: Frame, node: Any) -> None:
    """Bind a name, unless making the function or class could change other names of the file."""
    for part in _evaluated_at_once(node):
        if part is None or _has_effect(frame, part):
            unsupported(frame, node)
    frame.names[node.name] = Definition(
        "a class" if isinstance(node, ast.ClassDef) else "a function"
    )
    frame.marks[node.name] = frame.raw(node)


def _evaluated_at_once(node: Any) -> Iterator[ast.expr | None]:
    """Yield the expressions evaluated to make a function or class; None for other statements."""
    yield from node.decorator_list
    if isinstance(node, _FUNCTIONS):
        yield from node.args.defaults
        yield from filter(None, node.args.kw_defaults)
        return
    yield from node.bases
    yield from (keyword.value for keyword in node.keywords)
    for inner in node.body:
        if isinstance(inner, (*_FUNCTIONS, ast.ClassDef)):
            yield from _evaluated_at_once(inner)
        elif isinstance(inner, ast.Assign) and all(isinstance(t, ast.Name) for t in inner.targets):
            yield inner.value
        elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            yield from filter(None, [inner.value])
        elif isinstance(inner, ast.Expr):
            yield inner.value
        elif not isinstance(inner, ast.Pass):
            yield None


def _has_effect(frame: Frame, expression: ast.expr) -> bool:
    """Return whether an expression may change a container of the file, or bind a name."""
    for part in ast.walk(expression):
        if isinstance(part, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return True
        if isinstance(part, ast.Name) and (
            part.id == "_base_" or isinstance(frame.names.get(part.id), dict | list | set)
        ):
            return True
    return False


HANDLERS: dict[type[ast.AST], Handler] = dict.fromkeys((*_FUNCTIONS, ast.ClassDef), _define)
