"""Define what counts as an installed distribution; every other room asks here.

A package is installed where a distribution in a site folder of this Python has it on its record, or is an
editable install of it. A bare folder there is not, nor what stands in the current folder or on PYTHONPATH.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from optplan.places import path_below

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from importlib.metadata import Distribution

# The files of the system that the code of a model may read: hardware, time zones, types of files.
_SYSTEM_FILES = (
    "/etc/localtime",
    "/etc/mime.types",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
)
_OWN_PROCESS_FILES = ("cgroup", "maps", "mountinfo", "stat", "statm", "status")
_LIBRARIES = ("torch", "timm", "torchvision")


def site_folders() -> tuple[str, ...]:
    """Return the folders that distributions are installed into."""
    import site

    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return tuple(dict.fromkeys(folders))


def import_folders() -> frozenset[str]:
    """Return the folders that installed distributions are imported from, as real paths."""
    editable = (folder for one in _editables(site_folders()) for folder in one.folders)
    return frozenset(map(os.path.realpath, (*site_folders(), *editable)))


def find_installed(package: str) -> ModuleSpec | None:
    """Find a top-level package or module of an installed distribution, without importing it."""
    return _find(package, site_folders()) if package.isidentifier() else None


@cache
def _find(package: str, folders: tuple[str, ...]) -> ModuleSpec | None:
    from importlib.machinery import PathFinder

    found = PathFinder.find_spec(package, list(folders))
    if found is not None and any(_owns(one, package) for one in _distributions(package, folders)):
        return found
    for one in _editables(folders):
        if one.names and package not in one.names:
            continue
        found = PathFinder.find_spec(package, list(one.folders))
        # Where the install does not list its packages, a single module beside them is not taken for one.
        is_whole = bool(one.names) or package == one.distribution
        if found is not None and (is_whole or found.submodule_search_locations):
            return found
    return None


def package_folder(name: str) -> str | None:
    """Return the folder of an installed top-level package, None where there is none."""
    found = find_installed(name)
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    return folders[0] if folders else None


def package_config(name: str, path: str) -> str | None:
    """Return the file that ``name::path`` means, None where the package has no such config."""
    for configs in _config_folders(name):
        found = os.path.normpath(os.path.join(configs, path))
        if path_below(found, configs) and os.path.isfile(found):
            return found
    return None


def package_configs(name: str) -> Iterator[str]:
    """Yield the paths of a package's configs, as ``name::path`` writes them."""
    for configs in _config_folders(name):
        for folder, _, files in os.walk(configs):
            for file in files:
                yield os.path.relpath(os.path.join(folder, file), configs).replace(os.sep, "/")


def _config_folders(name: str) -> tuple[str, ...]:
    """Return where the configs of an installed package may be."""
    folder = package_folder(name)
    if folder is None:
        return ()
    return os.path.join(folder, ".mim", "configs"), os.path.join(folder, "configs")


def is_installed(package: str) -> bool:
    """Return whether a distribution has a top-level package, or one that is loaded is Python's or a library's own.

    The libraries are those that may stand on PYTHONPATH. One of the user's that is loaded is not installed.
    """
    if find_installed(package) is not None:
        return True
    file = getattr(sys.modules.get(package), "__file__", None)
    if file is None or is_users_file(file):
        return False
    return not _is_below(file, map(os.path.realpath, site_folders()))


def is_users_file(path: str) -> bool:
    """Return whether a file is neither the standard library's nor in a folder that packages are installed into."""
    return not _is_below(path, code_roots())


def _is_below(path: str, roots: Iterable[str]) -> bool:
    real = os.path.realpath(path)
    return any(real.startswith(root + os.sep) for root in roots)


def code_roots() -> tuple[str, ...]:
    """Return the folders of the standard library, of what is installed, and of what optplan runs on."""
    return _code_roots(site_folders())


