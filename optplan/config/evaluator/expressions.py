"""Names, literals, subscripts and comprehensions."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import METHOD_NAMES, BaseDict
from optplan.config.evaluator.builtins import BUILTINS
from optplan.config.evaluator.data import elements_of, iterate, key_checked, placed, places_of
from optplan.config.evaluator.definitions import Definition
from optplan.config.evaluator.formatting import formatted
from optplan.config.evaluator.frame import TRUST_HINT, Frame, Handler
from optplan.config.evaluator.modules import Module
from optplan.config.evaluator.targets import assign
from optplan.config.limits import CONSTANTS_PER_STEP, Refusal
from optplan.config.placed import PlacedDict, PlacedList, placed_list, placed_tuple
from optplan.config.symbols import Symbol
from optplan.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optplan.config.placed import RawPlace


def _name(frame: Frame, node: ast.Name) -> Any:
    name = node.id
    for scope in frame.scopes():
        if name in scope.names:
            found = scope.names[name]
            if found.__class__ is Definition:
                found.refuse(name)
            return found
    if name == "_base_" and frame.base is not None:
        return frame.base()
    if name in BUILTINS:
        return BUILTINS[name]
    if name in frame.extras:
        return frame.extras[name]
    if name.startswith("__") or hasattr(builtins, name):
        raise Refusal(f"'{name}' is not available to a config", TRUST_HINT)
    known = [known for scope in frame.scopes() for known in scope.names]
    hint = did_you_mean(name, [*known, *BUILTINS])
    if hint is None and name[:1].isupper():
        hint = f"a class is written as text, in a dict: dict(type='{name}', ...)"
    raise Refusal(f"the name '{name}' is not defined", hint)


def _items(frame: Frame, nodes: list[ast.expr]) -> tuple[list[Any], list[RawPlace]]:
    file = frame.file
    frame.steps.charge(len(nodes) // CONSTANTS_PER_STEP)
    items: list[Any] = []
    places: list[RawPlace] = []
    for node in nodes:
        if node.__class__ is ast.Constant:
            items.append(node.value)
        elif isinstance(node, ast.Starred):
            source = frame.value(node.value)
            more = elements_of(frame, source)
            items += more
            places += places_of(source, len(more), (file, node.lineno, node.col_offset))
            continue
        else:
            items.append(frame.value(node))
        places.append((file, node.lineno, node.col_offset))
    return items, places


def _list(frame: Frame, node: ast.List) -> PlacedList:
    items, places = _items(frame, node.elts)
    return placed_list(items, places)


def _tuple(frame: Frame, node: ast.Tuple) -> Any:
    items, places = _items(frame, node.elts)
    return placed_tuple(items, places)


def _set(frame: Frame, node: ast.Set) -> set[Any]:
    return {key_checked(frame, item) for item in _items(frame, node.elts)[0]}


def _dict(frame: Frame, node: ast.Dict) -> PlacedDict:
    result = PlacedDict()
    places: dict[Any, RawPlace] = {}
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        if key_node is None:
            more = frame.value(value_node)
            if not isinstance(more, dict):
                raise TypeError(f"'{type(more).__name__}' object is not a mapping")
            frame.steps.charge(len(more))
            result.update(more)
            places.update(placed(more, frame.raw(value_node)).raw_places)
        else:
            key = key_checked(frame, frame.value(key_node))
            result[key] = frame.value(value_node)
            places[key] = (frame.file, key_node.lineno, key_node.col_offset)
    result.raw_places = places
    return result


def _subscript(frame: Frame, node: ast.Subscript) -> Any:
    container = frame.value(node.value)
    key = frame.value(node.slice)
    if isinstance(container, dict):
        key = key_checked(frame, key)
        if key not in container:
            raise Refusal(f"no key {key!r} here", _near_key(container, key))
        return container[key]
    if not isinstance(container, list | tuple | str | range):
        name = type(container).__name__
        raise Refusal(f"'{name}' object cannot be subscripted in a config", TRUST_HINT)
    frame.steps.charge_sizes(container if isinstance(container, range) else None)
    part = container[key]
    if not isinstance(key, slice):
        return part
    frame.steps.charge(1 if isinstance(part, range) else len(part))
    places = getattr(container, "raw_places", None)
    if places is None or isinstance(part, str | range):
        return placed(part, frame.raw(node))
    return (placed_list if isinstance(part, list) else placed_tuple)(part, places[key])


def _near_key(container: dict[Any, Any], key: Any) -> str | None:
    if not isinstance(key, str):
        return None
    return did_you_mean(key, [known for known in dict.keys(container) if isinstance(known, str)])


def _slice(frame: Frame, node: ast.Slice) -> slice:
    start, stop, step = (
        None if part is None else frame.value(part) for part in (node.lower, node.upper, node.step)
    )
    return slice(start, stop, step)


def _attribute(frame: Frame, node: ast.Attribute) -> Any:
    owner = frame.value(node.value)
    name = node.attr
    if isinstance(owner, BaseDict) and name not in METHOD_NAMES and not name.startswith("__"):
        if name in owner:
            return dict.__getitem__(owner, name)
        what = "the base config has" if isinstance(node.value, ast.Name) else "there is"
        raise Refusal(f"{what} no '{name}' here", _near_key(owner, name))
    if isinstance(owner, Symbol) and not name.startswith("__"):
        frame.steps.charge_text(len(owner.dotted) + len(name))
        return owner.attribute(name)
    if isinstance(owner, Module):
        return owner.attribute(name)
    if isinstance(owner, dict) and name in owner:
        raise Refusal(
            f"a plain dict has no attribute '{name}'", f"write ['{name}'] instead of .{name}"
        )
    raise Refusal(f"the attribute '{name}' is not available to a config", TRUST_HINT)


def _generated(frame: Frame, node: Any, depth: int = 0, first: Any = None) -> Iterator[Frame]:
    """Yield one inner frame again and again, its names bound to each combination."""
    generator = node.generators[depth]
    if generator.is_async:
        raise Refusal("an async comprehension is not evaluated in a config", TRUST_HINT)
    iterable = first if depth == 0 else frame.value(generator.iter)
    for item in iterate(frame, iterable):
        assign(frame, generator.target, item)
        for condition in generator.ifs:
            if not frame.value(condition):
                break
        else:
            if depth + 1 < len(node.generators):
                yield from _generated(frame, node, depth + 1)
            else:
                yield frame


def _rounds(frame: Frame, node: Any) -> Iterator[Frame]:
    # The first iterable belongs to the frame outside.
    first = frame.value(node.generators[0].iter)
    return _generated(Frame(frame.file, frame.steps, frame), node, 0, first)


def _list_comprehension(frame: Frame, node: ast.ListComp) -> PlacedList:
    items = [inner.value(node.elt) for inner in _rounds(frame, node)]
    return placed_list(items, [frame.raw(node.elt)] * len(items))


def _set_comprehension(frame: Frame, node: ast.SetComp) -> set[Any]:
    return {key_checked(frame, inner.value(node.elt)) for inner in _rounds(frame, node)}


def _dict_comprehension(frame: Frame, node: ast.DictComp) -> PlacedDict:
    result = PlacedDict()
    for inner in _rounds(frame, node):
        key = key_checked(frame, inner.value(node.key))
        result[key] = inner.value(node.value)
    result.raw_places = dict.fromkeys(result, frame.raw(node.key))
    return result


def _generator(frame: Frame, node: ast.GeneratorExp) -> Iterator[Any]:
    return (inner.value(node.elt) for inner in _rounds(frame, node))


def _joined_text(frame: Frame, node: ast.JoinedStr) -> str:
    parts: list[Any] = [
        part.value if part.__class__ is ast.Constant else frame.value(part) for part in node.values
    ]
    frame.steps.charge_text(sum(map(len, parts)))
    return "".join(parts)


def _formatted(frame: Frame, node: ast.FormattedValue) -> str:
    value = frame.value(node.value)
    spec = "" if node.format_spec is None else frame.value(node.format_spec)
    conversion = "" if node.conversion < 0 else chr(node.conversion)
    return formatted(frame, value, conversion, spec)


HANDLERS: dict[type[ast.AST], Handler] = {
    ast.Constant: lambda _, node: node.value,
    ast.Name: _name,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Attribute: _attribute,
    ast.ListComp: _list_comprehension,
    ast.SetComp: _set_comprehension,
    ast.DictComp: _dict_comprehension,
    ast.GeneratorExp: _generator,
    ast.JoinedStr: _joined_text,
    ast.FormattedValue: _formatted,
}
