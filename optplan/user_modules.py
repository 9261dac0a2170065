"""The modules of a user's own files: each file is run once in a process, whatever it is called by."""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location, spec_from_loader
from site import getsitepackages, getusersitepackages
from types import ModuleType

# Before the name of a module whose own name belongs to an installed or a standard module.
FILE_MODULE = "_optplan_file_"
# Packages that optplan uses itself: where they are installed, no file of the user's has their names.
_OWN_PACKAGES = frozenset({"optplan", "torch", "torchvision", "timm", "mmengine", "mmcv", "numpy"})


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
        """The folder that it is in."""
        return os.path.dirname(self.path)

    @property
    def stem(self) -> str:
        """The last part of its module's name."""
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


# Every module of the user's that was run, or is being run, by the real path of its file.
_by_file: dict[str, ModuleType] = {}
# The first parts of their names.
_tops: set[str] = set()
# Names that keep their meaning although a file or package of the user's is called so.
_reserved = set(_OWN_PACKAGES)
# What code has put on ``sys.path`` itself, by the root that it was imported from.
_added_paths: dict[str, list[str]] = {}


@contextmanager
def user_imports(first: Sequence[str], last: Sequence[str] = ()) -> Iterator[None]:
    """Import from these folders meanwhile, as a program that is started in them would.

    Modules of equal names in different folders do not meet, and none of them stays in the place of an
    installed or a standard module.

    Args:
        first: Searched before all other folders; the first of them is the root.
        last: Searched after all others.
    """
    before, added = list(sys.path), _added_paths.setdefault(first[0], [])
    finder = _Finder((*first, *last))
    ahead = [folder for folder in dict.fromkeys((*added, *first)) if folder not in before]
    sys.path[:] = [*ahead, *before, *(folder for folder in last if folder not in before)]
    given = list(sys.path)
    sys.meta_path.insert(0, finder)
    displaced = _make_room(first)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        added += [path for path in sys.path if path not in given]
        sys.path[:] = before
        _put_back(displaced, (*first, *last))


def _make_room(folders: Sequence[str]) -> dict[str, ModuleType]:
    """Take away the modules whose names mean others in these folders; return them."""
    displaced: dict[str, ModuleType] = {}
    for top in (_tops - _reserved) & sys.modules.keys():
        found = _location(PathFinder.find_spec(top, list(folders)))
        if found is not None and found != _location(sys.modules[top].__spec__):
            displaced |= _popped(top)
            if found in _by_file:
                sys.modules[top] = _by_file[found]
    return displaced


def _put_back(displaced: dict[str, ModuleType], folders: Sequence[str]) -> None:
    """Give the names of installed and standard modules back to these."""
    for top in _tops & sys.modules.keys():
        if _is_in(_location(sys.modules[top].__spec__), folders) and outside(top, folders):
            _popped(top)
    gone = {_top(name) for name in displaced} - sys.modules.keys()
    sys.modules.update({name: one for name, one in displaced.items() if _top(name) in gone})


def _top(name: str) -> str:
    return name.partition(".")[0]


def _popped(top: str) -> dict[str, ModuleType]:
    names = [name for name in list(sys.modules) if _top(name) == top]
    return {name: sys.modules.pop(name) for name in names}


def _location(spec: ModuleSpec | None) -> str | None:
    """The real path of a module's file, or of the folder of a package that has none."""
    if spec is None:
        return None
    if spec.has_location and spec.origin is not None:
        return os.path.realpath(spec.origin)
    folders = list(spec.submodule_search_locations or ())
    return os.path.realpath(folders[0]) if folders else None


@cache
def _installed_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    names = [paths[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    found = {*names, *getsitepackages(), getusersitepackages(), os.path.dirname(__file__)}
    return tuple(os.path.realpath(name) + os.sep for name in found)


def _is_in(location: str | None, folders: Sequence[str]) -> bool:
    """Whether a module is one of the user's in these folders, and no installed or standard one."""
    if location is None or location.startswith(_installed_folders()):
        return False
    return location.startswith(tuple(os.path.realpath(folder) + os.sep for folder in folders))


def outside(name: str, folders: Sequence[str]) -> ModuleSpec | None:
    """Return where Python finds a top-level module apart from these folders, None where it does not."""
    real = {os.path.realpath(folder) for folder in folders}
    path = [one for one in sys.path if os.path.realpath(one or os.curdir) not in real]
    for finder in sys.meta_path:
        if isinstance(finder, _Finder):
            continue
        search = path if finder is PathFinder else None
        found = finder.find_spec(name, search)
        if found is not None:
            return None if _is_in(_location(found), folders) else found
    return None


class _Finder:
    """Finds the user's modules, and gives for a file that has been run the module that it became.

    Args:
        folders: Where the user's modules are.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return where a module is, None to leave it to the next finder."""
        if path is None and name in _reserved:
            return outside(name, self._folders)
        spec = PathFinder.find_spec(name, path)
        location = _location(spec)
        if spec is None or location is None or not _is_in(location, self._folders):
            return None
        _tops.add(_top(name))
        if (known := _by_file.get(location)) is not None:
            return spec_from_loader(name, _Known(known))
        if isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Noting(name, spec.loader.path)
        return spec


class _Noting(SourceFileLoader):
    """Loads a file of the user's, which is known from then on."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the file."""
        real = os.path.realpath(self.path)
        _by_file[real] = module
        try:
            super().exec_module(module)
        except BaseException:
            _by_file.pop(real, None)
            raise


class _Known(Loader):
    """Gives a module that is there already under another name."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        del spec
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it is: it has been run."""
        module.__spec__ = self._spec


def module_of(file: UserFile) -> ModuleType | None:
    """Return the module that a file has become in this process, by whatever name; None if it has not."""
    known = _by_file.get(file.path)
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
    spec = spec_from_file_location(name, path, loader=_Noting(name, path))
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    _tops.add(_top(name))
    try:
        _Noting(name, path).exec_module(module)
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
        _reserved.add(top)
    if top in _reserved and (_is_taken(top, file) or outside(top, (file.root,)) is not None):
        top = f"{FILE_MODULE}{top}"
        if top not in sys.modules:
            _run(top, os.path.join(file.root, file.package.partition(".")[0], "__init__.py"))
    import_module(top + dot + rest)
    return top + dot + rest


def _free_name(file: UserFile) -> str:
    """A name by which a file hides no installed or standard module."""
    name = file.stem
    if not _is_taken(name, file) and outside(name, (file.root,)) is None:
        return name
    _reserved.add(name)
    numbers = ("", *(f"_{number}" for number in range(2, len(sys.modules))))
    names = (f"{FILE_MODULE}{name}{number}" for number in numbers)
    return next(one for one in names if one not in sys.modules)


def _is_taken(name: str, file: UserFile) -> bool:
    """Whether a module of this name is there that is not the user's."""
    found = sys.modules.get(name)
    return found is not None and not _is_in(_location(found.__spec__), (file.root,))
