"""Keep the default arguments of torch's optimizers from run to run.

The constructors of these classes check their arguments and keep them as they are. Within the narrow domain of
:func:`takes` each of them takes every argument, so that what a constructor makes of arguments is known from what
it makes of none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import inf, isfinite
from typing import Any

from optplan.cache.store import Store
from optplan.facts import OptimizerFacts

_KIND = "optimizer"
# Classes that take parameters of every shape and of each of DTYPES, in any groups.
KNOWN_CLASSES = frozenset(
    f"torch.optim.{name}"
    for name in (
        "adadelta.Adadelta", "adagrad.Adagrad", "adam.Adam", "adamax.Adamax", "adamw.AdamW", "asgd.ASGD",
        "nadam.NAdam", "radam.RAdam", "rmsprop.RMSprop", "rprop.Rprop", "sgd.SGD", "sparse_adam.SparseAdam",
        "Adafactor",
    )
)  # fmt: skip
DTYPES = ("float32", "float16", "bfloat16", "float64")
# Arguments that are above 0 and below these numbers, and such as are from 0 on and below 1.
_POSITIVE = {"lr": inf, "eps": 1.0}
_FRACTIONS = frozenset({"weight_decay", "momentum", "dampening", "alpha", "rho", "lr_decay"})


class CachedOptimizers:
    """The defaults of optimizer classes, by what a config calls them.

    Args:
        store: Where they are kept.
        valid_for: All that they depend on besides.
    """

    def __init__(self, store: Store, valid_for: Mapping[str, Any]) -> None:
        self._store = store
        self._valid_for = valid_for

    def get(self, kind: str) -> OptimizerFacts | None:
        """Return an optimizer that is given no arguments, None where none was kept.

        Args:
            kind: What a config calls the class, or its import path.
        """
        data = self._store.get(_KIND, {**self._valid_for, "optimizer": kind})
        try:
            found = OptimizerFacts(
                type_name=data["type_name"],
                class_name=data["class_name"],
                defaults={name: _checked(name, value) for name, value in data["defaults"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            return None
        names = (found.type_name, found.class_name)
        is_right = all(isinstance(name, str) for name in names) and names[1] in KNOWN_CLASSES
        return found if is_right else None

    def put(self, kind: str, made: OptimizerFacts) -> None:
        """Keep an optimizer that was given no arguments, where its class is a known one."""
        if made.class_name in KNOWN_CLASSES and all(map(_is_constant, made.defaults.values())):
            self._store.put(_KIND, {**self._valid_for, "optimizer": kind}, asdict(made))


def takes(defaults: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    """Return whether each known class with such defaults takes these arguments, and keeps them as they are."""
    if not all(name in defaults and _is_taken(name, arguments[name]) for name in arguments):
        return False
    found = {**defaults, **arguments}
    return not found.get("nesterov") or (found["momentum"] > 0 and found["dampening"] == 0)


def _is_taken(name: str, value: Any) -> bool:
    if name in _POSITIVE:
        return type(value) in (int, float) and 0 < value < _POSITIVE[name]
    if name in _FRACTIONS:
        return type(value) in (int, float) and 0 <= value < 1
    if name == "betas":
        # Adam makes a tuple of a list
        is_pair = isinstance(value, tuple) and len(value) == 2
        return is_pair and all(type(beta) is float and 0 <= beta < 1 for beta in value)
    return name in ("amsgrad", "nesterov") and type(value) is bool


def _is_constant(value: object) -> bool:
    """Return whether a value comes back from JSON as it was."""
    if type(value) is tuple:
        return all(map(_is_constant, value))
    return value is None or type(value) in (bool, int, float, str)


def _checked(name: str, value: Any) -> Any:
    """Return a default as it was before it was JSON.

    Raises:
        ValueError: No class of torch's has such a one.
    """
    found = _as_tuples(value)
    is_right = _is_constant(found)
    if name in ("lr", "weight_decay", "momentum"):
        is_right = _is_number(found)
    elif name == "betas":
        is_right = type(found) is tuple and len(found) > 0 and all(map(_is_number, found))
    if not is_right:
        raise ValueError(f"{name} cannot be {value!r}")
    return found


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
