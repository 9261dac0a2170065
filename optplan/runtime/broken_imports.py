"""An installed package that cannot be imported: its install is broken, not optplan."""

from __future__ import annotations

import traceback
from pathlib import Path

from optplan.errors import Problem

_OWN = str(Path(__file__).parents[1])
_IMPORT_SYSTEM = "importlib"
# compiled for one build of torch
_BUILT_FOR_TORCH = "torchvision"


def broken_import(error: Exception) -> Problem | None:
    """Return what to say of an error that the import of a package raised for optplan; None for any other."""
    frames = list(traceback.extract_tb(error.__traceback__))
    own = max(
        (n for n, frame in enumerate(frames) if frame.filename.startswith(_OWN)), default=None
    )
    if own is None:
        return None
    called = frames[own + 1 :]
    if isinstance(error, ModuleNotFoundError) and error.name and not called:
        package = error.name.partition(".")[0]
        return Problem(message=f"{package} is not installed", hint=f"pip install {package}")
    packages = [name for frame in called if (name := _package(frame.filename))]
    # Python leaves its own frames out for an import statement
    if not packages or not (called[0].name == "<module>" or _IMPORT_SYSTEM in called[0].filename):
        return None
    said = " ".join(str(error).split())
    message = f"{packages[0]} cannot be imported: {type(error).__name__}: {said}"
    hint = "pip check says which versions do not fit each other"
    return Problem(message=message, hint=_other_build() if _BUILT_FOR_TORCH in packages else hint)


def _package(file: str) -> str:
    """Return the top-level package of a file among installed ones; '' elsewhere."""
    _, found, inside = file.replace("\\", "/").rpartition("/site-packages/")
    return inside.partition("/")[0] if found else ""


def _other_build() -> str:
    from importlib.metadata import version

    versions = " and ".join(f"{name} {version(name)}" for name in ("torch", _BUILT_FOR_TORCH))
    return f"{versions} are not of one build: pip install both of them from one index"
