"""What data shows of itself in a session: the rooms that know how stand above it, and are imported when asked."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = "optplan.app.presentation"


def presented(how: str, *values: Any) -> Any:
    """Return what a function of the presentation makes of values."""
    return getattr(import_module(_HOME), how)(*values)
