"""Calls: of builtins, of methods of plain data, and of nothing else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.builtins import callable_for
from optplan.config.evaluator.data import placed, places_of, taken
from optplan.config.evaluator.frame import EXPRESSIONS, TRUST_HINT
from optplan.config.evaluator.methods import method_of
from optplan.config.evaluator.modules import Module
from optplan.config.limits import CONSTANTS_PER_STEP, Refusal
from optplan.config.placed import PlacedDict
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    from collections.abc import Container

    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace


def _call(frame: Frame, node: ast.Call) -> Any:
    function = node.func
    if isinstance(function, ast.Name):
        if (
            function.id == "dict"
            and "dict" not in frame.names
            and (frame.parent is None or not _is_bound(frame.parent, "dict"))
        ):
            return _dict(frame, node)
        target = frame.value(function)
    elif isinstance(function, ast.Attribute):
        owner = frame.value(function.value)
        if not isinstance(owner, Module | Symbol):
            method = method_of(owner, function.attr)
            if method is None:
                raise Refusal(f"calling '.{function.attr}' is not done in a config", TRUST_HINT)
            args, named, places = _arguments(frame, node)
            return method(frame, frame.raw(node), places, owner, *args, **named)
        target = owner.attribute(function.attr)
    else:
        target = frame.value(function)
    if isinstance(target, Symbol | Module):
        name = target.dotted if isinstance(target, Symbol) else target.name
        raise Refusal(f"a config cannot call '{name}', it is only a name here", TRUST_HINT)
    known = callable_for(target)
    args, named, _ = _arguments(frame, node)
    raw = frame.raw(node)
    return placed(known(frame, raw, *args, **named), raw)


def _is_bound(frame: Frame, name: str) -> bool:
    scope: Frame | None = frame
    while scope is not None:
        if name in scope.names:
            return True
        scope = scope.parent
    return False


def _dict(frame: Frame, node: ast.Call) -> PlacedDict:
    """``dict(…)``, by far the most frequent call, with the place of every keyword."""
    result = PlacedDict()
    places: dict[Any, RawPlace] = {}
    result.raw_places = places
    if node.args:
        from optplan.config.evaluator.builtins import update

        sources = _positional(frame, node, {})
        if len(sources) > 1:
            raise TypeError(f"dict expected at most 1 argument, got {len(sources)}")
        for source in sources:
            update(frame, result, source, frame.raw(node.args[0]))
    file = frame.file
    frame.budget.spend(len(node.keywords) // CONSTANTS_PER_STEP)
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
    frame.budget.spend(len(value))
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
            more = taken(frame, source)
            found = places_of(source, len(more), frame.raw(argument))
            places.update(enumerate(found, len(args)))
            args += more
        else:
            places[len(args)] = frame.raw(argument)
            args.append(frame.value(argument))
    return args


def _arguments(
    frame: Frame, node: ast.Call
) -> tuple[list[Any], dict[str, Any], dict[Any, RawPlace]]:
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
    return args, named, places


EXPRESSIONS[ast.Call] = _call
