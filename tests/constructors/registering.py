"""Classes that tests register, in optplan's registries and in the reference's, and that are gone afterwards."""

from __future__ import annotations

import site
import sys
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from optplan.constructors.optimizers import OPTIMIZERS
from optplan.constructors.registered import OPTIMIZER_CONSTRUCTORS
from optplan.runtime.user_code import import_for_user

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the packages it imports use what Python deprecates
    from mmengine import optim as _  # noqa: F401 - registers its own
    from mmengine import registry

OUR_IMPORTS = """\
from optplan import (
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIMIZER_CONSTRUCTORS,
    DefaultOptimizerConstructor,
    DefaultOptimWrapperConstructor,
)
"""
THEIR_IMPORTS = """\
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
"""


@contextmanager
def restored_registries() -> Iterator[None]:
    """What is registered or imported meanwhile is forgotten afterwards."""
    ours = [(r, dict(r.module_dict), r._builtin) for r in (OPTIMIZER_CONSTRUCTORS, OPTIMIZERS)]
    theirs = [(one, dict(one._module_dict), dict(one._children)) for one in _their_registries()]
    modules = set(sys.modules)
    try:
        yield
    finally:
        for our, entries, builtin in ours:
            our._entries, our._builtin = entries, builtin
        for their, entries, children in theirs:
            _restore(their._module_dict, entries)
            _restore(their._children, children)
        for name in set(sys.modules) - modules:
            if name.startswith(_OURS):
                del sys.modules[name]


_OURS = ("own_", "_optplan_file_own_", "tests.")


def _restore(held: dict[str, Any], before: dict[str, Any]) -> None:
    """Take out what a test has put in; what packages have registered on import is there once only."""
    for name, value in list(held.items()):
        home = getattr(value, "scope", None) or getattr(value, "__module__", None) or ""
        if before.get(name) is not value and home.startswith(_OURS):
            del held[name]
    held.update(before)


def _their_registries() -> Iterator[Any]:
    for root in (registry.OPTIM_WRAPPER_CONSTRUCTORS, registry.OPTIMIZERS, registry.OPTIM_WRAPPERS):
        waiting = [root]
        while waiting:
            yield (one := waiting.pop())
            waiting += one.children.values()


def register(
    folder: Path, text: str, *, imports: str = OUR_IMPORTS, name: str = "own_file"
) -> Path:
    """Write a file and import it as ``--import FILE`` does."""
    file = folder / f"{name}.py"
    file.write_text(imports + textwrap.dedent(text))
    import_for_user(str(file))
    return file


def install(
    folder: Path, name: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Install a package as pip does, into a folder of its own."""
    packages = folder / "site-packages"
    home = packages / name
    home.mkdir(parents=True)
    for file, text in {"__init__.py": "", **files}.items():
        (home / file).write_text(textwrap.dedent(text))
    info = packages / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n{name}-1.0.dist-info/METADATA,,\n")
    if str(packages) not in (real := site.getsitepackages()):
        monkeypatch.setattr(site, "getsitepackages", lambda: [*real, str(packages)])
        monkeypatch.syspath_prepend(str(packages))
    return home
