"""Check JSON data against a published schema, without a package for it.

Only the keywords that the schemas of optplan use are known; any other raises when the schema is compiled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

Check = Callable[[Any], None]

_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description"})
_TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "null": ("null", (type(None),)),
    "boolean": ("true or false", (bool,)),
    "integer": ("an integer", (int,)),
    "number": ("a number", (int, float)),
    "string": ("a string", (str,)),
    "array": ("a list", (list,)),
    "object": ("an object", (dict,)),
}
# Sizes and indices beyond this are no count of anything, and cannot be reckoned with as floats.
_LARGEST = 2**63 - 1
_DEEPEST = 64
_SHOWN = 60
_LONGEST = 10  # parts of a path that a message shows


class MisfitError(Exception):
    """A value that does not fit its schema.

    Args:
        problem: What is wrong with it.
        path: The keys and indices that lead to it.
    """

    def __init__(self, problem: str, *path: str | int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = [*reversed(path)]

    def __str__(self) -> str:
        return f"{path_text(self.path[::-1])}: {self.problem}"


def path_text(path: Sequence[str | int]) -> str:
    """Where a value is: ``parameters[3].lr``; 'the file' for the whole, and a long path is cut."""
    text = "".join(
        f".{part}"
        if isinstance(part, str) and part.isidentifier() and part.isascii()
        else f"[{json.dumps(part)}]"
        for part in path[:_LONGEST]
    ) + "…" * (len(path) > _LONGEST)
    return text.removeprefix(".") or "the file"


def got(value: object) -> str:
    """A value as a message shows it: its JSON text, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def compiled(schema: Mapping[str, Any], *, is_open: bool = False) -> Check:
    """Return a function that raises :class:`MisfitError` where a value does not fit a schema.

    Every number must be finite, also where the schema says nothing: JSON has no other numbers.

    Args:
        schema: The schema.
        is_open: Accept fields that the schema does not know, as a newer minor version may have.

    Raises:
        ValueError: The schema has a keyword that is not known here.
    """
    return _Compiler(schema.get("$defs", {}), is_open)(schema)


class _Compiler:
    def __init__(self, definitions: Mapping[str, Any], is_open: bool) -> None:
        self._is_open = is_open
        self._known = {f"#/$defs/{name}": schema for name, schema in definitions.items()}
        self._made: dict[str, Check] = {}

    def __call__(self, schema: Mapping[str, Any]) -> Check:
        words = {word: value for word, value in schema.items() if word not in _ANNOTATIONS}
        if set(words) == {"$ref"}:
            return self._referred(words["$ref"])
        if set(words) == {"enum"}:
            return _one_of(words["enum"])
        if set(words) == {"const"}:
            return _only(words["const"])
        if "type" not in words:
            raise ValueError(f"a schema without a type: {schema}")
        names = words.pop("type")
        names = [names] if isinstance(names, str) else names
        by_type: dict[type, Check] = {}
        for name in names:
            by_type |= dict.fromkeys(_TYPES[name][1], self._of_type(name, words))
        if words:
            raise ValueError(f"keywords that nothing checks: {', '.join(words)}")
        return _ByType(by_type, " or ".join(_TYPES[name][0] for name in names))

    def _referred(self, name: str) -> Check:
        if name not in self._made:
            self._made[name] = self(self._known[name])
        return self._made[name]

    def _of_type(self, name: str, words: dict[str, Any]) -> Check:
        """The check of one type, which takes its own keywords out of ``words``."""
        match name:
            case "object":
                return self._object(words)
            case "array":
                return self._array(words)
            case "string":
                return _string(words.pop("pattern", None))
            case "integer":
                return _integer(words.pop("minimum", None))
            case "number":
                return _number(words.pop("exclusiveMinimum", None), words.pop("minimum", None))
            case _:
                return _anything

    def _object(self, words: dict[str, Any]) -> Check:
        fields = {name: self(one) for name, one in words.pop("properties", {}).items()}
        required = tuple(words.pop("required", ()))
        others = words.pop("additionalProperties", True)
        other = _free if others is True else None if others is False else self(others)
        if other is None and self._is_open:
            other = _free
        # a plan has a hundred thousand rows: what a type alone decides is decided here
        easy = {name: one.easy for name, one in fields.items() if isinstance(one, _ByType)}
        needed = frozenset(required)

        def check(value: dict[str, Any]) -> None:
            if not value.keys() >= needed:
                raise MisfitError(
                    "it is missing", next(one for one in required if one not in value)
                )
            for name, item in value.items():
                if type(item) in easy.get(name, ()):
                    continue
                found = fields.get(name, other)
                if found is None:
                    raise MisfitError("there is no such field", name)
                try:
                    found(item)
                except MisfitError as error:
                    error.path.append(name)
                    raise

        return check

    def _array(self, words: dict[str, Any]) -> Check:
        item_check = self(words.pop("items"))
        least = words.pop("minItems", 0)

        def check(value: list[Any]) -> None:
            if len(value) < least:
                raise MisfitError("it is empty")
            for index, item in enumerate(value):
                try:
                    item_check(item)
                except MisfitError as error:
                    error.path.append(index)
                    raise

        return check


