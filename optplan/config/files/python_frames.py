"""Run the statements of a Python config in a frame, and tell its entries."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.definitions import Definition
from optplan.config.evaluator.modules import Module
from optplan.config.placed import PlacedDict
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    import ast

    from optplan.config.evaluator import Frame
    from optplan.config.loader import Loader


def run(loader: Loader, frame: Frame, statements: list[ast.stmt]) -> None:
    """Evaluate statements, or execute them where the user trusts the config.

    Raises:
        ConfigError: One fails, or is not evaluated.
    """
    if not loader.trust:
        frame.run(statements)
        return
    from optplan.config.trusted import execute

    loader.exposed = True
    execute(frame, statements, None if frame.base is None else frame.base())


def entries(frame: Frame) -> PlacedDict:
    """Return the top-level names of a file that are entries of the config."""
    result = PlacedDict()
    for name, value in frame.names.items():
        if not (name.startswith("__") or _is_no_entry(frame, name, value)):
            result[name] = value
    result.raw_places = frame.marks
    return result


def _is_no_entry(frame: Frame, name: str, value: Any) -> bool:
    if isinstance(value, Module | Definition | FunctionType | ModuleType):
        return True
    if name == "_base_" and not frame.pure:
        return True
    return name in frame.imported and (frame.pure or isinstance(value, Symbol))
