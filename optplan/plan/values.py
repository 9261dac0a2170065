"""Values of param groups as plain data that survives JSON."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from math import isfinite
from typing import Any


def plain(value: object) -> Any:
    """Return the value as None, bool, int, float, str, a tuple or a dict with string keys.

    What JSON cannot say becomes text: a float that is not finite its name, any other object its
    ``repr``.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # JSON reads two halves of a surrogate pair as one character
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, AbstractSet):
        return tuple(plain(item) for item in sorted(value, key=repr))
    return repr(value)


def hashable(value: object) -> Any:
    """Return a key that is equal for equal plain values; keeps 1, 1.0 and True apart, and 0.0 and -0.0."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, hashable(item)) for key, item in value.items()))
    if isinstance(value, tuple):
        return tuple(hashable(item) for item in value)
    return type(value).__name__, repr(value) if isinstance(value, float) else value
