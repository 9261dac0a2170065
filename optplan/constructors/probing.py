"""Whether what one of torch's optimizers does with some arguments holds for all arguments of their kind."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.cache.optimizers import DTYPES, Source, is_constant
from optplan.constructors.dry_run import optimizer_facts
from optplan.constructors.optimizers import Group, Param, first_argument
from optplan.facts import OptimizerFacts

_SHAPES = ((), (1,), (2, 3), (2, 3, 4), (2, 3, 4, 5))
_COMPARED_WITH = (0, 1)


def probed(
    found: Callable[..., Optimizer], arguments: Mapping[str, Any], *, is_several: bool
) -> tuple[OptimizerFacts, dict[str, Source]] | None:
    """The optimizer, and where each of its hyper-parameters comes from.

    None where another argument of the same kind, or a parameter of another shape, could make a difference.

    Args:
        found: The class.
        arguments: Arguments that it takes.
        is_several: Whether there are several groups.
    """
    if not _is_of_torch(found) or not _compares_with_known_numbers(found):
        return None
    others = {name: _other(value) for name, value in arguments.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            made = _make(found, arguments, is_several=is_several)
            other = _make(found, others, is_several=is_several)
    except Exception:  # noqa: BLE001 - a class says no in its own way
        return None
    if made.defaults.keys() != other.defaults.keys():
        return None
    sources = {}
    for name, value in made.defaults.items():
        found_in = _source(value, arguments.get(name))
        if found_in is not _source(other.defaults[name], others.get(name)):
            return None
        is_same = repr(value) == repr(other.defaults[name]) and is_constant(value)
        if found_in is Source.CLASS and not is_same:
            return None
        sources[name] = found_in
    return optimizer_facts(made), sources


def _source(value: object, argument: object) -> Source:
    """Where a hyper-parameter comes from, if it is the class where it is no argument."""
    if value is not None and value is argument:
        return Source.ARGUMENT
    if isinstance(value, tuple) and isinstance(argument, tuple | list):
        items = zip(value, argument, strict=False)
        if len(value) == len(argument) and all(one is other for one, other in items):
            return Source.ITEMS
    return Source.CLASS


def _is_of_torch(found: Callable[..., Optimizer]) -> bool:
    """Whether it is a class of torch itself, and no other that calls itself so."""
    module, name = found.__module__, getattr(found, "__qualname__", "")
    home = sys.modules.get(module)
    return f"{module}.".startswith("torch.optim.") and getattr(home, name, None) is found


@cache
def _compares_with_known_numbers(found: Callable[..., Optimizer]) -> bool:
    """Whether the class and its bases order arguments by nothing else than these numbers."""
    for base in inspect.getmro(found) if inspect.isclass(found) else ():
        if base in (Optimizer, object) or "__init__" not in vars(base):
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(vars(base)["__init__"])))
        except (OSError, TypeError, SyntaxError):
            return False
        if not all(map(_is_known, _comparisons(tree))):
            return False
    return True


def _comparisons(tree: ast.AST) -> Iterator[ast.Compare]:
    ordering = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, ordering) for op in node.ops):
            yield node


def _is_known(comparison: ast.Compare) -> bool:
    """Whether each of two neighbours is a known number, or text."""
    sides = [_constant(side) for side in (comparison.left, *comparison.comparators)]
    return all(_is_bound(left) or _is_bound(right) for left, right in pairwise(sides))


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else _UNKNOWN


_UNKNOWN = object()


def _is_bound(value: object) -> bool:
    return isinstance(value, str) or (value is not _UNKNOWN and value in _COMPARED_WITH)


def _make(
    found: Callable[..., Optimizer], arguments: Mapping[str, Any], *, is_several: bool
) -> Optimizer:
    """The optimizer on parameters of every kind that a model may have."""
    parameters = [
        Param(torch.empty(shape, dtype=getattr(torch, dtype), device="meta"))
        for dtype in DTYPES
        for shape in _SHAPES
    ]
    parameters[-1].requires_grad_(False)
    groups: list[Group] = [{"params": [parameter]} for parameter in parameters]
    given = groups if is_several else [{"params": parameters}]
    return found(**{first_argument(found): given}, **arguments)


def _other(value: Any) -> Any:
    """Another value of the same kind, where there is one."""
    if isinstance(value, tuple | list):
        others = map(_other, value)
        return list(others) if isinstance(value, list) else tuple(others)
    if type(value) is float and value not in _COMPARED_WITH and abs(value) != float("inf"):
        return value / 2 if abs(value) < 1 else value * 2
    if type(value) is int and value not in _COMPARED_WITH:
        return value * 2
    return value
