"""Delegate methods of plans and other results to rooms above them, such as showing themselves.

The package says which module does it (``optplan/__init__.py``), so that data knows none.
"""

from __future__ import annotations

# neither typing nor importlib: every command imports this first
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HOMES: list[str] = []


def delegate_to(module: str) -> None:
    """Let a module do what is delegated; it is imported when asked for the first time."""
    _HOMES[:] = [module]


def delegated(name: str, *values: Any) -> Any:
    """Return what the module's function of this name makes of values."""
    from importlib import import_module

    return getattr(import_module(_HOMES[0]), name)(*values)
