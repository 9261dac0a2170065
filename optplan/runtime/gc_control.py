"""When garbage is collected: not while much is made that stays."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from importlib import import_module


class _State:
    """Whether this process has frozen what it had; Python itself may have frozen some, too."""

    is_frozen = False


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """No garbage collection: going over all that torch has loaded is half the time of a report."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def import_with_gc_paused(*modules: str) -> None:
    """Import large modules: collecting garbage meanwhile is a tenth of what that takes."""
    with gc_paused():
        for module in modules:
            import_module(module)
    if _State.is_frozen:  # a command's, to which they belong as well
        gc.freeze()


def resume_gc() -> None:
    """Collect garbage, but none of what there is so far: it will be needed to the end."""
    gc.freeze()
    _State.is_frozen = True
    gc.enable()


@contextlib.contextmanager
def gc_deferred() -> Iterator[None]:
    """Collect no garbage until :func:`resume_gc`; afterwards all is as it was."""
    was_enabled, was_frozen = gc.isenabled(), _State.is_frozen
    gc.disable()
    try:
        yield
    finally:
        if _State.is_frozen and not was_frozen:
            gc.unfreeze()
            _State.is_frozen = False
        if was_enabled:
            gc.enable()
        else:
            gc.disable()
