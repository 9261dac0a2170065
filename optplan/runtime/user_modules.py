"""Import the user's own modules as a program in their folders would, and each file once."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from site import getsitepackages, getusersitepackages
from types import ModuleType

# Before the name of a module whose own name belongs to an installed or a standard module.
FILE_MODULE = "_optplan_file_"
# Packages that optplan uses itself: where they are installed, no file of the user's has their names.
_OWN_PACKAGES = frozenset({"optplan", "torch", "torchvision", "timm", "mmengine", "mmcv", "numpy"})

# Every module of the user's that was run, or is being run, by the real path of its file.
BY_FILE: dict[str, ModuleType] = {}
# The first parts of their names.
TOPS: set[str] = set()
# Names that keep their meaning although a file or package of the user's is called so.
RESERVED = set(_OWN_PACKAGES)
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
    ahead = dict.fromkeys(
        (*added, *first)
    )  # also what stands behind the installed packages already
    others = [folder for folder in before if folder not in ahead]
    sys.path[:] = [*ahead, *others, *(folder for folder in last if folder not in before)]
    given = list(sys.path)
    sys.meta_path.insert(0, finder)
    there = dict(sys.modules)
    displaced = _make_room(first)
    try:
        yield
    finally:
        sys.meta_path[:] = [one for one in sys.meta_path if one is not finder]
        added += [path for path in sys.path if path not in given]
        sys.path[:] = before
        _put_back(displaced, (*first, *last), there)


def _make_room(folders: Sequence[str]) -> dict[str, ModuleType]:
    """Take away the modules whose names mean others in these folders; return them."""
    displaced: dict[str, ModuleType] = {}
    for top in (TOPS - RESERVED) & sys.modules.keys():
        found = location_of(PathFinder.find_spec(top, list(folders)))
        if found is not None and found != module_location(sys.modules[top]):
            displaced |= _popped(top)
            if found in BY_FILE:
                sys.modules[top] = BY_FILE[found]
    return displaced


def _put_back(
    displaced: dict[str, ModuleType], folders: Sequence[str], there: dict[str, ModuleType]
) -> None:
    """Give the names of installed and standard modules back to these; what was there before stays."""
    for top in TOPS & sys.modules.keys():
        if sys.modules[top] is there.get(top):
            continue
        if is_in(module_location(sys.modules[top]), folders) and outside(top, folders):
            _popped(top)
    gone = {first_part(name) for name in displaced} - sys.modules.keys()
    sys.modules.update({name: one for name, one in displaced.items() if first_part(name) in gone})


def first_part(name: str) -> str:
    """Return the name of the package or module at the top."""
    return name.partition(".")[0]


def _popped(top: str) -> dict[str, ModuleType]:
    names = [name for name in list(sys.modules) if first_part(name) == top]
    return {name: sys.modules.pop(name) for name in names}


def location_of(spec: ModuleSpec | None) -> str | None:
    """Return the real path of a module's file, or of the folder of a package that has none."""
    if spec is None:
        return None
    if spec.has_location and spec.origin is not None:
        return os.path.realpath(spec.origin)
    folders = list(spec.submodule_search_locations or ())
    return os.path.realpath(folders[0]) if folders else None


def module_location(module: ModuleType) -> str | None:
    """Return the location of a module that is there; some that are made by hand have none."""
    return location_of(getattr(module, "__spec__", None))


@cache
def _installed_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    names = [paths[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    found = {*names, *getsitepackages(), getusersitepackages(), os.path.dirname(__file__)}
    return tuple(os.path.realpath(name) + os.sep for name in found)


def is_in(location: str | None, folders: Sequence[str]) -> bool:
    """Return whether a module is one of the user's in these folders, and no installed or standard one."""
    if location is None or location.startswith(_installed_folders()):
        return False
    return location.startswith(tuple(os.path.join(os.path.realpath(one), "") for one in folders))


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
            return None if is_in(location_of(found), folders) else found
    return None


class _Finder:
    """Find the user's modules; a file that has been run is not run again.

    Args:
        folders: Where the user's modules are.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        _installed_folders()  # now: finding them imports a module on some Pythons, for which this would be asked

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return where a module is, None to leave it to the next finder."""
        if path is None and name in RESERVED:
            return outside(name, self._folders)
        spec = PathFinder.find_spec(name, path)
        location = location_of(spec)
        if spec is None or location is None or not is_in(location, self._folders):
            return None
        TOPS.add(first_part(name))
        if (known := BY_FILE.get(location)) is not None:
            return spec_from_loader(name, _Known(known))
        if isinstance(spec.loader, SourceFileLoader):
            spec.loader = UserLoader(name, spec.loader.path)
        return spec


class UserLoader(SourceFileLoader):
    """Load a file of the user's, and remember its module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the file."""
        real = os.path.realpath(self.path)
        BY_FILE[real] = module
        try:
            super().exec_module(module)
        except BaseException:
            BY_FILE.pop(real, None)
            raise


class _Known(Loader):
    """Load a module that is there already, under another name."""

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
