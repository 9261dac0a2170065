"""Let a package be called as a function: ``optplan.plan`` holds the plan's classes, and ``optplan.plan(...)`` makes a plan."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def make_callable(name: str, home: str) -> None:
    """Let a loaded package be called as the function of its last name in another module.

    Args:
        name: The package.
        home: The module with the function, which is imported when it is called.
    """

    class CallableModule(ModuleType):
        def __call__(self, *values: Any, **named: Any) -> Any:
            from importlib import import_module

            return getattr(import_module(home), name.rpartition(".")[2])(*values, **named)

    sys.modules[name].__class__ = CallableModule
