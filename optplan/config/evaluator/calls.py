"""Calls: of known functions, of methods of plain data, and of nothing else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.builtins import call_function
from optplan.config.evaluator.data import elements_of, placed, places_of, update
from optplan.config.evaluator.frame import TRUST_HINT, Call, Frame, Handler
from optplan.config.evaluator.methods import method_of
from optplan.config.evaluator.modules import Module
from optplan.config.limits import CONSTANTS_PER_STEP, Refusal
from optplan.config.placed import PlacedDict
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    from collections.abc import Container

    from optplan.config.placed import RawPlace


def _call(frame: Frame, node: ast.Call) -> Any:
    function = node.func
    if isinstance(function, ast.Attribute):
        owner = frame.value(function.value)
        if not isinstance(owner, Module | Symbol):
            method = method_of(owner, function.attr)
            call, args, named = _arguments(frame, node)
            return placed(method(call, owner, *args, **named), call.raw)
        target = owner.attribute(function.attr)
    elif isinstance(function, ast.Name) and function.id == "dict" and not _is_bound(frame, "dict"):
        return _dict(frame, node)
    else:
        target = frame.value(function)
    if isinstance(target, Symbol | Module):
        name = target.dotted if isinstance(target, Symbol) else target.name
        last = name.rpartition(".")[2]
        is_class = last[:1].isupper()
        hint = f"write dict(type={last}, ...), or {TRUST_HINT}" if is_class else TRUST_HINT
        raise Refusal(f"a config cannot call '{name}', it is only a name here", hint)
    call, args, named = _arguments(frame, node)
    return placed(call_function(call, target, args, named), call.raw)


def _is_bound(frame: Frame, name: str) -> bool:
    return name in frame.names or (
        frame.parent is not None and any(name in scope.names for scope in frame.scopes())
    )


def _dict(frame: Frame, node: ast.Call) -> PlacedDict:
    """Evaluate ``dict(…)``, by far the most frequent call, with the place of every keyword."""
    result = PlacedDict()
    places: dict[Any, RawPlace] = {}
    result.raw_places = places
    if node.args:
        sources = _positional(frame, node, {})
        if len(sources) > 1:
            raise TypeError(f"dict expected at most 1 argument, got {len(sources)}")
        for source in sources:
            update(frame, result, source, frame.raw(node.args[0]))
    file = frame.file
    frame.steps.charge(len(node.keywords) // CONSTANTS_PER_STEP)
    named: set[str] = set()
    for keyword in node.keywords:
        name = keyword.arg
        value_node = keyword.value
        if value_node.__class__ is ast.Constant:
            value: Any = value_node.value
        else:
            value = frame.value(value_node)
        if name is None:
            for key in _mapping(frame, value):
                _check_new(key, named)
                named.add(key)
                result[key] = value[key]
            places.update(placed(value, frame.raw(value_node)).raw_places)
        else:
            if name in named:
                _check_new(name, named)
            named.add(name)
            result[name] = value
            places[name] = (file, keyword.lineno, keyword.col_offset)
    return result


def _mapping(frame: Frame, value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"argument after ** must be a mapping, not {type(value).__name__}")
    frame.steps.charge(len(value))
    return value


def _check_new(key: Any, named: Container[str]) -> None:
    if not isinstance(key, str):
        raise TypeError("keywords must be strings")
    if key in named:
        raise TypeError(f"got multiple values for keyword argument '{key}'")


def _positional(frame: Frame, node: ast.Call, places: dict[Any, RawPlace]) -> list[Any]:
    args: list[Any] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            source = frame.value(argument.value)
            more = elements_of(frame, source)
            found = places_of(source, len(more), frame.raw(argument))
            places.update(enumerate(found, len(args)))
            args += more
        else:
            places[len(args)] = frame.raw(argument)
            args.append(frame.value(argument))
    return args


def _arguments(frame: Frame, node: ast.Call) -> tuple[Call, list[Any], dict[str, Any]]:
    places: dict[Any, RawPlace] = {}
    args = _positional(frame, node, places)
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        value = frame.value(keyword.value)
        if keyword.arg is None:
            found = placed(_mapping(frame, value), frame.raw(keyword.value)).raw_places
            for key in value:
                _check_new(key, named)
                named[key] = value[key]
                places[key] = found.get(key)
        else:
            _check_new(keyword.arg, named)
            named[keyword.arg] = value
            places[keyword.arg] = frame.raw(keyword)
    return Call(frame, frame.raw(node), places), args, named


HANDLERS: dict[type[ast.AST], Handler] = {ast.Call: _call}
