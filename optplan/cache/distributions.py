"""Tell whether an installed distribution is still what it was, without importing it."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import util
from typing import Any

from optplan.cache.store import Store
from optplan.runtime.installed import is_editable

_KIND = "distribution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An installed distribution.

    Args:
        folder: The folder that it is installed into.
        version: Its version.
        state: Stands for its install record and for the size and modification time of each of its modules.
    """

    folder: str
    version: str
    state: str


def installed(name: str, store: Store) -> Installed | None:
    """Return a distribution as it is on the disk now.

    None where it cannot be vouched for: there is none, it is an editable install or one without a
    record, or importing its name would load something else.

    Args:
        name: The distribution, and the package of the same name in it.
        store: Remembers what the metadata says.
    """
    folder = _folder(name)
    home = None if folder is None else _home(name, folder)
    if folder is None or home is None or _is_editable(home):
        return None
    record = [_stat(os.path.join(home, file)) for file in ("RECORD", "METADATA")]
    if None in record:
        return None
    version, modules = _contents(home, record, store)
    state = hashlib.sha256(json.dumps(record).encode() + _states(folder, modules)).hexdigest()
    return Installed(folder=folder, version=version, state=state)


def _folder(name: str) -> str | None:
    """Return the folder that ``import name`` would take a package from; importlib.metadata is slower to ask."""
    try:
        spec = util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or os.path.basename(spec.origin) != "__init__.py":
        return None
    return os.path.dirname(os.path.dirname(spec.origin))


def _home(name: str, folder: str) -> str | None:
    """Return the metadata of the distribution that put a package into a folder; None where it is not the only one."""
    start, end = f"{name}-", ".dist-info"
    try:
        found = [one for one in os.listdir(folder) if one.startswith(start) and one.endswith(end)]
    except OSError:
        return None
    return os.path.join(folder, found[0]) if len(found) == 1 else None


def _is_editable(home: str) -> bool:
    try:
        with open(os.path.join(home, "direct_url.json"), encoding="utf-8") as file:
            return is_editable(file.read())
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


def _states(folder: str, modules: Iterable[str]) -> bytes:
    """Return the size and modification time of each module; what is gone counts as well."""
    states = array("q")
    add, stat = states.append, os.stat  # there are thousands
    for module in modules:
        try:
            found = stat(f"{folder}/{module}")
        except (OSError, ValueError):  # a name that no file can have
            states.extend((-1, -1))
        else:
            add(found.st_size)
            add(found.st_mtime_ns)
    return states.tobytes()


def _stat(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _contents(home: str, record: list[Any], store: Store) -> tuple[str, list[str]]:
    """Return the version and the modules of a distribution, which take a while to read from its metadata."""
    key = {"home": home, "record": record}
    data = store.get(_KIND, key)
    if not _is_contents(data):
        from importlib.metadata import Distribution

        found = Distribution.at(home)
        data = [found.version, _modules(found.read_text("RECORD") or "")]
        store.put(_KIND, key, data)
    version, modules = data
    return version, modules


def _is_contents(data: Any) -> bool:
    match data:
        case [str(), [*modules]]:
            return all(isinstance(one, str) and "\0" not in one for one in modules)
    return False


def _modules(record: str) -> list[str]:
    """Return the Python and the extension modules that an install record lists."""
    files = (line.rsplit(",", 2)[0].strip('"') for line in record.splitlines())
    return [file for file in files if file.endswith((".py", ".so", ".pyd"))]
