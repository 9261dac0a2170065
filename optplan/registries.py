"""Look classes up in the registries of mmengine and of packages that use them.

A package is imported only where a config's scope names it or the config asks for it, and, unless the user
vouches for the config, only if it is installed.
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from optplan.config import Namespace
from optplan.errors import ConfigError, described_exception
from optplan.runtime.audit import refusal
from optplan.runtime.gate import NotInstalledError, import_named, installed_only, named_code
from optplan.runtime.installed import find_installed, package_folder
from optplan.runtime.stdio import suppress_output
from optplan.runtime.where import RefusedError

_log = logging.getLogger(__name__)


class RegistryKind(StrEnum):
    """The registries that are asked, by their name in ``<package>.registry``."""

    CONSTRUCTORS = "OPTIM_WRAPPER_CONSTRUCTORS"
    MODELS = "MODELS"
    OPTIMIZERS = "OPTIMIZERS"
    SCHEDULERS = "PARAM_SCHEDULERS"
    WRAPPERS = "OPTIM_WRAPPERS"


ROOT = "mmengine"

# Importing a package again that raised takes as long, and what it registered before is then there twice.
_BROKEN: dict[str, ConfigError] = {}

VOUCH = "pass --import {} or --trust; without them only installed packages are imported"


def registered(kind: RegistryKind, name: str, namespace: Namespace) -> Any:
    """Return what a name means in the registry of the package that its scope names, None for nothing.

    Args:
        kind: The registry.
        name: ``Name``, which the config's scope says where to find, or ``scope.Name``.
        namespace: The config's.

    Raises:
        ConfigError: The package is installed and raises on import.
    """
    scope, dot, own_name = name.rpartition(".")
    if dot and "." in scope:
        return None
    registry = _registry(scope or namespace.scope or live_scope() or ROOT, kind, namespace)
    if registry is None and not scope:
        # as mmengine does where there is no such package
        registry = _registry(ROOT, kind, namespace)
    while registry is not None:
        if (found := registry.module_dict.get(own_name)) is not None:
            return found
        registry = registry.parent
    return None


def is_replaced(kind: RegistryKind, name: str, namespace: Namespace) -> bool:
    """Return whether another class than mmengine's own is registered under a name.

    Args:
        kind: The registry.
        name: ``Name``, or ``mmengine.Name``.
        namespace: The config's. Its package is asked where it is imported already, else its source, as
            where it cannot be imported.
    """
    is_imported = namespace.scope in sys.modules
    try:
        found = registered(kind, name, namespace if is_imported else replace(namespace, scope=None))
    except ConfigError:
        found, is_imported = None, False
    if found is not None and getattr(found, "__module__", "").partition(".")[0] != ROOT:
        return True
    return not is_imported and name in _written_names(kind, namespace.scope)


# What a released package registers under a name of mmengine's, where that package is not installed.
_REPLACED = {(RegistryKind.SCHEDULERS, "mmpose"): frozenset({"ConstantLR"})}


@cache
def _written_names(kind: RegistryKind, scope: str | None) -> frozenset[str]:
    """Return what a scope's package registers, as its source says: importing it takes seconds."""
    folder = package_folder(scope) if scope and scope != ROOT else None
    if folder is None:
        return _REPLACED.get((kind, scope or ""), frozenset())
    written = re.compile(rf"^@{kind}\.register_module\([^)]*\)\s*^class (\w+)", re.MULTILINE)
    files = Path(folder, "engine").rglob("*.py")
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in sorted(files))
    return frozenset(name for text in texts for name in written.findall(text))


def registered_names(kind: RegistryKind, scope: str | None, namespace: Namespace) -> list[str]:
    """Return the names that a package has registered; None for the one at the root.

    Raises:
        ConfigError: The package is installed and raises on import.
    """
    registry = _registry(scope or ROOT, kind, namespace)
    return [] if registry is None else sorted(registry.module_dict)


def is_part_of_models(found: object) -> bool:
    """Return whether a package that is imported already has registered something for models to be made of."""
    if ROOT not in sys.modules:
        return False
    from mmengine.registry import (  # type: ignore[import-not-found, unused-ignore]
        MODELS,
        TASK_UTILS,
    )

    trees = [MODELS, TASK_UTILS]
    while trees:
        registry = trees.pop()
        if any(entry is found for entry in registry.module_dict.values()):
            return True
        trees += registry.children.values()
    return False


