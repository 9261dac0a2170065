"""Arguments that a config gives its own model, with its symbols imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

from optplan.config import OwnModel, Symbol, place_of, without_weights
from optplan.config.own_model import PREPROCESSOR
from optplan.errors import ModelError, Problem, described_exception, did_you_mean, listed
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.registries import VOUCH, is_of_own_registry, is_part_of_models
from optplan.runtime.audit import refusal
from optplan.runtime.gate import NotInstalledError, import_named, is_module_class
from optplan.runtime.where import RefusedError

CALLED_ALL_THE_SAME = "--trust calls it all the same"


def arguments_for(own: OwnModel, found: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Return the arguments for a config's model, made anew: the model's code may change them.

    Args:
        own: What the config says.
        found: What is called with them; it is given the config's ``data_preprocessor`` if it takes one.

    Raises:
        ModelError: A symbol among them means nothing that is installed.
    """
    arguments = {
        name: _value(value, own, place_of(own.section, name))
        for name, value in own.arguments.items()
    }
    if own.preprocessor is not None and found is not None and _takes_one(found):
        arguments.setdefault(PREPROCESSOR, _copied(own.preprocessor, own))
    return arguments


def _takes_one(found: Callable[..., Any]) -> bool:
    """Return whether a model is one of mmengine's kind, which prepares its data itself."""
    try:
        return PREPROCESSOR in inspect.signature(found).parameters
    except (TypeError, ValueError):
        return False


def _copied(section: Mapping[Any, Any], own: OwnModel) -> dict[Any, Any]:
    return {
        key: _value(item, own, place_of(section, key), called=key == "type")
        for key, item in without_weights(section).items()
    }


def _value(value: Any, own: OwnModel, place: Place | None, *, called: bool = False) -> Any:
    if isinstance(value, Mapping):
        return _copied(value, own)
    if isinstance(value, list):
        return [_value(item, own, place) for item in value]
    if isinstance(value, tuple):
        return tuple([_value(item, own, place) for item in value])
    if isinstance(value, Symbol):
        return _guarded(imported(value.dotted, own, place), value.dotted, own, place)
    if callable(value) and (called or not inspect.isclass(value)):  # a built-in of Python's
        return _guarded(value, value.__name__, own, place)
    return value


def _guarded(found: object, name: str, own: OwnModel, place: Place | None) -> object:
    """Return what a symbol among the arguments means, or a stand-in for what must not be called."""
    if not callable(found) or is_of_own_registry(found):
        return found
    try:
        require_module_class(found, name, own, place)
    except ModelError as error:
        return uncallable(name, error)
    return found


def imported(dotted: str, own: OwnModel, place: Place | None) -> object:
    """Return what a dotted name in a config's model means.

    Raises:
        ModelError: No installed package provides it, or it raises on import.
    """
    try:
        return import_named(dotted, trusted=own.namespace.trusted)
    except NotInstalledError as error:
        package = dotted.partition(".")[0]
        hint = None if own.namespace.trusted else f"install it, or {VOUCH.format(package)}"
        raise ModelError(str(error), place=place, hint=hint) from error
    except RefusedError as error:
        raise ModelError([replace(refusal(repr(dotted), error), place=place)]) from error
    except Exception as error:  # a stranger's package may raise anything
        raise ModelError(
            f"{dotted!r} raises on import: {described_exception(error)}", place=place
        ) from error


def require_module_class(found: object, name: str, own: OwnModel, place: Place | None) -> None:
    """Refuse to call what is neither a module nor registered for configs to name.

    Raises:
        ModelError: It is neither, and the user does not vouch for the config.
    """
    if own.namespace.trusted or is_module_class(found) or is_part_of_models(found):
        return
    raise ModelError([not_called(name, place)])


def not_called(name: str, place: Place | None) -> Problem:
    """Return the problem of a name in a model that must not be called."""
    return Problem(
        message=f"{name!r} is no nn.Module class, and a config may call nothing else",
        place=place,
        hint=CALLED_ALL_THE_SAME,
        kind=ProblemKind.REFUSED,
    )


def argument_hint(found: object, given: Mapping[str, Any]) -> str | None:
    """Return a hint for arguments that a class or function does not take, or does not get; None where they fit."""
    try:
        signature = inspect.signature(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    named = [
        one
        for one in signature.parameters.values()
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    ]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    known = [one.name for one in named]
    if unknown := [name for name in given if name not in known and not takes_any]:
        return did_you_mean(unknown[0], known) or f"it takes {listed(known) or 'no arguments'}"
    missing = [one.name for one in named if one.default is one.empty and one.name not in given]
    if not missing:
        return None
    if missing[0] == "self":
        return "it is a method: name its class, or a function"
    return "give " + " ".join(f"-k {name}=..." for name in missing)


class Uncallable:
    """Stand for a class or function that is no module: codecs of labels, functions for inference.

    Args:
        name: Its dotted name.
        error: What calling it raises.
    """

    def __init__(self, name: str, error: ModelError) -> None:
        self.error = error
        self.__name__ = self.__qualname__ = name.rpartition(".")[2]

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse the call.

        Raises:
            ModelError: Always.
        """
        raise self.error

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self


def uncallable(name: str, error: ModelError) -> Uncallable:
    """Return a stand-in with a class of its own: an error that names the class tells which one it is."""
    own = type(f"{Uncallable.__name__}:{name}", (Uncallable,), {})
    made: Uncallable = own(name, error)
    return made


def refused_call(error: BaseException, given: object) -> ModelError | None:
    """Return the refused call behind an error that was raised while a model was built; None for none.

    Args:
        error: The error.
        given: The arguments of the model: a registry that was asked for one of them names its class.
    """
    found = list(_uncallables_in(given))
    link: BaseException | None = error
    while link is not None:
        for one in found:
            if link is one.error:
                return one.error
        link = link.__cause__ or link.__context__
    return next((one.error for one in found if f"{type(one).__name__}'" in str(error)), None)


def _uncallables_in(value: object) -> Iterator[Uncallable]:
    if isinstance(value, Uncallable):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _uncallables_in(item)
