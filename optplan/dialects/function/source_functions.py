"""The functions of a Python file that make optimizers, found in its syntax tree: nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_TELLING_NAME = re.compile(r"optim|param_?groups|parameter_?groups", re.IGNORECASE)
# A word of the path to what is called: torch.optim.AdamW, build_optimizer, bnb.optim.Lion8bit.
_OPTIMIZER = re.compile(
    r"optim|(?:adam|adamw|sgd|lion|muon|rmsprop|adagrad|adafactor|lamb)\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function of a file, or a method of a class at its top, with its line and column from 1."""

    name: str
    line: int
    column: int
    node: _Function


def definition_at(text: str, name: str) -> tuple[int, int]:
    """Return the line and column where a file defines a function, or gives a name a value; (0, 0) for nowhere.

    For a method of an object, it is where the object is made.
    """
    defined = next((one for one in _definitions(text) if one.name == name), None)
    if defined is not None:
        return defined.line, defined.column
    first = name.partition(".")[0]
    for node in _body(text):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(one, ast.Name) and one.id == first for one in targets):
            return node.lineno, node.col_offset + 1
    return 0, 0


def optimizer_functions(text: str) -> tuple[str, ...]:
    """Return the functions and methods that seem to make param groups or optimizers of a model.

    They take something, return something, and are called so, call an optimizer or write a group.
    Private ones are left out if there are others.
    """
    found = [one.name for one in _definitions(text) if _may_make_optimizers(one)]
    public = [name for name in found if not name.rpartition(".")[2].startswith("_")]
    return tuple(public or found)


def _body(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _definitions(text: str) -> Iterator[FunctionName]:
    for node in _body(text):
        if isinstance(node, _Function):
            yield FunctionName(node.name, node.lineno, node.col_offset + 1, node)
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, _Function):
                    name = f"{node.name}.{inner.name}"
                    yield FunctionName(name, inner.lineno, inner.col_offset + 1, inner)


def _may_make_optimizers(found: FunctionName) -> bool:
    arguments = found.node.args
    takes = arguments.posonlyargs or arguments.args or arguments.vararg or arguments.kwonlyargs
    inside = list(_inside(found.node))
    gives = any(
        (isinstance(node, ast.Return) and node.value is not None)
        or isinstance(node, ast.Yield | ast.YieldFrom)
        for node in inside
    )
    if not takes or not gives or found.name.rpartition(".")[2].startswith("__"):
        return False
    return bool(_TELLING_NAME.search(found.name.rpartition(".")[2])) or any(
        _makes_group(node) or _calls_optimizer(node) for node in inside
    )


def _inside(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function but for those of functions in it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            yield node
            yield from _inside(node)


def _makes_group(node: ast.AST) -> bool:
    if isinstance(node, ast.Dict):
        return any(isinstance(key, ast.Constant) and key.value == "params" for key in node.keys)
    is_dict = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict"
    )
    return is_dict and any(one.arg == "params" for one in node.keywords)  # type: ignore[attr-defined]


def _calls_optimizer(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    words, called = list[str](), node.func
    while isinstance(called, ast.Attribute):
        words.append(called.attr)
        called = called.value
    if isinstance(called, ast.Name):
        words.append(called.id)
    return any(_OPTIMIZER.search(word) for word in words)
