"""Disable the garbage collector while many long-lived objects are created."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from importlib import import_module


class _CollectorState:
    """Whether this module has frozen objects; Python itself may have, too."""

    is_frozen = False


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """Pause garbage collection: with torch loaded it is half the time of a report."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def import_with_gc_paused(*modules: str) -> None:
    """Import large modules without garbage collection, which is a tenth of their time."""
    with gc_paused():
        for module in modules:
            import_module(module)
    if _CollectorState.is_frozen:
        gc.freeze()


def resume_gc() -> None:
    """Resume garbage collection, without the objects that exist so far: they are needed to the end."""
    gc.freeze()
    _CollectorState.is_frozen = True
    gc.enable()


@contextlib.contextmanager
def gc_deferred() -> Iterator[None]:
    """Pause garbage collection until :func:`resume_gc`, and restore its state afterwards."""
    was_enabled, was_frozen = gc.isenabled(), _CollectorState.is_frozen
    gc.disable()
    try:
        yield
    finally:
        if _CollectorState.is_frozen and not was_frozen:
            gc.unfreeze()
            _CollectorState.is_frozen = False
        if was_enabled:
            gc.enable()
        else:
            gc.disable()
