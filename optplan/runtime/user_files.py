"""Run the user's own files, each once in a process."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from optplan.runtime.user_modules import (
    BY_FILE,
    FILE_MODULE,
    RESERVED,
    TOPS,
    UserLoader,
    first_part,
    is_in,
    module_location,
    outside,
)


@dataclass(frozen=True, slots=True)
class UserFile:
    """A Python file, and what it is imported as.

    Args:
        path: Its real path.
        root: The folder that its package is imported from; its own folder where it is in none.
        package: The dotted name of its package; empty where it is in none.
    """

    path: str
    root: str
    package: str

    @property
    def folder(self) -> str:
        """Return the folder that it is in."""
        return os.path.dirname(self.path)

    @property
    def stem(self) -> str:
        """Return the last part of its module's name."""
        return os.path.splitext(os.path.basename(self.path))[0].replace(".", "_")


def user_file(path: str) -> UserFile:
    """Return a file with its package, which begins below the first folder without ``__init__.py``."""
    real = os.path.realpath(path)
    root, parts = os.path.dirname(real), list[str]()
    while os.path.isfile(os.path.join(root, "__init__.py")) and os.path.dirname(root) != root:
        root, part = os.path.split(root)
        parts.insert(0, part)
    if all(part.isidentifier() for part in parts):
        return UserFile(real, root, ".".join(parts))
    return UserFile(real, os.path.dirname(real), "")


def module_of(file: UserFile) -> ModuleType | None:
    """Return the module that a file has become in this process, by whatever name; None if it has not."""
    known = BY_FILE.get(file.path)
    if known is not None:
        return known
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or not path.endswith(".py"):
            continue
        if os.path.realpath(path) == file.path and module.__name__ != "__main__":
            return module
    return None


def run_user_file(file: UserFile) -> ModuleType:
    """Run a file as a module that others can import, of its own name if nothing else has that.

    Args:
        file: The file, which has not been run.

    Raises:
        Exception: Whatever the file or its package raises.
    """
    package = _package(file)
    if (found := module_of(file)) is not None:  # its package has imported it
        return found
    name = f"{package}.{file.stem}" if package else _free_name(file)
    module = _run(name, file.path)
    if package:
        setattr(sys.modules[package], file.stem, module)
    return module


def _run(name: str, path: str) -> ModuleType:
    spec = spec_from_file_location(name, path, loader=UserLoader(name, path))
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    TOPS.add(first_part(name))
    try:
        UserLoader(name, path).exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _package(file: UserFile) -> str:
    """Import the package of a file; return its name, empty for a file that does without it."""
    if not file.package:
        return ""
    try:
        return _imported_package(file)
    except Exception:
        if _imports_relatively(file.path):
            raise
        return ""  # as where the file is started as a program


def _imports_relatively(path: str) -> bool:
    with open(path, "rb") as opened:
        tree = ast.parse(opened.read())
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _imported_package(file: UserFile) -> str:
    """Import the package of a file; return its name, which is another where that one is taken."""
    top, dot, rest = file.package.partition(".")
    if _is_taken(top, file) or top in sys.stdlib_module_names:
        RESERVED.add(top)
    if top in RESERVED and (_is_taken(top, file) or outside(top, (file.root,)) is not None):
        top = f"{FILE_MODULE}{top}"
        if top not in sys.modules:
            _run(top, os.path.join(file.root, file.package.partition(".")[0], "__init__.py"))
    import_module(top + dot + rest)
    return top + dot + rest


def _free_name(file: UserFile) -> str:
    """Return a name by which a file hides no installed or standard module."""
    name = file.stem
    if not _is_taken(name, file) and outside(name, (file.root,)) is None:
        return name
    RESERVED.add(name)
    numbers = ("", *(f"_{number}" for number in range(2, len(sys.modules))))
    names = (f"{FILE_MODULE}{name}{number}" for number in numbers)
    return next(one for one in names if one not in sys.modules)


def _is_taken(name: str, file: UserFile) -> bool:
    """Return whether a module of this name is there that is not the user's."""
    found = sys.modules.get(name)
    return found is not None and not is_in(module_location(found), (file.root,))
