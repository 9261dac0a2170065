"""Names that imports bind: a few pure functions of the standard library, symbols for all else."""

from __future__ import annotations

import copy
import math
import os.path
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.frame import TRUST_HINT
from optplan.config.limits import Refusal
from optplan.config.symbols import Symbol
from optplan.errors import did_you_mean

if TYPE_CHECKING:
    from optplan.config.evaluator.frame import Frame
    from optplan.config.placed import RawPlace

_MATH = [
    "ceil",
    "cos",
    "e",
    "exp",
    "floor",
    "inf",
    "log",
    "log10",
    "log2",
    "nan",
    "pi",
    "pow",
    "sin",
    "sqrt",
]
_PATH = ("basename", "dirname", "join", "splitext")

# What a config may use of the standard library: nothing else of these modules, or of any other.
AVAILABLE: dict[str, dict[str, Any]] = {
    "copy": {"copy": copy.copy, "deepcopy": copy.deepcopy},
    "math": {name: getattr(math, name) for name in _MATH},
    "os": {},
    "os.path": {name: getattr(os.path, name) for name in _PATH},
    "collections": {"OrderedDict": OrderedDict},
}


class Module:
    """A module of the standard library, of which a config sees a few names only."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def attribute(self, name: str) -> Any:
        """Return what ``module.name`` is.

        Raises:
            Refusal: It is not available to a config.
        """
        if f"{self.name}.{name}" in AVAILABLE:
            return Module(f"{self.name}.{name}")
        known = AVAILABLE.get(self.name, {})
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"{near} Or {TRUST_HINT}" if near else TRUST_HINT
            raise Refusal(f"'{self.name}.{name}' is not available to a config", hint)
        return known[name]


def is_standard(module: str) -> bool:
    """Return whether an absolute module name belongs to the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def import_module(frame: Frame, name: str, asname: str | None, raw: RawPlace) -> None:
    """Do what ``import name as asname`` does, without importing."""
    top = name.partition(".")[0]
    value: Any
    if is_standard(name) or name.startswith("mmengine.config"):
        value = Module(name if asname else top)
    elif asname:
        value = Symbol(name, f"{name}.{name}")
    else:
        value = Symbol(top, f"{top}.{top}")
    bind(frame, asname or top, value, raw)


def import_from(frame: Frame, module: str, name: str, asname: str | None, raw: RawPlace) -> None:
    """Do what ``from module import name as asname`` does, without importing."""
    value: Any
    if is_standard(module):
        value = Module(module).attribute(name)
    elif module.startswith("mmengine.config"):
        value = Module(f"{module}.{name}")
    else:
        value = Symbol(f"{module}.{name}")
    bind(frame, asname or name, value, raw)


def bind(frame: Frame, name: str, value: Any, raw: RawPlace) -> None:
    """Bind an imported name, which is no entry of the config."""
    frame.names[name] = value
    frame.marks[name] = raw
    frame.imported.add(name)