class _ByType:
    """Check a value by its type; ``easy`` are the types of which every value fits."""

    def __init__(self, checks: Mapping[type, Check], expected: str) -> None:
        self._checks = checks
        self._expected = expected
        self.easy = frozenset(kind for kind, check in checks.items() if check is _anything)

    def __call__(self, value: Any) -> None:
        found = self._checks.get(type(value))
        if found is None:
            raise MisfitError(f"expected {self._expected}, got {got(value)}")
        found(value)


def _one_of(choices: Sequence[str]) -> Check:
    def check(value: Any) -> None:
        if not isinstance(value, str) or value not in choices:
            raise MisfitError(f"expected one of {', '.join(map(got, choices))}, got {got(value)}")

    return check


def _only(wanted: object) -> Check:
    def check(value: Any) -> None:
        if type(value) is not type(wanted) or value != wanted:
            raise MisfitError(f"expected {got(wanted)}, got {got(value)}")

    return check


def _string(pattern: str | None) -> Check:
    if pattern is None:
        return _anything

    def check(value: str) -> None:
        if not re.search(pattern, value):
            raise MisfitError(f"expected a text that matches {pattern}, got {got(value)}")

    return check


def _integer(least: int | None) -> Check:
    low = -_LARGEST if least is None else least

    def check(value: int) -> None:
        if value < low:
            raise MisfitError(f"expected at least {low}, got {got(value)}")
        if value > _LARGEST:
            raise MisfitError(f"expected at most {_LARGEST}, got {got(value)}")

    return check


def _number(above: float | None, least: float | None) -> Check:
    def check(value: float) -> None:
        try:
            is_finite = isfinite(value)
        except OverflowError:  # an integer larger than every float
            is_finite = False
        if not is_finite:
            raise MisfitError(f"expected a finite number, got {got(value)}")
        if above is not None and value <= above:
            raise MisfitError(f"expected more than {above}, got {got(value)}")
        if least is not None and value < least:
            raise MisfitError(f"expected at least {least}, got {got(value)}")

    return check


def _anything(_value: Any) -> None:
    """Any value of its type fits."""


def _free(value: Any, depth: int = 0) -> None:
    """Values that no schema describes must still be finite and of a depth that can be walked."""
    if type(value) in (str, int, bool, type(None)):
        return
    if isinstance(value, float):
        if not isfinite(value):
            raise MisfitError(f"expected a finite number, got {got(value)}")
        return
    if depth == _DEEPEST:
        raise MisfitError(f"it is nested more than {_DEEPEST} levels deep")
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            _free(item, depth + 1)
        except MisfitError as error:
            error.path.append(name)
            raise
