"""Admit every name in a file that is imported, and everything of its naming that runs.

Without ``--trust`` a name is imported from an installed distribution only; what it means is called only if it
is of the kind that its place demands; and it runs restricted, on the command line in a process of its own.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from optplan.errors import OptplanError
from optplan.runtime.audit import LeavingError, is_still_told, lifted, restricted
from optplan.runtime.installed import import_folders, is_installed, is_users_file
from optplan.runtime.landlock import raise_wall
from optplan.runtime.stdio import suppress_output
from optplan.runtime.third_party_runs import note_import, note_third_party_run
from optplan.runtime.torch_files import announce_torch_files
from optplan.runtime.where import (
    IsolationNeededError,
    RefusedError,
    Where,
    named_code_runs,
    require_its_process,
)

_log = logging.getLogger(__name__)


class NotInstalledError(OptplanError):
    """A name that no installed distribution provides."""


def import_named(dotted: str, *, trusted: bool) -> object:
    """Import what a dotted name in a file means.

    Args:
        dotted: ``package.module.name``.
        trusted: Whether the user vouches for the file: then the current folder counts, too.

    Raises:
        NotInstalledError: No installed distribution has it.
        RefusedError: It is a program, or does what it must not.
        IsolationNeededError: It must be imported in another process.
        Exception: Whatever the package raises on import.
    """
    if "__main__" in dotted.split("."):
        raise RefusedError(f"{dotted!r} is a program, which is never imported")
    if trusted:
        with _current_folder(), suppress_output():
            return _walk(dotted)
    if (found := _loaded(dotted)) is not None:
        return found
    package = dotted.partition(".")[0]
    if not is_installed(package):
        raise NotInstalledError(f"no installed package provides {dotted!r}")
    if package in _LIBRARIES and package not in sys.modules:
        with lifted(), suppress_output():  # as optplan itself uses them
            import_module(package)
    with ExitStack() as stack:
        if not is_own_name(dotted):
            stack.enter_context(named_code(dotted))
        stack.enter_context(installed_only())
        stack.enter_context(suppress_output())
        return _walk(dotted)


@contextmanager
def named_code(what: str, *, trusted: bool = False) -> Iterator[None]:
    """Run code of a file's naming meanwhile.

    It is restricted as :mod:`optplan.runtime.audit` says, finds no arguments of ours and nothing on stdin,
    and cannot end the process by an exception.

    Args:
        what: What runs, for messages.
        trusted: Whether the user vouches for the file: then nothing of this holds.

    Raises:
        IsolationNeededError: It must run in another process.
        RefusedError: It does what it must not, or tries to end the process.
    """
    if trusted:
        yield
        return
    require_its_process()
    note_third_party_run()
    announce_torch_files()
    with lifted():
        raise_wall()
    with _neutral_process(), restricted() as refused, _contained(refused):
        yield
    if refused and not (named_code_runs() is Where.ISOLATED and is_still_told(refused[0])):
        _log.warning("%s was not let %s", what, refused[0])


@contextmanager
def _contained(refused: list[str]) -> Iterator[None]:
    """Turn what ends the process, and what a refusal led to, into a failure of the code that did it."""
    try:
        yield
    except (RefusedError, OptplanError, IsolationNeededError, GeneratorExit):
        raise
    except Exception as error:
        if refused:
            raise RefusedError(f"optplan does not let it {refused[0]}") from error
        raise
    except BaseException as error:
        is_users = isinstance(error, KeyboardInterrupt) and named_code_runs() is Where.HERE
        if is_users:
            raise
        raise LeavingError(f"it ends the process by {type(error).__name__}") from error


@contextmanager
def calling(
    found: object, what: str, *, trusted: bool, given: Iterable[object] = ()
) -> Iterator[None]:
    """Call what a name in a file means: as :func:`named_code`, but for torch's and timm's own optimizers and
    schedulers, and for what the user's own modules define.

    Args:
        found: What is called.
        what: The same for messages.
        trusted: Whether the user vouches for the file.
        given: Further classes whose code it calls.
    """
    if not trusted and not all(map(_is_own, (found, *given))):
        with named_code(what):
            yield
    elif _is_of_torch(found):  # it calls what a model's parameters define, too
        yield
    else:
        with lifted():
            yield


def is_own_name(dotted: str) -> bool:
    """Return whether a name is of a module that is as good as optplan's own: it is imported unrestricted."""
    return dotted.startswith(_OWN_HOMES)


