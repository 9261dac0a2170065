"""Running code that stands on the command line: naming it there is the user's consent."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from optplan.chatter import chatter_to_stderr
from optplan.errors import OptplanError, UsageError, described_exception, did_you_mean
from optplan.foreign_runs import note_foreign_run
from optplan.runtime.audit import download_error, lifted, no_network

# What the module of a file is called before its stem, so that it hides no other.
FILE_MODULE = "_optplan_file_"


@lifted()
def user_attribute(head: str, attr: str, error: type[OptplanError]) -> object:
    """What ``head:attr`` names, where ``head`` is a Python file or a module, and dots are allowed in ``attr``.

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
def import_for_user(word: str) -> None:
    """Import the module or Python file that ``--import`` names, so that it can register its classes.

    A file is known by its own name afterwards, for configs that name it as a module.

    Raises:
        UsageError: There is no such file or module, or it raises on import.
    """
    with importable_folders(word):
        if word.endswith(".py"):
            sys.modules.setdefault(Path(word).stem, run_file(word, UsageError))
        else:
            _module(word, UsageError)


def run_file(path: str, error: type[OptplanError]) -> ModuleType:
    """Run a Python file as a module of its own.

    Raises:
        error: There is no such file, or it raises.
    """
    file = Path(path)
    if not file.is_file():
        raise error(f"there is no file {path!r}", hint=_similar_files(file))
    name = f"{FILE_MODULE}{file.stem}"
    module_spec = importlib.util.spec_from_file_location(name, file)
    if module_spec is None or module_spec.loader is None:
        raise error(f"{path!r} is no Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up
    _run(lambda: module_spec.loader.exec_module(module), path, error)  # type: ignore[union-attr]
    return module


@contextmanager
def importable_folders(head: str) -> Iterator[None]:
    """Let a file's folder, and the current one, be imported from meanwhile."""
    folders = [str(Path(head).resolve().parent)] if head.endswith(".py") else []
    folders.append(str(Path.cwd()))
    before = list(sys.path)
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    try:
        yield
    finally:
        sys.path[:] = before


def _module(name: str, error: type[OptplanError]) -> ModuleType:
    _run(lambda: importlib.import_module(name), name, error)
    return sys.modules[name]


def _run(action: Callable[[], object], what: str, error: type[OptplanError]) -> None:
    """Run an import that the user asked for; its prints go to stderr."""
    tried: list[str] = []
    note_foreign_run()
    try:
        with chatter_to_stderr(), no_network() as tried:
            action()
    except ModuleNotFoundError as raised:
        raise error(f"{what!r} cannot be imported: there is no module {raised.name!r}") from raised
    except (Exception, SystemExit) as raised:
        if tried:
            raise download_error(repr(what), tried[0], error) from raised
        raise error(f"{what!r} raises on import: {described_exception(raised)}") from raised


def _similar_files(file: Path) -> str | None:
    folder = file.parent
    return did_you_mean(file.name, [p.name for p in folder.iterdir()]) if folder.is_dir() else None
