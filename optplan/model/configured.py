"""Build the model that a config names itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.config import OwnModel, Symbol
from optplan.config.own_model import TIMM
from optplan.errors import ConfigError, ModelError, did_you_mean
from optplan.model.arguments import arguments_for, imported, require_module_class
from optplan.model.lightning_cli import own_module
from optplan.model.load import LoadedModel, checked_module, timm_model
from optplan.model.meta import build_on_meta, import_torch
from optplan.model.registered import build_registered, is_of_mmengine
from optplan.registries import (
    RegistryKind,
    is_part_of_models,
    is_scope,
    registered,
    registered_names,
    run_custom_imports,
)
from optplan.runtime.gate import named_code
from optplan.runtime.stdio import suppress_output

if TYPE_CHECKING:
    from torch import nn

_TIMM_NAME = re.compile(r"[a-z0-9_]+(\.\w+)?")
# Packages whose distribution is called otherwise.
_DISTRIBUTIONS = {"mmaction": "mmaction2", "mmseg": "mmsegmentation"}
_ANOTHER = "name a model: --model resnet50"


def open_configured(own: OwnModel) -> LoadedModel:
    """Build the model that a config names itself, without its weights.

    Its type is a class in the registry of the package that its scope names, a timm name, or the import
    path or symbol of a class.

    Raises:
        ModelError: There is none, it raises while it is built, or it is no module.
        ConfigError: A module of the config's ``custom_imports`` cannot be imported.
    """
    trusted = own.namespace.trusted
    import_torch()
    run_custom_imports(own.namespace)
    try:
        with named_code(own.name, trusted=trusted), suppress_output():
            module = _opened(own)
    except (ModelError, ConfigError) as error:
        problems = [
            replace(one, place=one.place or own.place, hint=one.hint or _ANOTHER)
            for one in error.problems
        ]
        raise ModelError(problems) from error
    return LoadedModel(module=module, spec=own.name, source="config")


def may_be_installed(own: OwnModel) -> bool:
    """Return whether the package that a config's model comes from is there, without importing it.

    A word that may be anybody's is taken for one that is there, and timm is, wherever it was imported from.
    """
    word = str(own.type)
    if (
        own.namespace.trusted
        or not isinstance(own.type, str | Symbol)
        or _TIMM_NAME.fullmatch(word.removeprefix(TIMM))
    ):
        return True
    package = re.split(r"[.:]", word)[0] if re.search(r"[.:]", word) else own.namespace.scope
    return package is None or is_scope(package)


def _opened(own: OwnModel) -> nn.Module:
    if own.has_class_path:
        return own_module(own)
    found = _found(own)
    if found is None:
        name = str(own.type).removeprefix(TIMM)
        return timm_model(name, arguments_for(own))
    if not callable(found):
        raise ModelError(f"{own.name!r} is a {type(found).__name__}, and makes no module")
    make = found

    def arguments() -> dict[str, Any]:
        return arguments_for(own, make)

    if is_part_of_models(make) or is_of_mmengine(make):
        built = build_registered(make, arguments, own)
    else:
        built = build_on_meta(lambda: make(**arguments()), repr(own.name))
    return checked_module(built, own.name)


def _found(own: OwnModel) -> object:
    """Return what the type means, None for a model of timm's.

    Raises:
        ModelError: Nothing, or what a config must not call.
    """
    kind = own.type
    if isinstance(kind, str):
        if kind.startswith(TIMM):
            return None
        if (
            ":" not in kind
            and (found := registered(RegistryKind.MODELS, kind, own.namespace)) is not None
        ):
            return found
        if _TIMM_NAME.fullmatch(kind) and _is_timm_model(kind):
            return None
        dotted = kind.replace(":", ".")
        if "." not in dotted:
            raise _unknown(kind, own)
    elif isinstance(kind, Symbol):
        dotted = kind.dotted
    else:  # a built-in of Python's, or anything where a config was executed
        require_module_class(kind, own.name, own, own.place)
        return kind
    found = imported(dotted, own, own.place)
    require_module_class(found, dotted, own, own.place)
    return found


def _is_timm_model(name: str) -> bool:
    import timm

    return bool(timm.is_model(name.partition(".")[0]))


def _unknown(name: str, own: OwnModel) -> ModelError:
    """Return why a bare name means nothing, and what to do about it."""
    scope = own.namespace.scope
    if scope is None:
        return ModelError(
            f"no installed package provides the model {name!r}",
            hint="set default_scope to the package that registers it, pass --import with what does, or "
            f"{_ANOTHER}",
        )
    if not is_scope(scope):
        package = _DISTRIBUTIONS.get(scope, scope)
        return ModelError(
            f"the model {name!r} is one of {scope!r}, which is not installed",
            hint=f"install {package}, or {_ANOTHER}",
        )
    near = did_you_mean(
        name, registered_names(RegistryKind.MODELS, own.namespace.scope, own.namespace)
    )
    return ModelError(
        f"the package {scope!r} has no model {name!r}",
        hint=near or f"pass --import with what registers it, or {_ANOTHER}",
    )
