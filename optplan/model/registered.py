"""Build models as mmengine does: nested sections become modules, each looked up in its registry."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from optplan.config import OwnModel, place_of
from optplan.errors import ModelError, did_you_mean
from optplan.model.arguments import not_called, refused_call
from optplan.model.meta import build_on_meta
from optplan.places import Place
from optplan.registries import RegistryKind, default_scope, is_part_of_models, registered_names
from optplan.runtime.gate import installed_only, is_module_class
from optplan.unregistered_names import Unregistered


def is_of_mmengine(found: object) -> bool:
    """Return whether a class inherits from one of mmengine's, so that its arguments are sections as well."""
    return any(base.__module__.partition(".")[0] == "mmengine" for base in _bases(found))


def _bases(found: object) -> tuple[type, ...]:
    return found.__mro__ if isinstance(found, type) else ()


def build_registered(
    found: Callable[..., Any], arguments: Callable[[], dict[str, Any]], own: OwnModel
) -> object:
    """Have mmengine build a config's model.

    Args:
        found: The class.
        arguments: Makes its arguments, anew for each attempt.
        own: What the config says.

    Raises:
        ModelError: It raises, or the config names something inside that is not there or must not be
            called.
    """
    from mmengine.config import ConfigDict  # type: ignore[import-not-found, unused-ignore]
    from mmengine.registry import MODELS

    trusted = own.namespace.trusted
    names = Unregistered(_may_call, trusted=trusted)
    given: dict[str, Any] = {}

    def build() -> object:
        search = contextlib.nullcontext() if trusted else installed_only()
        given.update(arguments())
        with default_scope(own.namespace), names.watched(), search:
            return MODELS.build(ConfigDict(type=found, **given))

    try:
        return build_on_meta(build, repr(own.name))
    except ModelError as error:
        if (refusal := refused_call(error, given)) is not None:
            raise refusal from error
        if names.refused is not None:
            raise _refused(names.refused, own) from error
        if names.missing is not None:
            raise _missing(names.missing, own) from error
        raise


def _may_call(found: object) -> bool:
    return is_module_class(found) or is_part_of_models(found)


def _refused(name: str, own: OwnModel) -> ModelError:
    return ModelError([not_called(name, _first(own.arguments.values(), name))])


def _missing(name: str, own: OwnModel) -> ModelError:
    known = registered_names(RegistryKind.MODELS, own.namespace.scope, own.namespace)
    return ModelError(
        f"no installed package provides {name!r}, which the config's model is made of",
        place=_first(own.arguments.values(), name),
        hint=did_you_mean(name, known) or "install the package that does",
    )


def _place_of_type(section: object, name: str) -> Place | None:
    """Return where a nested section names its type."""
    if isinstance(section, Mapping):
        if section.get("type") == name:
            return place_of(section, "type")
        return _first(section.values(), name)
    if isinstance(section, list | tuple):
        return _first(section, name)
    return None


def _first(sections: Any, name: str) -> Place | None:
    places = (_place_of_type(section, name) for section in sections)
    return next((place for place in places if place is not None), None)
