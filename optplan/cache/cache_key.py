"""Collect all that a library's models and torch's optimizers depend on, besides what is asked for."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from optplan.cache.distributions import installed
from optplan.cache.store import Store
from optplan.hf_specs import config_file
from optplan.runtime.audit import lifted
from optplan.runtime.installed import site_folders

PACKAGES = ("torch", "timm")
# What torch and timm read when they are imported or build a model.
VARIABLES = ("PYTHONPATH", "PYTHONWARNINGS", "PYTORCH_", "TORCH_", "TIMM_", "FORK_LAST3")
_OF_TRANSFORMERS = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "ACCELERATE_", "USE_", "XDG_CACHE_HOME")
_OWN_FOLDER = os.path.dirname(os.path.dirname(__file__))
_OWN_PARTS = ("facts.py", "hf_specs.py", "cache", "constructors", "model")
_METADATA = (".dist-info", ".egg-info", ".egg-link", ".pth")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheKey:
    """What an answer was found with.

    Args:
        versions: Versions of torch and timm.
        key: Everything that could change the answer, as plain data.
    """

    versions: dict[str, str]
    key: dict[str, Any]


def cache_key(store: Store) -> CacheKey | None:
    """Return what the answers of this process are made with.

    None where nothing can be cached: torch or timm is not installed as a distribution whose files are
    on record, or the process has run code that may have changed what they do.
    """
    found = {name: installed(name, store) for name in PACKAGES}
    present = {name: one for name, one in found.items() if one is not None}
    if len(present) < len(PACKAGES):
        return None
    return CacheKey(
        versions={name: one.version for name, one in present.items()},
        key={
            "optplan": _own_state(),
            "python": [sys.version, sys.implementation.name, sys.flags.optimize],
            "installed": _digest(_metadata()),
            "started": _digest(_at_start()),
            "variables": _variables(VARIABLES),
            **{name: [one.folder, one.version, one.state] for name, one in present.items()},
        },
    )


def transformers_key(spec: str, store: Store) -> dict[str, Any] | None:
    """Return what a model of transformers depends on as well.

    None where that is not known: it is not installed as :func:`cache_key` demands, or the model's file
    cannot be read.
    """
    found = installed("transformers", store)
    if found is None:
        return None
    path = config_file(spec)
    try:
        with lifted():
            content = b"" if path is None else path.read_bytes()
    except OSError:
        return None
    return {
        "transformers": [found.folder, found.version, found.state],
        "variables of transformers": _variables(_OF_TRANSFORMERS),
        "file": None if path is None else hashlib.sha256(content).hexdigest(),
    }


def _variables(starts: tuple[str, ...]) -> list[str]:
    named = os.environ.items()
    return sorted(f"{name}={value}" for name, value in named if name.startswith(starts))


def _metadata() -> Iterator[str]:
    """Yield names of what is installed, with versions: timm looks for several other packages."""
    for folder in site_folders():
        yield from sorted(name for name in _names(folder) if name.endswith(_METADATA))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _state(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return path
    return f"{path} {found.st_size} {found.st_mtime_ns}"


def _at_start() -> Iterator[str]:
    """Yield what Python runs before all else, each with its size and modification time."""
    for name in ("sitecustomize", "usercustomize"):
        path = getattr(sys.modules.get(name), "__file__", None)
        if path:
            yield from _own_files(path)
    for folder in site_folders():
        for name in sorted(_names(folder)):
            if name.endswith(".pth"):
                yield _state(f"{folder}/{name}")


def _own_state() -> str:
    """Return a digest of the own code that makes the entries, whatever its version: it may be edited."""
    return _digest(line for part in _OWN_PARTS for line in _own_files(f"{_OWN_FOLDER}/{part}"))


def _own_files(path: str) -> Iterator[str]:
    if path.endswith(".py"):
        yield _state(path)
    elif "." not in os.path.basename(path) and not path.endswith("__pycache__"):
        for name in sorted(os.listdir(path)):
            yield from _own_files(f"{path}/{name}")


def _digest(lines: Iterator[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
