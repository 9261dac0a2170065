"""The class of a scheduler that a config names."""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from typing import Any

from optplan.config import Namespace, Symbol
from optplan.errors import ScheduleError, described_exception, did_you_mean
from optplan.places import Place
from optplan.registries import VOUCH, RegistryKind, is_scope, registered, run_custom_imports
from optplan.runtime.gate import NotInstalledError, import_named
from optplan.schedule.catalog import KNOWN
from optplan.schedule.type_names import TORCH_HOME, TORCH_PREFIX


class Way(Enum):
    """How a class is made and stepped."""

    TORCH = "torch"
    MMENGINE = "mmengine"
    TIMM = "timm"


# What every class of that way inherits from.
_ROOTS = {
    Way.TORCH: (TORCH_HOME, "LRScheduler"),
    Way.MMENGINE: ("mmengine.optim.scheduler.param_scheduler", "_ParamScheduler"),
    Way.TIMM: ("timm.scheduler.scheduler", "Scheduler"),
}


def scheduler_class(
    kind: str | Symbol | type, namespace: Namespace, place: Place | None
) -> tuple[type, Way]:
    """Return the class that a type names, and how it is stepped.

    Args:
        kind: ``torch:NAME``, a dotted import path, a name in the registry of the config's scope, a
            symbol or a class.
        namespace: Where the config's names are looked up.
        place: Where the type is written.

    Raises:
        ScheduleError: There is no such class, or it is no scheduler.
    """
    name = str(kind) if not isinstance(kind, type) else kind.__qualname__
    found = _found(kind, name, namespace, place)
    way = way_of(found)
    if way is None:
        raise ScheduleError(f"{name!r} is no scheduler class", place=place)
    return found, way


def _found(kind: str | Symbol | type, name: str, namespace: Namespace, place: Place | None) -> Any:
    if isinstance(kind, type):
        return kind
    if name.startswith(TORCH_PREFIX):
        return _torchs(name.removeprefix(TORCH_PREFIX), place)
    run_custom_imports(namespace)
    if isinstance(kind, str) and (found := registered(RegistryKind.SCHEDULERS, name, namespace)):
        return found
    if "." in name and not _is_scoped(name):
        return _imported(name, namespace, place)
    raise ScheduleError(f"there is no scheduler {name!r}", place=place, hint=_hint(name))


def _is_scoped(name: str) -> bool:
    """Return whether a dotted name is one in a package's registry, and no import path."""
    scope, _, last = name.rpartition(".")
    return "." not in scope and is_scope(scope) and not hasattr(sys.modules.get(scope), last)


def _torchs(name: str, place: Place | None) -> Any:
    import torch.optim.lr_scheduler as home

    found = getattr(home, name, None)
    if inspect.isclass(found) and issubclass(found, home.LRScheduler):
        return found
    known = [one for one, value in vars(home).items() if inspect.isclass(value) and one[0] != "_"]
    raise ScheduleError(
        f"torch has no scheduler {name!r}", place=place, hint=did_you_mean(name, known)
    )


def _imported(name: str, namespace: Namespace, place: Place | None) -> Any:
    try:
        return import_named(name, trusted=namespace.trusted)
    except NotInstalledError as error:
        raise ScheduleError(
            f"there is no scheduler {name!r}: {error}",
            place=place,
            hint=None if namespace.trusted else VOUCH.format(name.rpartition(".")[0]),
        ) from error
    except Exception as error:  # a stranger's package may raise anything
        raise ScheduleError(
            f"{name!r} raises on import: {described_exception(error)}", place=place
        ) from error


def _hint(name: str) -> str | None:
    import torch.optim.lr_scheduler as home

    if inspect.isclass(getattr(home, name, None)):
        return f"torch's own is '{TORCH_PREFIX}{name}'"
    return did_you_mean(name, KNOWN) or "no package that the config names provides it"


def way_of(found: object) -> Way | None:
    """Return how a class is stepped; None for what is no class of schedulers."""
    if not inspect.isclass(found):
        return None
    for way, (module, name) in _ROOTS.items():
        root = getattr(sys.modules.get(module), name, None)
        if root is not None and issubclass(found, root):
            return way
    return None
