"""Find which class a name in a config means: the user's own, the scope's package's, or a built-in one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from optplan.config import Namespace
from optplan.constructors.registry import Registry
from optplan.errors import PlanError, described_exception
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.registries import ROOT, RegistryKind, default_scope, is_loaded, live_scope, registered
from optplan.runtime import gate
from optplan.runtime.gate import NotInstalledError

# Where mmcv 1.x has its registries of constructors and optimizers.
HOME_OF_MMCV1 = "mmcv.runner"
_NOTHING = Namespace()
_CURRENT: ContextVar[Namespace] = ContextVar("namespace")


@contextmanager
def naming(namespace: Namespace) -> Iterator[None]:
    """Look names up as a config says meanwhile, also those that its constructor asks for."""
    token = _CURRENT.set(namespace)
    try:
        with default_scope(namespace):
            yield
    finally:
        _CURRENT.reset(token)


def current_namespace() -> Namespace:
    """Return the namespace of the config that is being planned."""
    return _CURRENT.get(_NOTHING)


def look_up(
    name: str, registry: Registry, kind: RegistryKind, *, in_any_scope: Callable[[str], bool]
) -> Any:
    """Return the class that is registered under a name, None for none.

    The user's own come first, then those of the scope's package, then the built-in ones.

    Args:
        name: ``Name``, whose scope is the config's, or ``scope.Name``.
        registry: The user's own classes and the built-in ones; one that stands in for a package's class
            is registered with its scope.
        kind: The registry of the scope's package.
        in_any_scope: Whether a built-in class of this name is meant whatever the scope. No package is
            imported to see whether it has another.

    Raises:
        ConfigError: The package that the scope names raises on import.
    """
    namespace = current_namespace()
    written, _, own_name = name.rpartition(".")
    if "." in written:
        return None
    if (found := registry.added(own_name)) is not None:
        return found
    given = written or namespace.scope
    scope = given or live_scope()
    builtin = registry.builtin(own_name)
    is_general = builtin is not None and in_any_scope(own_name) and written in {"", ROOT}
    if not is_general or is_loaded(scope, kind):
        found = registered(kind, name, namespace)
    if found is None and scope is not None:
        found = registry.builtin(f"{scope}.{own_name}")
    return found or (builtin if is_general or given is None else None)


def registered_in_mmcv1(kind: str, name: str) -> Any:
    """Return what code that was imported has registered in mmcv 1.x under a name; mmcv's own classes are not.

    A package's own registry comes before mmcv's, whose child it is, as in the package's own builder.

    Args:
        kind: ``OPTIMIZER_BUILDERS`` or ``OPTIMIZERS``.
        name: The name.
    """
    found = getattr(sys.modules.get(HOME_OF_MMCV1), kind, None)
    if found is None or isinstance(found, Registry):  # one of optplan's own in its place
        return None
    asked = (*getattr(found, "children", {}).values(), found)
    one = next((one for registry in asked if (one := registry.get(name)) is not None), None)
    is_its_own = getattr(one, "__module__", "").startswith(f"{HOME_OF_MMCV1}.")
    return None if is_its_own else one


def import_named(name: str, what: str, place: Place | None) -> object:
    """Return what a dotted name in a config means, imported as far as the config is trusted.

    Args:
        name: ``package.module.Class``.
        what: What it should be, for messages.
        place: Where it is written.

    Raises:
        PlanError: There is none, or its module raises.
    """
    trusted = current_namespace().trusted
    try:
        return gate.import_named(name, trusted=trusted)
    except NotInstalledError as error:
        raise PlanError(
            f"there is no {what} {name!r}: {error}",
            place=place,
            hint=None if trusted else _VOUCH,
            kind=ProblemKind.UNKNOWN_CONSTRUCTOR if what == "optimizer constructor" else None,
        ) from error
    except Exception as error:  # a stranger's package may raise anything
        raise PlanError(
            f"{name!r} raises on import: {described_exception(error)}", place=place
        ) from error


_VOUCH = "a config's names are imported from installed packages only; --trust lifts that"
