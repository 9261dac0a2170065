"""Build models that a pyproject.toml names; only the user's own project may run its files here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.machinery import PathFinder
from types import FunctionType
from typing import Any

from optplan.errors import ModelError, described_exception
from optplan.hf_specs import ADAPTER
from optplan.model.load import LoadedModel, adapted, library_of, made_module, open_model
from optplan.model.meta import import_torch
from optplan.places import path_below
from optplan.runtime.audit import lifted
from optplan.runtime.gate import NotInstalledError, import_named, is_module_class, named_code
from optplan.runtime.installed import find_installed
from optplan.runtime.user_code import importable_folders, user_attribute

_SAY_IT = "name it on the command line, if you trust it: --model"


def open_model_of_settings(
    spec: str, arguments: Mapping[str, Any], *, project: str | None
) -> LoadedModel:
    """Build a model that settings name.

    Args:
        spec: As for :func:`optplan.load_model`.
        arguments: For its class or factory.
        project: The folder of the user's own project, whose files and modules may run; None for settings of
            a folder that is only checked.

    Raises:
        ModelError: There is no such model, it cannot be built, or settings must not name it.
        IsolationNeededError: It must be built in another process.
    """
    if ADAPTER in arguments:
        rest = {name: value for name, value in arguments.items() if name != ADAPTER}
        return adapted(open_model_of_settings(spec, rest, project=project), arguments[ADAPTER])
    if library_of(spec) and project is not None:
        return open_model(spec, arguments)
    import_torch()
    if library_of(spec):
        with named_code(spec):
            return open_model(spec, arguments)
    head, _, attr = spec.rpartition(":")
    if head.endswith(".py"):
        _require_project_file(head, project)
        return _of_project(spec, head, attr, arguments, "file")
    package = head.partition(".")[0]
    if project is not None and PathFinder.find_spec(package, [project]) is not None:
        return _of_project(spec, head, attr, arguments, "import")
    if find_installed(package) is None:
        raise ModelError(f"no installed package provides {spec!r}", hint=f"{_SAY_IT} {spec}")
    with named_code(spec):
        found = _imported(f"{head}.{attr}")
        return LoadedModel(module=_made(found, spec, arguments), spec=spec, source="import")


def _of_project(
    spec: str, head: str, attr: str, arguments: Mapping[str, Any], source: str
) -> LoadedModel:
    """Build what the user's own project defines."""
    found = user_attribute(head, attr, ModelError)
    with importable_folders(head), lifted():
        module = _made(found, spec, arguments)
    return LoadedModel(module=module, spec=spec, source=source)


def _imported(dotted: str) -> object:
    try:
        return import_named(dotted, trusted=False)
    except NotInstalledError as error:
        raise ModelError(error.problems) from error
    except Exception as error:  # a package may raise anything
        raise ModelError(f"{dotted!r} raises on import: {described_exception(error)}") from error


def _made(found: object, spec: str, arguments: Mapping[str, Any]) -> Any:
    """Build a module of what settings may call.

    Raises:
        ModelError: They must not call it.
    """
    from torch import nn

    if is_module_class(found) or isinstance(found, FunctionType | nn.Module):
        return made_module(found, spec, arguments)
    raise ModelError(
        f"{spec!r} is neither an nn.Module class nor a function, and settings may call nothing else",
        hint=f"{_SAY_IT} {spec}",
    )


def _require_project_file(file: str, project: str | None) -> None:
    """Refuse a file that is not the project's.

    Raises:
        ModelError: It is not.
    """
    real = os.path.realpath(file)
    if project is None or not path_below(real, os.path.realpath(project)):
        raise ModelError(
            f"{file!r} is not run: the settings that name it are not those of the current folder's project, "
            "or it is outside of that",
            hint=f"{_SAY_IT} {file}:…",
        )
