"""Guard mmengine's fallback for names that no registry knows: it would import and call anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from optplan.registries import ROOT
from optplan.runtime.gate import NotInstalledError, import_named


class Unregistered:
    """Import such names in place of mmengine, from installed packages alone.

    Args:
        may_call: Whether what an installed package has under such a name is of the right kind.
        trusted: The user vouches for the config: anything may be called, from anywhere.

    Attributes:
        missing: The last name that no installed package has, if there was any.
        refused: The last name of what is of no right kind, if there was any.
    """

    def __init__(self, may_call: Callable[[object], bool], *, trusted: bool) -> None:
        self._may_call = may_call
        self._trusted = trusted
        self.missing: str | None = None
        self.refused: str | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let registries look names up here meanwhile, and packages of scopes."""
        module = sys.modules.get(f"{ROOT}.registry.registry")
        with ExitStack() as stack:
            for name, ours in (
                ("get_object_from_string", self._found),
                ("import_module", self._imported),
            ):
                if hasattr(module, name):
                    stack.enter_context(replaced(module, name, ours))
            yield

    def _found(self, name: str) -> object:
        if "." not in name:  # they would import a module of this name, which is nothing to call
            self.missing = name
            return None
        try:
            found = import_named(name, trusted=self._trusted)
        except NotInstalledError:
            self.missing = name
            return None
        if self._trusted or self._may_call(found):
            return found
        self.refused = name
        raise LookupError(name)

    def _imported(self, name: str) -> object:
        try:
            return import_named(name, trusted=self._trusted)
        except NotInstalledError as error:
            raise ModuleNotFoundError(str(error), name=name) from error


@contextmanager
def replaced(owner: Any, name: str, value: object) -> Iterator[None]:
    """Have an attribute of a module or class stand for something else meanwhile."""
    real = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, real)
