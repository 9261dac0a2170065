"""Unpickle plain data alone: another process may have forged it."""

from __future__ import annotations

import io
import pickle
from typing import Any

_MODULE = "optplan."


def plain_loads(data: bytes) -> Any:
    """Unpickle what may hold nothing but built-in containers and optplan's own records and choices.

    Raises:
        pickle.UnpicklingError: It holds anything else.
    """
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except _NotPlainError:
        raise
    except Exception as error:  # data of another process may be anything
        raise _NotPlainError(f"what is no plain data: {type(error).__name__}") from error


class _NotPlainError(pickle.UnpicklingError):
    """The data holds something else than plain data."""


_BUILTINS = frozenset({"set", "frozenset", "complex", "bytearray"})


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the class of a record or choice of optplan's."""
        if module == "builtins" and name in _BUILTINS:
            return super().find_class(module, name)
        if module.startswith(_MODULE) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module and _is_plain(found):
                return found
        raise _NotPlainError(f"what is no plain data: {module}.{name}")


def _is_plain(found: type) -> bool:
    from dataclasses import is_dataclass
    from enum import Enum

    return is_dataclass(found) or issubclass(found, Enum | tuple)