def is_of_own_registry(found: object) -> bool:
    """Return whether a package has registered a class in a registry of its own, such as one of codecs."""
    if ROOT not in sys.modules or not inspect.isclass(found):
        return False
    from mmengine.registry import Registry  # type: ignore[import-not-found, unused-ignore]

    package = found.__module__.partition(".")[0]
    registries = vars(sys.modules.get(f"{package}.registry", sys)).values()
    return package != ROOT and any(
        isinstance(registry, Registry)
        and registry.parent is None
        and registry.scope == package
        and any(entry is found for entry in registry.module_dict.values())
        for registry in registries
    )


def live_scope() -> str | None:
    """Return the default scope that the running process has set in mmengine, None where there is none."""
    if ROOT not in sys.modules:
        return None
    from mmengine.registry import DefaultScope  # type: ignore[import-not-found, unused-ignore]

    current = DefaultScope.get_current_instance()
    return None if current is None else str(current.scope_name)


def is_loaded(scope: str | None, kind: RegistryKind) -> bool:
    """Return whether a scope's registry can be asked without importing a package."""
    return scope in sys.modules or (scope is not None and _child(scope, kind) is not None)


def is_scope(word: str) -> bool:
    """Return whether a package of that name is there to be asked, without importing it."""
    return word in sys.modules or find_installed(word) is not None


def run_custom_imports(namespace: Namespace) -> tuple[str, ...]:
    """Import what a config asks for in ``custom_imports``, so that it can register its classes.

    A module that no installed package has is named in a warning: a name that it would have registered is
    refused where it is looked up, and no plan needs the others.

    Returns:
        The modules that no installed package has.

    Raises:
        ConfigError: A module that raises.
    """
    missing = []
    for name in namespace.imports:
        try:
            import_named(name, trusted=namespace.trusted)
        except NotInstalledError as error:
            hint = "" if namespace.trusted else f" ({VOUCH.format(name)})"
            missing.append(name)
            _warn_once(f"custom_imports: {error}: it was not imported{hint}")
        except RefusedError as error:
            problem = refusal(f"custom_imports: {name}", error)
            raise ConfigError([replace(problem, place=namespace.imports_place)]) from error
        except Exception as error:  # a stranger's module may raise anything
            said = f"{name!r} raises on import: {described_exception(error)}"
            if not (namespace.allow_failed_imports and isinstance(error, ImportError)):
                raise ConfigError(
                    f"custom_imports: {said}", place=namespace.imports_place
                ) from error
            _log.warning("custom_imports: %s", said)
    return tuple(missing)


@cache
def _warn_once(message: str) -> None:
    """Warn of what every model and config of a run would warn of again."""
    _log.warning("%s", message)


@contextmanager
def default_scope(namespace: Namespace) -> Iterator[None]:
    """Let mmengine look names up in the config's scope meanwhile, as its runner does."""
    scope = namespace.scope
    if scope is None or ROOT not in sys.modules:
        yield
        return
    from mmengine.registry import DefaultScope  # type: ignore[import-not-found, unused-ignore]

    overwritten = DefaultScope.overwrite_default_scope(scope)
    overwritten.__enter__()
    try:
        yield
    finally:  # told of an exception, it would leave the scope as it is now
        overwritten.__exit__(None, None, None)


def _registry(scope: str, kind: RegistryKind, namespace: Namespace) -> Any:
    """Return the registry of a package, filled; None where there is no such package or registry."""
    if scope == ROOT and ROOT not in sys.modules:
        return None  # nobody can have registered anything there
    if (broken := _BROKEN.get(scope)) is not None:
        raise ConfigError(broken.problems)
    try:
        with suppress_output():
            found: Any = import_named(f"{scope}.registry.{kind}", trusted=namespace.trusted)
            _fill(found, namespace)
    except NotInstalledError:
        return _child(scope, kind)
    except RefusedError as error:
        _BROKEN[scope] = ConfigError([refusal(f"the package {scope!r}", error)])
        raise _BROKEN[scope] from error
    except Exception as error:  # a stranger's package may raise anything
        _BROKEN[scope] = ConfigError(
            f"the package {scope!r} is installed but raises on import: {described_exception(error)}"
        )
        raise _BROKEN[scope] from error
    return found


def _fill(registry: Any, namespace: Namespace) -> None:
    """Have a registry import the modules that fill it, as it does at its first look-up."""
    missing = [one for one in registry._locations if one not in sys.modules]  # noqa: SLF001 - no other way to ask
    if registry.scope == ROOT or not missing:
        with installed_only():
            registry.import_from_location()
        return
    with named_code(f"the package {registry.scope}", trusted=namespace.trusted), installed_only():
        registry.import_from_location()


def _child(scope: str, kind: RegistryKind) -> Any:
    """Return the registry that running code has made for a scope, None for none."""
    if ROOT not in sys.modules:
        return None
    import mmengine.registry

    return getattr(mmengine.registry, kind)._search_child(scope)  # noqa: SLF001 - as mmengine itself
