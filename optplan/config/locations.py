"""Find config files, and name them for reports and messages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optplan.config.files.file_reader import DISK
from optplan.errors import ConfigError, similar_files, similar_names
from optplan.places import path_below, relative_path
from optplan.runtime.installed import package_config, package_configs, package_folder

if TYPE_CHECKING:
    from optplan.config.files.file_reader import Reader
    from optplan.places import Place


@dataclass(frozen=True, slots=True)
class ConfigLocation:
    """A config file.

    Args:
        path: Its absolute path.
        name: What reports call it.
        shown: What error messages call it.
        reader: What reads it.
        root: For a config of an installed package, the package's name and its configs' folder.
    """

    path: str
    name: str
    shown: str
    reader: Reader
    root: tuple[str, str] | None = None

    def suggestion(self) -> str | None:
        """Return a hint that names the files beside it that are called much alike."""
        if self.reader is not DISK:
            return None
        if os.path.islink(self.path):
            return f"it is a link to '{os.readlink(self.path)}', which is not there"
        if meant := similar_files(self.path):
            return meant
        name = os.path.basename(self.path)
        return f"if it is the model, write --model {name}" if name.isidentifier() else None


def entry_location(path: str, reader: Reader) -> ConfigLocation:
    """Return the location of what a user asks for.

    Raises:
        ConfigError: There is no such package, or it has no such config.
    """
    if "::" in path and not (reader.exists(os.path.abspath(path)) if "\0" not in path else False):
        return _in_package(path, None)
    absolute = os.path.normpath(os.path.abspath(os.path.expanduser(path)))
    return ConfigLocation(absolute, os.path.basename(absolute), path, reader)


def base_location(
    path: Any, child: ConfigLocation, entry: ConfigLocation, place: Place
) -> tuple[ConfigLocation, str | None]:
    """Return the location of a base, and the scope of the package it is taken from.

    Args:
        path: What the child's ``_base_`` says.
        child: The file that names it.
        entry: The file that was asked for, whose folder names are relative to.
        place: Where it is named.

    Raises:
        ConfigError: It is no path, or there is no such package or config in it.
    """
    if not isinstance(path, str) or not path or "\0" in path:
        raise ConfigError("'_base_' must be a path or a list of paths", place=place)
    if "::" in path:
        return _in_package(path, place), path.partition("::")[0]
    return beside(path, child, entry), None


def beside(path: str, child: ConfigLocation, entry: ConfigLocation) -> ConfigLocation:
    """Return the location of a path that is relative to the file ``child``."""
    absolute = os.path.normpath(os.path.join(os.path.dirname(child.path), path))
    if child.root is not None and path_below(absolute, child.root[1]):
        return _package_location(absolute, child.root)
    reader = DISK if child.root is not None else child.reader
    folder = os.path.dirname(entry.path)
    name = relative_path(absolute, folder)
    is_relative = entry.shown[:1] != "~" and not os.path.isabs(entry.shown)
    if entry.root is None and is_relative and not os.path.isabs(path):
        joined = os.path.join(os.path.dirname(entry.shown), name)
        return ConfigLocation(absolute, name, os.path.normpath(joined), reader)
    return ConfigLocation(absolute, name, path_below(absolute, os.getcwd()) or absolute, reader)


def _package_location(path: str, root: tuple[str, str]) -> ConfigLocation:
    name = f"{root[0]}::{path[len(root[1]) + 1 :].replace(os.sep, '/')}"
    return ConfigLocation(path, name, name, DISK, root)


def _in_package(spec: str, place: Place | None) -> ConfigLocation:
    package, _, path = spec.partition("::")
    folder = package_folder(package)
    if folder is None:
        raise ConfigError(
            f"there is no installed package '{package}' to read '{spec}' from",
            place=place,
            hint=f"pip install it, or give the path of the file instead of '{spec}'",
        )
    found = package_config(package, path)
    if found is None:
        raise ConfigError(
            f"the package '{package}' has no config '{path}'",
            place=place,
            hint=similar_names(path, [f"{package}::{one}" for one in package_configs(package)]),
        )
    return _package_location(found, (package, found[: -len(os.path.normpath(path)) - 1]))


def module_location(
    module: str, child: ConfigLocation, entry: ConfigLocation, place: Place
) -> ConfigLocation:
    """Return the location of the config that ``from module import …`` means in ``read_base()``.

    Raises:
        ConfigError: There is no such package.
    """
    dots = len(module) - len(module.lstrip("."))
    parts = module[dots:].split(".")
    if dots:
        path = os.path.join(*[".."] * (dots - 1), *parts) + ".py"
        return beside(path, child, entry)
    folder = package_folder(parts[0])
    if folder is None or len(parts) == 1:
        raise ConfigError(f"there is no config '{module}' in an installed package", place=place)
    path = os.path.join(folder, *parts[1:]) + ".py"
    return _package_location(path, (parts[0], folder))


def project_roots(entry: str) -> frozenset[str]:
    """Return the folders, as real paths, below which the files of a config's project are."""
    folder = os.path.dirname(entry)
    real, here = os.path.realpath(folder), os.path.realpath(os.getcwd())
    roots = {os.path.realpath(_project_folder(folder)), real}
    return frozenset(roots | {here} if is_below(real, here) else roots)


def outside_project(path: str, roots: frozenset[str]) -> str | None:
    """Return where a base really is, if that is outside the project of the entry config; None elsewhere.

    The content of such a file is not the project's to show, not even in an error: a link or a path with dots
    may lead to anything.
    """
    real = os.path.realpath(path)
    return None if any(is_below(real, root) for root in roots) else real


def is_below(path: str, folder: str) -> bool:
    """Return whether a real path is a folder or something in it."""
    return path_below(path, folder) is not None


def _project_folder(folder: str) -> str:
    """Return the nearest folder above that a repository or a project begins in, or the folder itself."""
    above = folder
    while True:
        if any(os.path.exists(os.path.join(above, mark)) for mark in (".git", "pyproject.toml")):
            return above
        parent = os.path.dirname(above)
        if parent == above:
            return folder
        above = parent
