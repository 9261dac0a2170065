"""Importing what a config names: from installed distributions, and from nowhere else.

A config may come from a stranger, so a module beside it, in the current folder or on PYTHONPATH
is never imported for it.
"""

from __future__ import annotations

import json
import os
import site
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from optplan.chatter import hushed
from optplan.errors import OptplanError
from optplan.foreign_runs import note_import


class NotInstalledError(OptplanError):
    """A name that no installed distribution provides."""


def site_folders() -> list[str]:
    """The folders that distributions are installed into."""
    folders = list(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return folders


def find_installed(package: str) -> ModuleSpec | None:
    """Where an installed distribution has a top-level package, without importing it."""
    found = PathFinder.find_spec(package, site_folders())
    if found is not None and any(_owns(dist, package) for dist in _distributions(package)):
        return found
    for dist in _distributions(package):
        if _is_editable(dist) and (found := _find_editable(dist, package)):
            return found
    return None


def import_installed(dotted: str) -> object:
    """The object of a dotted name, imported from an installed distribution.

    A module that the process has imported already is used as it is: nothing is executed for it.

    Raises:
        NotInstalledError: No installed distribution has it.
        Exception: Whatever the package raises on import.
    """
    package = dotted.partition(".")[0]
    if package not in sys.modules and find_installed(package) is None:
        raise NotInstalledError(f"no installed package provides {dotted!r}")
    with installed_only(), hushed():
        return _walk_dotted(dotted)


def import_anywhere(dotted: str) -> object:
    """The object of a dotted name for which the user vouches, the current folder's modules too.

    Raises:
        NotInstalledError: There is no such object.
        Exception: Whatever the module raises on import.
    """
    before = list(sys.path)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as Python itself writes it
    try:
        with hushed():
            return _walk_dotted(dotted)
    finally:
        sys.path[:] = before


def _walk_dotted(dotted: str) -> object:
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
    return found


@contextmanager
def installed_only() -> Iterator[None]:
    """Take the current folder and PYTHONPATH out of the search path meanwhile."""
    unsafe = {"", os.getcwd()}  # noqa: PTH109 - compared as text with sys.path
    unsafe |= set(os.environ.get("PYTHONPATH", "").split(os.pathsep))
    if sys.argv and sys.argv[0].endswith("__main__.py"):
        unsafe.add(str(Path(sys.argv[0]).parent.parent))
    unsafe -= set(site_folders())  # where a program that runs as a module may be installed, too
    before = list(sys.path)
    sys.path[:] = [folder for folder in sys.path if folder not in unsafe]
    try:
        yield
    finally:
        sys.path[:] = before


def _distributions(package: str) -> Iterator[metadata.Distribution]:
    """All installed distributions, those named like the package first."""
    finder = metadata.DistributionFinder.Context
    folders = site_folders()
    search = metadata.MetadataPathFinder.find_distributions
    yield from search(finder(name=package, path=folders))
    yield from search(finder(path=folders))


def _owns(dist: metadata.Distribution, package: str) -> bool:
    top_level = dist.read_text("top_level.txt")
    if top_level and package in top_level.split():
        return True
    record = "\n" + (dist.read_text("RECORD") or "")
    return f"\n{package}/" in record or f"\n{package}.py," in record


def _is_editable(dist: metadata.Distribution) -> bool:
    try:
        info = json.loads(dist.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(info.get("dir_info", {}).get("editable", False))


def _find_editable(dist: metadata.Distribution, package: str) -> ModuleSpec | None:
    """An editable install adds folders through a .pth file, or a finder module of its own."""
    for file in dist.files or ():
        if file.suffix == ".pth":
            lines = Path(str(dist.locate_file(file))).read_text(encoding="utf-8").splitlines()
            folders = [
                line for line in lines if line and not line.startswith(("import ", "import\t"))
            ]
            if folders and (found := PathFinder.find_spec(package, folders)):
                return found
        elif file.name.startswith("__editable__") and file.suffix == ".py":
            mapping = getattr(sys.modules.get(file.stem), "MAPPING", {})
            if package in mapping:
                return PathFinder.find_spec(package, [str(Path(mapping[package]).parent)])
    return None