def is_module_class(found: object) -> bool:
    """Return whether something is a class of torch's modules."""
    return _is_class_of(found, "torch.nn.modules.module", "Module")


def is_optimizer_class(found: object) -> bool:
    """Return whether something is a class of torch's optimizers."""
    return _is_class_of(found, "torch.optim.optimizer", "Optimizer")


@contextmanager
def installed_only() -> Iterator[None]:
    """Take all but installed distributions out of the import path meanwhile."""
    unsafe = {"", *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    if sys.argv and sys.argv[0].endswith("__main__.py"):
        unsafe.add(str(Path(sys.argv[0]).parent.parent))
    # an empty entry is the current folder
    unsafe_folders = {os.path.realpath(one or os.curdir) for one in unsafe} - import_folders()
    before = list(sys.path)
    sys.path[:] = [
        one for one in before if os.path.realpath(one or os.curdir) not in unsafe_folders
    ]
    try:
        yield
    finally:
        sys.path[:] = before


_LIBRARIES = ("torch", "timm")
# Names whose import and whose classes are as good as our own: optplan itself makes them for any config.
_OWN_HOMES = (
    "torch.optim.",
    "torch.distributed.optim.",
    "timm.optim.",
    "timm.scheduler.",
    "mmengine.optim.",
    "optplan.",
)


def _is_of_torch(found: object) -> bool:
    return f"{_home_of(found)}.".startswith(_OWN_HOMES)


def _home_of(found: object) -> str:
    module = getattr(found, "__module__", None)
    return module if isinstance(module, str) else ""


def _is_own(found: object) -> bool:
    if _is_of_torch(found):
        return True
    file = getattr(sys.modules.get(_home_of(found)), "__file__", None)
    return file is not None and is_users_file(file)


def _is_class_of(found: object, module: str, name: str) -> bool:
    """Return whether something is a subclass, where the module of the base class is loaded at all."""
    base = getattr(sys.modules.get(module), name, None)
    return base is not None and isinstance(found, type) and issubclass(found, base)


def _loaded(dotted: str) -> object:
    """Return what a name means where that is there already, so that no code runs; None elsewhere."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:count]))
        if found is not None:
            for name in parts[count:]:
                if name.startswith("__") or not isinstance(found, ModuleType | type):
                    return None
                found = vars(found).get(name)
            return found
    return None


def _walk(dotted: str) -> object:
    """Import the longest part that is a module, then take attributes."""
    before = len(sys.modules)
    try:
        return _imported(dotted)
    finally:
        if len(sys.modules) > before:
            note_import(dotted)


def _imported(dotted: str) -> object:
    parts = dotted.split(".")
    found: object = None
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        try:
            found = import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name and not name.startswith(f"{error.name}."):
                raise
            return _attributes(found, parts[count - 1 :], dotted)
    return found


def _attributes(found: object, names: list[str], dotted: str) -> object:
    for name in names:
        if name.startswith("__") or found is None or not hasattr(found, name):
            raise NotInstalledError(f"there is no {dotted!r}")
        found = getattr(found, name)
        if isinstance(found, ModuleType) and is_own_name(dotted):  # another's, by a name of ours
            raise NotInstalledError(f"there is no {dotted!r}")
    return found


@contextmanager
def _current_folder() -> Iterator[None]:
    """Import from the current folder as well meanwhile, as Python itself does for a program there."""
    before = list(sys.path)
    sys.path.insert(0, os.getcwd())
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _neutral_process() -> Iterator[None]:
    """Hide our arguments and our stdin meanwhile, and take back what is done to Python's path."""
    argv, stdin, path = sys.argv, sys.stdin, list(sys.path)
    with open(os.devnull, encoding="utf-8") as nothing:
        sys.argv, sys.stdin = ["optplan"], nothing
        try:
            yield
        finally:
            sys.argv, sys.stdin, sys.path[:] = argv, stdin, path