def readable_roots() -> tuple[str, ...]:
    """Return the files and folders that named code may read, as real paths: packages keep caches."""
    return _readable_roots(site_folders())


@cache
def _readable_roots(folders: tuple[str, ...]) -> tuple[str, ...]:
    import platformdirs

    caches = (platformdirs.user_cache_dir(), platformdirs.user_config_dir("matplotlib"))
    own = tuple(f"/proc/{os.getpid()}/{name}" for name in _OWN_PROCESS_FILES)
    return (*_code_roots(folders), *own, *map(os.path.realpath, (*caches, *_SYSTEM_FILES)))


@cache
def _code_roots(sites: tuple[str, ...]) -> tuple[str, ...]:
    import sysconfig
    from importlib.machinery import PathFinder

    folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *sites]
    folders += [os.path.dirname(os.path.dirname(__file__)), *_editable_packages(sites)]
    # Clusters have torch and timm on PYTHONPATH.
    for name in _LIBRARIES:
        found = PathFinder.find_spec(name)
        folders += found.submodule_search_locations or () if found is not None else ()
    zipped = [one for one in sys.path if one.endswith(".zip")]
    return tuple(dict.fromkeys(map(os.path.realpath, (*folders, *zipped))))


def _distributions(package: str, folders: tuple[str, ...]) -> Iterator[Distribution]:
    """Yield all installed distributions, those named like the package first."""
    from importlib import metadata

    finder = metadata.DistributionFinder.Context
    search = metadata.MetadataPathFinder.find_distributions
    yield from search(finder(name=package, path=list(folders)))
    yield from search(finder(path=list(folders)))


def _owns(dist: Distribution, package: str) -> bool:
    top_level = dist.read_text("top_level.txt")
    if top_level and package in top_level.split():
        return True
    record = "\n" + (dist.read_text("RECORD") or "")
    return (
        f"\n{package}/" in record or f"\n{package}." in record
    )  # a folder, or a module of some kind


def _editable_packages(sites: tuple[str, ...]) -> Iterator[str]:
    """Yield the folders of packages that are installed as editable, and of no others beside them."""
    for one in _editables(sites):
        for folder in one.folders:
            for name in one.names or _names(folder):
                if os.path.isfile(os.path.join(folder, name, "__init__.py")):
                    yield os.path.join(folder, name)


@dataclass(frozen=True, slots=True)
class _Editable:
    """An editable install: the folders it is imported from, and its packages (none: not said)."""

    distribution: str
    folders: tuple[str, ...]
    names: frozenset[str]


@cache
def _editables(folders: tuple[str, ...]) -> tuple[_Editable, ...]:
    from importlib.metadata import distributions

    found = distributions(path=list(folders))
    return tuple(
        _editable(dist) for dist in found if is_editable(dist.read_text("direct_url.json"))
    )


def is_editable(direct_url: str | None) -> bool:
    """Return whether the ``direct_url.json`` of a distribution is that of an editable install; so is a broken one."""
    try:
        return bool(json.loads(direct_url or "{}").get("dir_info", {}).get("editable", False))
    except (ValueError, AttributeError):
        return True


def _editable(dist: Distribution) -> _Editable:
    """Read what an editable install adds: folders in a .pth file, or a finder module of its own."""
    folders: list[str] = []
    names = set((dist.read_text("top_level.txt") or "").split())
    for file in dist.files or ():
        if file.suffix == ".pth":
            lines = _lines(str(dist.locate_file(file)))
            folders += [one for one in lines if one and not one.startswith(("import ", "import\t"))]
        elif file.name.startswith("__editable__") and file.suffix == ".py":
            mapping = getattr(sys.modules.get(file.stem), "MAPPING", {})
            folders += [os.path.dirname(str(path)) for path in mapping.values()]
            names |= set(mapping)
    name = str(dist.name).replace("-", "_")
    return _Editable(name, tuple(dict.fromkeys(folders)), frozenset(names))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
