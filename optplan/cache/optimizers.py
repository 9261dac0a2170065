"""What became of torch's optimizers, remembered by the kind of their arguments.

The class of an optimizer compares its arguments with 0 and 1 and takes them over as they are. What it does
with one lr between these it does with another: only the first of them has to be tried with the real class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import isfinite, isnan
from typing import Any, assert_never

from optplan.cache.store import Store
from optplan.config import Symbol
from optplan.facts import OptimizerFacts

_KIND = "optimizer"


class Source(StrEnum):
    """Where a hyper-parameter of an optimizer comes from."""

    ARGUMENT = "argument"
    ITEMS = "the items of an argument, as a tuple"
    CLASS = "the class"


# The dtypes of parameters that no optimizer has been seen to tell apart when it is made.
DTYPES = ("float32", "float16", "bfloat16", "float64")

Key = dict[str, Any]


class RememberedOptimizers:
    """Optimizers by their class and the kind of their arguments.

    Args:
        store: Where they are kept.
        valid_for: All that they depend on besides.
    """

    def __init__(self, store: Store, valid_for: Mapping[str, Any]) -> None:
        self._store = store
        self._valid_for = valid_for

    def get(self, key: Key, arguments: Mapping[str, Any]) -> OptimizerFacts | None:
        """The optimizer that such arguments make, if one was made before."""
        data = self._store.get(_KIND, self._key(key))
        if data is None:
            return None
        try:
            type_name, class_name = data["type_name"], data["class_name"]
            defaults = {
                name: _value(Source(source), value, name, arguments)
                for name, (source, value) in data["defaults"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            return None
        if not (isinstance(type_name, str) and isinstance(class_name, str)):
            return None
        return OptimizerFacts(type_name=type_name, class_name=class_name, defaults=defaults)

    def put(self, key: Key, made: OptimizerFacts, sources: Mapping[str, Source]) -> None:
        """Remember an optimizer.

        Args:
            key: The kind of its arguments.
            made: The optimizer.
            sources: Where each hyper-parameter comes from; the class gives the same for all arguments
                of this kind.
        """
        data = {
            "type_name": made.type_name,
            "class_name": made.class_name,
            "defaults": {
                name: (source, made.defaults[name] if source is Source.CLASS else None)
                for name, source in sources.items()
            },
        }
        self._store.put(_KIND, self._key(key), data)

    def class_defaults(self, class_name: str) -> dict[str, Any] | None:
        """What an optimizer has that is given no arguments, if one was made before."""
        data = self._store.get(_KIND, self._key({"class": class_name}))
        if not isinstance(data, dict):
            return None
        try:
            return {name: _of_class(name, value) for name, value in data.items()}
        except (ValueError, RecursionError):
            return None

    def put_class_defaults(self, class_name: str, defaults: Mapping[str, Any]) -> None:
        """Remember what an optimizer of torch's has that is given no arguments.

        Args:
            class_name: Its class, with the module.
            defaults: What it has, as plain values.
        """
        if class_name.startswith("torch.optim.") and all(map(is_constant, defaults.values())):
            self._store.put(_KIND, self._key({"class": class_name}), dict(defaults))

    def _key(self, key: Key) -> Key:
        return {**self._valid_for, **key}


def optimizer_key(
    kind: object, arguments: Mapping[str, Any], *, entries: Iterable[str], is_several: bool
) -> Key | None:
    """Equal where the class does the same; None for arguments whose kind does not tell that.

    Args:
        kind: What the config calls the class.
        arguments: The arguments for it.
        entries: The names that its groups hold besides lr and weight decay.
        is_several: Whether there are several groups.
    """
    if not isinstance(kind, str | Symbol):
        return None
    kinds = {str(name): kind_of(value) for name, value in arguments.items()}
    if None in kinds.values():
        return None
    return {
        "optimizer": [type(kind).__name__, str(kind)],
        "arguments": kinds,
        "entries": sorted(entries),
        "several": is_several,
    }


def kind_of(value: object) -> Any:
    """Equal for values between which torch's optimizers make no difference; None for what is unknown."""
    if value is None or type(value) in (bool, str):
        return ["is", value]
    if type(value) in (int, float):
        return [type(value).__name__, _region(value)]  # type: ignore[arg-type]
    if isinstance(value, tuple | list):  # a config has them with the places of their items
        kinds = [kind_of(item) for item in value]
        return None if None in kinds else ["list" if isinstance(value, list) else "tuple", kinds]
    return None


def _region(value: float) -> str:
    """Which of the stretches between the numbers that arguments are compared with."""
    if type(value) is float and isnan(value):
        return "nan"
    if value in (0, 1, float("inf"), float("-inf")):
        return str(float(value))
    return "< 0" if value < 0 else "< 1" if value < 1 else "> 1"


def is_constant(value: object) -> bool:
    """Whether a hyper-parameter comes back from JSON as it was."""
    if type(value) is tuple:
        return all(map(is_constant, value))
    return value is None or type(value) in (bool, int, float, str)


def _value(source: Source, value: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    """A hyper-parameter.

    Raises:
        KeyError, TypeError, ValueError: It cannot come from there.
    """
    match source:
        case Source.ARGUMENT:
            return arguments[name]
        case Source.ITEMS:
            return tuple(arguments[name])
        case Source.CLASS:
            return _of_class(name, value)
        case _:
            assert_never(source)


# What a plan and a schedule reckon with; other hyper-parameters are only shown.
_NUMBERS = frozenset({"lr", "weight_decay", "momentum"})


def _of_class(name: str, value: Any) -> Any:
    """A value that a class gives, as it was before it was JSON.

    Raises:
        ValueError: No class of torch's gives such a one.
    """
    found = _as_tuples(value)
    is_right = is_constant(found)
    if name in _NUMBERS:
        is_right = found is None or _is_number(found)
    elif name == "betas":
        is_right = type(found) is tuple and len(found) > 0 and all(map(_is_number, found))
    if not is_right:
        raise ValueError(f"{name} cannot be {value!r}")
    return found


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
