"""Run code that the user names on the command line, which is consent to run it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.machinery import PathFinder
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from optplan.errors import (
    OptplanError,
    UsageError,
    described_exception,
    did_you_mean,
    similar_files,
)
from optplan.runtime.audit import download_error, lifted, no_network
from optplan.runtime.landlock import leave_open
from optplan.runtime.stdio import stdout_to_stderr
from optplan.runtime.third_party_runs import note_third_party_run
from optplan.runtime.user_files import module_of, run_user_file, user_file
from optplan.runtime.user_modules import first_part, outside, user_imports

# Puts modules in the place of others that are not installed, and says whether it did.
StandIns = Callable[[], AbstractContextManager[bool]]


@lifted()
def user_attribute(head: str, attr: str, error: type[OptplanError]) -> object:
    """Return what ``head:attr`` names, where ``head`` is a Python file or a module, and dots are allowed in ``attr``.

    Raises:
        error: There is no such file, module or attribute, or it raises on import.
    """
    with importable_folders(head):
        found: object = run_file(head, error) if head.endswith(".py") else _module(head, error)
    for part in attr.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            raise error(f"'{head}:{attr}': there is no {part!r}", hint=did_you_mean(part, names))
        found = getattr(found, part)
    return found


@lifted()
def import_for_user(word: str, stand_ins: StandIns | None = None) -> None:
    """Import the module or Python file that ``--import`` names, so that it can register its classes.

    A file is known by its own name afterwards, for configs that name it as a module.

    Args:
        word: The module or file.
        stand_ins: Provides modules that are not installed meanwhile, where the user trusts what configs name.

    Raises:
        UsageError: There is no such file or module, or it raises on import.
    """
    with nullcontext(False) if stand_ins is None else stand_ins() as are_there:
        _import(word, without_packages=are_there)


def _import(word: str, *, without_packages: bool) -> None:
    with importable_folders(word):
        if word.endswith(".py"):
            run_file(word, UsageError, without_packages=without_packages)
        else:
            _module(word, UsageError)


def run_file(path: str, error: type[OptplanError], *, without_packages: bool = False) -> ModuleType:
    """Return the module that a Python file is, which is run if it has not been.

    Args:
        path: The file.
        error: What is raised.
        without_packages: Where the file's package raises on import, run the file without the package's own code.

    Raises:
        error: There is no such file, or it raises.
    """
    if not Path(path).is_file():
        raise error(f"there is no file {path!r}", hint=similar_files(path))
    file = user_file(path)
    found = module_of(file)
    if found is not None:
        return found
    return _run(lambda: run_user_file(file, without_packages=without_packages), path, error)


@contextmanager
def importable_folders(head: str) -> Iterator[None]:
    """Let modules be imported meanwhile as the code of a file or module finds them.

    These are the folder that its package is in, the current one, and its own.

    Args:
        head: A Python file, or the dotted name of a module.
    """
    here = str(Path.cwd())
    if not head.endswith(".py"):
        with user_imports((here,)):
            yield
        return
    file = user_file(head)
    # among the modules of a package may be one that is called as a standard module
    last = (file.folder,) if file.package else ()
    with user_imports((file.root, here), last):
        yield


def module_in(dotted: str) -> str | None:
    """Return how much of a dotted name is a module, here or where Python finds it; nothing is imported."""
    parts = dotted.split(".")
    with importable_folders(dotted):
        found = outside(parts[0], ())
    count, known = 0, None
    while found is not None:
        count, known = count + 1, found
        folders = known.submodule_search_locations
        if count == len(parts) or folders is None:
            break
        found = PathFinder.find_spec(".".join(parts[: count + 1]), list(folders))
    return ".".join(parts[:count]) or None


def module_file(name: str) -> str:
    """Return the file of a module that is imported already, as the code of the current folder finds it."""
    with importable_folders(name):
        return getattr(importlib.import_module(name), "__file__", None) or ""


def _module(name: str, error: type[OptplanError]) -> ModuleType:
    return _run(lambda: importlib.import_module(name), name, error)


def _run(action: Callable[[], ModuleType], what: str, error: type[OptplanError]) -> ModuleType:
    """Run an import that the user asked for; its prints go to stderr."""
    tried: list[str] = []
    note_third_party_run()
    leave_open()
    try:
        with stdout_to_stderr(), no_network() as tried:
            return action()
    except ModuleNotFoundError as raised:
        hint = _of_mmcv1(raised)
        text = f"{what!r} cannot be imported: there is no module {raised.name!r}"
        raise error(text, hint=hint) from raised
    except (Exception, SystemExit) as raised:
        is_stand_in = isinstance(raised, ImportError) and first_part(raised.name or "") == "mmcv"
        if tried:
            raise download_error(repr(what), tried[0], error) from raised
        text = f"{what!r} raises on import: {described_exception(raised)}"
        raise error(text, hint=_NO_STAND_IN if is_stand_in else None) from raised


_NO_STAND_IN = (
    "mmcv 1.x is not installed: --trust provides its registries of optimizers and constructors,"
    " DefaultOptimizerConstructor and what is mostly used with them, and nothing else of it"
)


def _of_mmcv1(error: ModuleNotFoundError) -> str | None:
    """Return what to do about code for mmcv 1.x, which is not installed; None about any other."""
    if error.name not in ("mmcv", "mmcv.runner"):
        return None
    frame = next((one for one in reversed(extract_tb(error.__traceback__)) if one.line), None)
    where = (
        f"change line {frame.lineno} of {frame.filename}, {frame.line!r}, to" if frame else "write"
    )
    return (
        f"mmcv 1.x is not installed: {where} 'from optplan import OPTIMIZER_CONSTRUCTORS as"
        " OPTIMIZER_BUILDERS, DefaultOptimizerConstructor', or give --trust, which puts optplan's own names"
        " in the place of mmcv's"
    )
